"""The state of the cloud in memory, and what a call does to it at once. What goes on by itself is the `model`'s."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from bakeroll.document import Document
from bakeroll.fleet import Group, Health, Instance, TargetGroup
from bakeroll.roll.simulate.parts import ADDRESS, UNKNOWN, Behaviour, Machine, RunningRefresh, Squad, Target


@dataclass(slots=True)
class Cloud:
    """All there is. `images` are those that can be launched; `pace` is how soon a group reacts (seconds).

    A group notices a dead member after `notice` seconds. For `hidden` seconds EC2 does not show what was launched, and
    for `stale` seconds a group describes itself as it did when it was asked the same before; `hooked` is how long a
    launch lifecycle hook holds what a group launches; `full` are zones without capacity; `alarms` the states of
    CloudWatch alarms, `values` what `samples` answers; `probed` what a probe says.
    """

    squads: dict[str, Squad]
    images: dict[str, Behaviour]
    versions: dict[str, str] = field(default_factory=lambda: {"1": "ami-old"})
    target_groups: tuple[TargetGroup, ...] = (TargetGroup("tg-a", "a", 8000), TargetGroup("tg-b", "b", 8000))
    delay: float = 3
    latency: float = 0.05
    pace: float = 2
    notice: float = 0
    hidden: float = 0
    stale: float = 0
    time: float = 0
    launch_hooks: tuple[str, ...] = ()
    hooked: float = 1
    full: set[str] = field(default_factory=set)
    refresh_ends: str = ""
    refreshes: list[RunningRefresh] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)
    probed: Callable[[str], str] = field(default=lambda _: "")
    handed: list[tuple[str, str]] = field(default_factory=list)
    machines: dict[str, Machine] = field(default_factory=dict)
    targets: dict[str, dict[str, Target]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    told: dict[tuple[str, ...], tuple[float, Mapping[str, Group]]] = field(default_factory=dict)
    table: dict[tuple[str, str], Document] = field(default_factory=dict)

    @property
    def squad(self) -> Squad:
        """The fleet's own group: the only one, or the one that was switched to."""
        if len(self.squads) > 1 and self.handed:
            return self.squads.get(self.handed[-1][1]) or next(iter(self.squads.values()))
        return next(iter(self.squads.values()))

    @property
    def group(self) -> Group:
        return self.squad.group

    @group.setter
    def group(self, group: Group) -> None:
        self.squads[group.name].group = group

    @property
    def lifecycles(self) -> dict[str, str]:
        return self.squad.lifecycles

    @property
    def members(self) -> list[str]:
        return self.squad.members

    def behaviour(self, identifier: str) -> Behaviour:
        return self.images.get(self.machines[identifier].instance.image, UNKNOWN)

    def start(self, image: str, zone: str, tags: Mapping[str, str], token: str = "") -> str:
        numbers = count(len(self.machines))
        identifier = next(each for n in numbers if (each := f"i-{n:04x}") not in self.machines)
        instance = Instance(identifier, image, zone, address=f"{ADDRESS}{identifier}", state="pending", tags=tags)
        self.machines[identifier] = Machine(instance, self.time, token)
        return identifier

    def shown(self, identifiers: Iterable[str]) -> list[Instance]:
        """Those that EC2 shows by now."""
        machines = [self.machines[each] for each in identifiers]
        return [each.instance for each in machines if self.time - each.launched >= self.hidden]

    def described(self, names: tuple[str, ...]) -> Mapping[str, Group]:
        """Those of the groups that there are, as they tell."""
        kept = self.told.get(names)
        if kept is None or self.time - kept[0] >= self.stale:
            there = [self.squads[each] for each in names if each in self.squads]
            kept = self.time, {each.group.name: replace(each.group, lifecycles=dict(each.lifecycles)) for each in there}
            self.told[names] = kept
        return kept[1]

    def state(self, identifier: str, state: str) -> None:
        machine = self.machines[identifier]
        address = "" if state == "terminated" else machine.instance.address  # EC2 gives it back, and shows none
        machine.instance = replace(machine.instance, state=state, address=address)
        machine.ended = self.time

    def register(self, arn: str, identifier: str) -> None:
        target = self.targets.setdefault(arn, {}).get(identifier)
        if target is None or target.drains is not None:
            self.targets[arn][identifier] = Target(self.time)

    def deregister(self, arn: str, identifier: str) -> None:
        target = self.targets.setdefault(arn, {}).get(identifier)
        if target and target.drains is None:
            target.drains = self.time

    def squad_of(self, identifier: str) -> Squad | None:
        return next((each for each in self.squads.values() if identifier in each.lifecycles), None)

    def leave(self, squad: Squad, identifier: str, lifecycle: str) -> None:
        """Out of the load balancers and on as `lifecycle`."""
        squad.lifecycles[identifier] = lifecycle
        for arn in self.arns(squad):
            self.deregister(arn, identifier)

    def end(self, identifier: str) -> None:
        """Terminate: deregistered, drained by the group where it is a member, then gone."""
        machine, squad = self.machines[identifier], self.squad_of(identifier)
        if machine.ends is None:
            machine.ends = self.time + (self.delay if squad else 0.5)
        if squad:
            self.leave(squad, identifier, "Terminating")

    def arns(self, squad: Squad) -> tuple[str, ...]:
        """What the group registers its members with; a target group of addresses is not among it."""
        mine = {*squad.group.target_groups, *squad.group.classic_balancers}
        return tuple(each.arn for each in self.target_groups if each.arn in mine and each.type != "ip")

    def health(self, arn: str, identifier: str) -> Health:
        target, machine = self.targets[arn][identifier], self.machines[identifier]
        if target.drains is not None:
            return Health("draining", "Target.DeregistrationInProgress")
        if machine.instance.state != "running":
            return Health("unused", "Target.InvalidState")
        if self.behaviour(identifier).is_sick:
            return Health("unhealthy", "Target.ResponseCodeMismatch", "503")
        is_ready = self.time - target.since >= self.behaviour(identifier).healthy
        return Health("healthy") if is_ready else Health("initial", "Elb.InitialHealthChecking")

    def enter_service(self, squad: Squad, identifier: str) -> None:
        squad.lifecycles[identifier] = "InService"
        if "AddToLoadBalancer" not in squad.group.suspended:
            for arn in self.arns(squad):
                self.register(arn, identifier)

    def zones(self, squad: Squad) -> Counter[str]:
        zones = Counter({each.removeprefix("subnet-"): 0 for each in squad.group.subnets})
        zones.update(self.machines[each].instance.zone for each in squad.members)
        return zones

    def version(self, named: str) -> str:
        """The number of a launch template version."""
        return max(self.versions, key=int) if named == "$Latest" else named

"""The state of the cloud in memory, and the immediate effect of each call. `model` lets time pass."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from bakeroll.document import Document
from bakeroll.fleet import Group, Health, Instance, TargetGroup
from bakeroll.roll.simulate.parts import ADDRESS, UNKNOWN, Behaviour, Machine, RunningRefresh, Squad, Target


@dataclass(slots=True)
class Cloud:
    """The state of the whole cloud. Durations and times are in seconds."""

    squads: dict[str, Squad]
    images: dict[str, Behaviour]
    """The images that can be launched."""
    versions: dict[str, str] = field(default_factory=lambda: {"1": "ami-old"})
    target_groups: tuple[TargetGroup, ...] = (TargetGroup("tg-a", "a", 8000), TargetGroup("tg-b", "b", 8000))
    delay: float = 3
    """How long a target drains, and how long a member takes to terminate."""
    latency: float = 0.05
    """How long a call takes."""
    pace: float = 2
    """How soon a group reacts to a deviation from desired capacity."""
    notice: float = 0
    """After how long a group notices a dead member."""
    hidden: float = 0
    """How long EC2 does not show a launched instance."""
    stale: float = 0
    """How long a group repeats its last description."""
    time: float = 0
    launch_hooks: tuple[str, ...] = ()
    hooked: float = 1
    """How long a launch lifecycle hook holds an instance."""
    full: set[str] = field(default_factory=set)
    """Zones without capacity."""
    refresh_ends: str = ""
    """The status in which instance refreshes end. Empty for success."""
    refreshes: list[RunningRefresh] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    """The states of CloudWatch alarms."""
    values: dict[str, list[float]] = field(default_factory=dict)
    """The samples of the metric, by image."""
    probed: Callable[[str], str] = field(default=lambda _: "")
    """What a probe of an instance answers."""
    hand_overs: list[tuple[str, str]] = field(default_factory=list)
    """From which group to which the fleet was handed over."""
    machines: dict[str, Machine] = field(default_factory=dict)
    targets: dict[str, dict[str, Target]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    descriptions: dict[tuple[str, ...], tuple[float, Mapping[str, Group]]] = field(default_factory=dict)
    """The last description of the groups with these names, and its time."""
    table: dict[tuple[str, str], Document] = field(default_factory=dict)

    @property
    def squad(self) -> Squad:
        """The fleet's own group: the only one, or the one that a roll switched to."""
        if len(self.squads) > 1 and self.hand_overs:
            return self.squads.get(self.hand_overs[-1][1]) or next(iter(self.squads.values()))
        return next(iter(self.squads.values()))

    @property
    def group(self) -> Group:
        """The fleet's own group, as AWS describes it."""
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
        """The instances that EC2 shows by now."""
        machines = [self.machines[each] for each in identifiers]
        return [each.instance for each in machines if self.time - each.launched >= self.hidden]

    def describe(self, names: tuple[str, ...]) -> Mapping[str, Group]:
        """Describe those of the groups that exist, or repeat the last description while it is `stale`."""
        last = self.descriptions.get(names)
        if last is None or self.time - last[0] >= self.stale:
            there = [self.squads[each] for each in names if each in self.squads]
            last = self.time, {each.group.name: replace(each.group, lifecycles=dict(each.lifecycles)) for each in there}
            self.descriptions[names] = last
        return last[1]

    def set_state(self, identifier: str, state: str) -> None:
        machine = self.machines[identifier]
        address = "" if state == "terminated" else machine.instance.address  # EC2 frees the address and shows none
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
        """Take the member out of the load balancers. It goes on as `lifecycle`."""
        squad.lifecycles[identifier] = lifecycle
        for arn in self.arns(squad):
            self.deregister(arn, identifier)

    def end(self, identifier: str) -> None:
        """Terminate an instance. If it is a member, the group deregisters it and lets it drain first."""
        machine, squad = self.machines[identifier], self.squad_of(identifier)
        if machine.ends is None:
            machine.ends = self.time + (self.delay if squad else 0.5)
        if squad:
            self.leave(squad, identifier, "Terminating")

    def arns(self, squad: Squad) -> tuple[str, ...]:
        """Where the group registers its members. Target groups of addresses are not among these."""
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

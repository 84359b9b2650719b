"""A cloud in memory with the clock in its hand: Auto Scaling groups, their instances, their target groups.

It behaves as AWS does where a roll depends on it: instances boot, targets become healthy after a while, a group
replaces what died, launches what it lacks and evens out its zones, attaching raises desired capacity, draining takes
its time, an instance refresh goes on by itself. Every call takes `latency`, and things go on meanwhile. Rolls run over
it in milliseconds; `model_ports` is the way of a roll to it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from bakeroll.document import Document
from bakeroll.fleet import Group, Health, Instance, RefreshState, TargetGroup

TEMPLATE = "lt-1"
NAME = "links-dev"
ADDRESS = "10.0."
"""An instance's address is this and its id."""
EPOCH = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What instances of an image do. Times are seconds after the launch, or after registration.

    `crashes`: so many seconds pass from one failure of its service to the next, which its console tells.
    """

    version: str = ""
    boots: float = 2
    healthy: float = 1
    is_sick: bool = False
    dies: float | None = None
    crashes: float | None = None
    state: str = "available"
    architecture: str = "x86_64"


UNKNOWN = Behaviour()


@dataclass(slots=True)
class Machine:
    instance: Instance
    launched: float
    token: str = ""
    ends: float | None = None
    ended: float = 0
    protected: bool = False


@dataclass(slots=True)
class Target:
    since: float
    drains: float | None = None


@dataclass(slots=True)
class Squad:
    """A group with the lifecycle state of each member, and since when it has too few or too many.

    `gone` are members that were terminated: EC2 goes on showing them for a while, the group's tag with them. `warm`
    are the instances of its warm pool by the version that they were launched from; it keeps `pool` of them, stopped.
    """

    group: Group
    lifecycles: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    short: float | None = None
    changed: float = 0
    warm: dict[str, str] = field(default_factory=dict)
    pool: int = 0

    @property
    def members(self) -> list[str]:
        return [each for each, state in self.lifecycles.items() if not state.startswith(("Terminating", "Standby"))]


@dataclass(slots=True)
class RunningRefresh:
    """An instance refresh that the group does by itself: `ends` is how it will end, if not by success."""

    state: RefreshState
    group: str
    version: str
    ends: str = ""


@dataclass(slots=True)
class World:
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

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass, in steps, so that nothing that happens meanwhile is skipped."""
        end = self.time + seconds
        while self.time < end:
            self.time = min(end, self.time + 0.25)
            self._happen()

    def call(self) -> None:
        self.sleep(self.latency)

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

    def _happen(self) -> None:
        for identifier, machine in self.machines.items():
            if machine.instance.state in ("pending", "running"):
                self._live(identifier, machine)
        for targets in self.targets.values():
            for identifier in [each for each, target in targets.items() if self._has_drained(target)]:
                del targets[identifier]
        for squad in list(self.squads.values()):
            self._enter(squad)
            self._scale(squad)
            self._warm_up(squad)
        for refresh in self.refreshes:
            if not refresh.state.is_over:
                self._refresh(refresh)

    def _live(self, identifier: str, machine: Machine) -> None:
        age, behaviour = self.time - machine.launched, self.behaviour(identifier)
        if machine.instance.state == "pending" and age >= behaviour.boots:
            self.state(identifier, "running")
        is_killed = behaviour.dies is not None and age >= behaviour.dies
        if machine.instance.state == "running" and (is_killed or (machine.ends and self.time >= machine.ends)):
            self.state(identifier, "terminated")
        if machine.instance.state == "pending" and machine.ends and self.time >= machine.ends:
            self.state(identifier, "terminated")

    def _has_drained(self, target: Target) -> bool:
        return target.drains is not None and self.time - target.drains >= self.delay

    def _enter(self, squad: Squad) -> None:
        """Members that ended are none any more; those that run come into service, held by a hook if there is one."""
        for identifier in list(squad.lifecycles):
            machine = self.machines[identifier]
            boots = self.behaviour(identifier).boots + (self.hooked if self.launch_hooks else 0)
            if machine.instance.state == "terminated":
                if machine.ends is None and self.time - machine.ended < self.notice:
                    continue
                del squad.lifecycles[identifier]
                squad.gone.append(identifier)
                for arn in self.arns(squad):
                    self.targets.setdefault(arn, {}).pop(identifier, None)
                continue
            is_ready = machine.instance.state == "running" and self.time - machine.launched >= boots
            if is_ready and squad.lifecycles[identifier] == "Pending":
                self.enter_service(squad, identifier)

    def enter_service(self, squad: Squad, identifier: str) -> None:
        squad.lifecycles[identifier] = "InService"
        if "AddToLoadBalancer" not in squad.group.suspended:
            for arn in self.arns(squad):
                self.register(arn, identifier)

    def _scale(self, squad: Squad) -> None:
        lacking = squad.group.desired - len(squad.members)
        is_even = lacking == 0 and not self._is_skewed(squad)
        squad.short = None if is_even else (squad.short if squad.short is not None else self.time)
        if squad.short is None or self.time - squad.short < self.pace:
            return
        if lacking < 0:
            self._scale_in(squad, -lacking)
        else:
            self._launch(squad, lacking or 1)

    def _is_skewed(self, squad: Squad) -> bool:
        """Whether AZRebalance acts: it launches in the emptiest zone, and what is too much then goes."""
        if {"AZRebalance", "Launch", "Terminate"} & squad.group.suspended or len(squad.group.subnets) < 2:
            return False
        if any(squad.lifecycles[each] != "InService" for each in squad.members):
            return False
        zones = self._zones(squad)
        return max(zones.values()) - min(zones.values()) >= 2

    def _zones(self, squad: Squad) -> Counter[str]:
        zones = Counter({each.removeprefix("subnet-"): 0 for each in squad.group.subnets})
        zones.update(self.machines[each].instance.zone for each in squad.members)
        return zones

    def version(self, named: str) -> str:
        """The number of a launch template version."""
        return max(self.versions, key=int) if named == "$Latest" else named

    def _launch(self, squad: Squad, number: int) -> None:
        image = self.versions[self.version(squad.group.template_version)]
        if image not in self.images or "Launch" in squad.group.suspended:
            return
        for _ in range(number):
            zones = self._zones(squad)
            zone = min((each for each in zones if each not in self.full), key=lambda each: zones[each], default="")
            if zone:
                squad.lifecycles[self._taken(squad, zone) or self.start(image, zone, squad.group.tags)] = "Pending"

    def _taken(self, squad: Squad, zone: str) -> str:
        """One of the warm pool, which boots again."""
        ready = [self.machines[each] for each in squad.warm if self.machines[each].instance.state == "stopped"]
        taken = next((each for each in ready if each.instance.zone == zone and each.ends is None), None)
        if taken is None:
            return ""
        taken.launched = self.time
        self.state(taken.instance.id, "pending")
        del squad.warm[taken.instance.id]
        return taken.instance.id

    def _warm_up(self, squad: Squad) -> None:
        """The pool: what runs is stopped, what was terminated is gone, and what lacks is launched."""
        for identifier in list(squad.warm):
            machine = self.machines[identifier]
            if machine.instance.state == "running":
                self.state(identifier, "stopped")
            if machine.instance.state == "terminated" or (machine.ends is not None and self.time >= machine.ends):
                self.state(identifier, "terminated")
                squad.gone.append(identifier)
                del squad.warm[identifier]
        version = self.version(squad.group.template_version)
        if self.versions[version] not in self.images or "Launch" in squad.group.suspended:
            return
        while len(squad.warm) < squad.pool and (free := [each for each in self._zones(squad) if each not in self.full]):
            zone = free[len(squad.warm) % len(free)]
            squad.warm[self.start(self.versions[version], zone, squad.group.tags)] = version

    def _scale_in(self, squad: Squad, number: int) -> None:
        if "Terminate" not in squad.group.suspended:
            zones = self._zones(squad)
            order = sorted(squad.members, key=lambda each: (-zones[self.machines[each].instance.zone], each))
            for identifier in [each for each in order if not self.machines[each].protected][:number]:
                self.end(identifier)

    def _refresh(self, refresh: RunningRefresh) -> None:
        """One at a time: an old member goes when all desired ones are in service, and the group replaces it."""
        squad = self.squads.get(refresh.group)
        if squad is None or {"InstanceRefresh", "Launch", "Terminate"} & squad.group.suspended:
            return
        squad.group = replace(squad.group, template_version=refresh.version)
        image = self.versions[refresh.version]
        old = [each for each in squad.members if self.machines[each].instance.image != image]
        percent = 100 - 100 * len(old) // max(1, len(squad.members))
        status = "InProgress" if old or not self._all_serve(squad) else "Successful"
        if refresh.ends and percent >= 50:
            refresh.state = replace(refresh.state, status=refresh.ends, reason="an alarm", percent=percent)
            return
        refresh.state = replace(refresh.state, status=status, percent=percent)
        if old and self._all_serve(squad):
            self.end(old[0])

    def _all_serve(self, squad: Squad) -> bool:
        mine = [each for each in squad.members if squad.lifecycles[each] == "InService"]
        is_healthy = all(
            each in self.targets.get(arn, {}) and self.health(arn, each).state == "healthy"
            for each in mine
            for arn in self.arns(squad)
        )
        return is_healthy and len(mine) >= squad.group.desired


def world(
    desired: int, images: Mapping[str, Behaviour], *, minimum: int = 1, maximum: int = 8, serving: int | None = None
) -> World:
    """A fleet that serves ami-old with `serving` instances (all that it desires, unless said otherwise)."""
    group = Group(
        name=NAME,
        minimum=minimum,
        maximum=maximum,
        desired=desired,
        template=TEMPLATE,
        template_version="1",
        subnets=("subnet-a", "subnet-b"),
        target_groups=("tg-a", "tg-b"),
        tags={"application": "links"},
    )
    made = World({NAME: Squad(group)}, dict(images))
    for n in range(desired if serving is None else serving):
        made.lifecycles[made.start("ami-old", "ab"[n % 2], {"bakeroll:version": "1.0-1"})] = "Pending"
    made.sleep(5)
    return made

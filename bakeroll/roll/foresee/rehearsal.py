"""Rehearses a roll: runs the same loop over a model of the fleet, with the model's clock.

So a plan differs from the roll only by what happens meanwhile. The model assumes that instances boot as long as those
of the last roll, that every new instance comes into service, and that nobody else changes anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bakeroll.errors import RolledBack
from bakeroll.fleet import Fleet, Group, Instance
from bakeroll.roll.ports import Ports
from bakeroll.roll.run.leader import Leader
from bakeroll.roll.run.poll import Poll
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import World
from bakeroll.roll.simulate.parts import ADDRESS, TEMPLATE, Behaviour, Machine, RunningRefresh, Squad, Target
from bakeroll.roll.simulate.ports import ports as ports_of
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.store.records import Records, unfinished
from bakeroll.settings import Policy

CALL_SECONDS = 0.1
LONG_AGO = -1e6
ENDS = {"Cancelling": "Cancelled", "RollbackInProgress": "RollbackSuccessful"}
"""The final status of an instance refresh with this status."""


@dataclass(slots=True)
class Tape:
    """What a roll did, in order; its number of calls, its peak of instances, its instance-seconds above desired."""

    world: World
    desired: int
    deeds: list[Deed] = field(default_factory=list)
    calls: int = 0
    peak: int = 0
    extra_seconds: float = 0
    _at: float = 0

    def over(self, ports: Ports) -> Ports:
        """The same ports, with their calls counted."""
        names = ("scaling", "machines", "templates", "balancers", "table", "ask", "probes")
        counted: dict[str, Any] = {name: _Counted(getattr(ports, name), self) for name in names}
        return Ports(**counted)

    def count(self) -> None:
        """Count one more call, and the instances after it."""
        self.calls += 1
        alive = sum(each.instance.state in ("pending", "running") for each in self.world.machines.values())
        self.peak = max(self.peak, alive)
        self.extra_seconds += max(0, alive - self.desired) * (self.world.time - self._at)
        self._at = self.world.time


class _Counted:
    def __init__(self, port: Any, tape: Tape) -> None:
        self._port, self._tape = port, tape

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def called(*args: Any, **named: Any) -> Any:
            answer = method(*args, **named)
            self._tape.count()
            return answer

        return called

    def __call__(self, *args: Any) -> Any:
        answer = self._port(*args)
        self._tape.count()
        return answer


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`why` says why the roll would back out. It is empty if the release would serve. Seconds are the model's."""

    tape: Tape
    seconds: float
    why: str = ""


def rehearse(goal: Goal, policy: Policy, world: World, poll: Poll) -> Rehearsed:
    """Run the roll over the model. Raises RollFailed if the roll would refuse."""
    tape = Tape(world, world.group.desired)
    began, why = world.time, ""
    try:
        through = tape.over(ports_of(world))
        leader = Leader(through, Owner("plan"), world, lambda _: None, poll, witness=tape.deeds.append)
        roll(goal, policy, leader)
    except RolledBack as error:
        why = error.what
    return Rehearsed(tape, world.time - began, why)


def modelled(
    fleet: Fleet,
    groups: Sequence[Group],
    last: Record | None,
    goal: Goal,
    *,
    hooks: Sequence[str],
    is_launchable: bool,
    boot_seconds: float,
    drain_seconds: float,
) -> World:
    """A model of the fleet as it is. `groups` are its own group and then its twin, if there is one.

    `last` is the record of the last roll. `is_launchable` says whether the image that the group launches now exists.
    """
    record = unfinished(last)
    world = World(
        squads={each.name: Squad(_as_modelled(each, fleet), dict(each.lifecycles)) for each in groups},
        images=_images(fleet, goal, boot_seconds, is_launchable=is_launchable),
        versions=_versions(fleet, record),
        target_groups=fleet.target_groups,
        delay=drain_seconds,
        latency=CALL_SECONDS,
        launch_hooks=tuple(hooks),
    )
    _warm(world.squads[fleet.name], fleet, world)
    world.refreshes = [*_refreshes(fleet, world)]
    for each in (*fleet.instances, *fleet.forsaken):
        address = f"{ADDRESS}{each.id}" if each.is_alive else ""
        instance = replace(each, image=_image(each, world), address=address, health={})
        world.machines.setdefault(each.id, Machine(instance, LONG_AGO))
        for arn, health in each.health.items():
            drains = world.time if health.state == "draining" else None
            world.targets.setdefault(arn, {})[each.id] = Target(LONG_AGO, drains)
    if last:
        addresses = {each: f"{ADDRESS}{each}" for each in last.addresses}
        Records(ports_of(world).table, goal.fleet).write(replace(last, addresses=addresses))
    return world


def _image(instance: Instance, world: World) -> str:
    """The instance's image. If EC2 does not show the instance yet, the image that its group launches."""
    squad = world.squad_of(instance.id)
    return instance.image or (world.versions.get(world.version(squad.group.template_version), "") if squad else "")


def _refreshes(fleet: Fleet, world: World) -> Iterator[RunningRefresh]:
    """The newest refresh as observed; one that is ending has ended. Leaves those that no roll began to the findings."""
    if (found := fleet.refresh) and (found.is_over or found.version in world.versions):
        yield RunningRefresh(replace(found, status=ENDS.get(found.status, found.status)), fleet.name, found.version)


def _warm(squad: Squad, fleet: Fleet, world: World) -> None:
    """Fill the model's warm pool as observed. A stale instance was launched from another version."""
    squad.pool = len(fleet.warm)
    for n, each in enumerate(fleet.warm):
        zone = fleet.subnets[n % len(fleet.subnets)].zone if fleet.subnets else ""
        squad.warm[each.id] = "" if each.id in fleet.stale else world.version(squad.group.template_version)
        world.machines[each.id] = Machine(Instance(each.id, "", zone, f"{ADDRESS}{each.id}", "stopped"), LONG_AGO)


def _as_modelled(group: Group, fleet: Fleet) -> Group:
    """The group with one subnet per zone, and with numbers for versions. A launch configuration is version 1."""
    zones = dict.fromkeys(each.zone for each in fleet.subnets)
    version = group.template_version if group.template_version.lstrip("$").isalnum() else "1"
    is_numbered = version.isdigit() or version.startswith("$")
    return replace(
        group,
        template=group.template if is_numbered else TEMPLATE,
        template_version=fleet.template_number if version == "$Default" else version if is_numbered else "1",
        subnets=tuple(f"subnet-{zone}" for zone in zones),
    )


def _versions(fleet: Fleet, record: Record | None) -> dict[str, str]:
    number = fleet.template_number if fleet.template_number.isdigit() else "1"
    made = {each: record.intended.image for each in record.versions.ours if each.isdigit()} if record else {}
    found = record.found.template_version if record else ""
    return {**made, **({found: record.found.image} if record and found.isdigit() else {}), number: fleet.image}


def _images(fleet: Fleet, goal: Goal, boot_seconds: float, *, is_launchable: bool) -> dict[str, Behaviour]:
    old = Behaviour(boots=boot_seconds, healthy=0)
    there = {each.image: old for each in fleet.instances} | ({fleet.image: old} if is_launchable else {})
    return {**there, goal.release.image: replace(old, version=goal.release.version)}

"""A roll rehearsed: the very loop, over a model of the fleet as it is now, with the clock in its hand.

So a plan cannot differ from the deed but by what happens meanwhile. What the model takes for granted: instances boot
as long as those of the last roll did, everything new comes into service, nobody else changes anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bakeroll.errors import RolledBack
from bakeroll.fleet import Fleet, Group, Instance
from bakeroll.roll.ports import Ports
from bakeroll.roll.run.loop import Poll
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import ADDRESS, TEMPLATE, Behaviour, Machine, RunningRefresh, Squad, Target, World
from bakeroll.roll.simulate.ports import ports as ports_of
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.store.records import Records
from bakeroll.settings import Policy

CALL_SECONDS = 0.1
LONG_AGO = -1e6
ENDS = {"Cancelling": "Cancelled", "RollbackInProgress": "RollbackSuccessful"}
"""How an instance refresh of this status ends."""


@dataclass(slots=True)
class Tape:
    """What a roll did in its order, in how many calls, how many instances there were at most, how long too many."""

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
        """One more call, and what there is after it."""
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
    """`why` is why it would be taken back, empty where it would serve; seconds are of the model's clock."""

    tape: Tape
    seconds: float
    why: str = ""


def rehearse(goal: Goal, policy: Policy, world: World, poll: Poll) -> Rehearsed:
    """Run the roll over the model. Raises RollFailed for what would be refused."""
    tape = Tape(world, world.group.desired)
    began, why = world.time, ""
    try:
        roll(
            goal,
            policy,
            tape.over(ports_of(world)),
            owner=Owner("plan"),
            clock=world,
            report=lambda _: None,
            poll=poll,
            witness=tape.deeds.append,
        )
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
    """The fleet as it is, in memory; `groups` are its own and its twin, the first its own.

    `last` is the record of the last roll; `is_launchable`: whether the image exists that the group launches now.
    """
    record = last if last and last.stage != "closed" else None
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
        seen = replace(each, image=_image(each, world), address=address, health={})
        world.machines.setdefault(each.id, Machine(seen, LONG_AGO))
        for arn, health in each.health.items():
            drains = world.time if health.state == "draining" else None
            world.targets.setdefault(arn, {})[each.id] = Target(LONG_AGO, drains)
    if last:
        addresses = {each: f"{ADDRESS}{each}" for each in last.addresses}
        Records(ports_of(world).table, goal.fleet).write(replace(last, addresses=addresses))
    return world


def _image(instance: Instance, world: World) -> str:
    """What EC2 does not show, and so does not tell the image of, counts as what its group launches."""
    squad = world.squad_of(instance.id)
    return instance.image or (world.versions.get(world.version(squad.group.template_version), "") if squad else "")


def _refreshes(fleet: Fleet, world: World) -> Iterator[RunningRefresh]:
    """The newest as it was seen; one that is ending has ended. One that no roll began is told by the findings alone."""
    if (found := fleet.refresh) and (found.is_over or found.version in world.versions):
        yield RunningRefresh(replace(found, status=ENDS.get(found.status, found.status)), fleet.name, found.version)


def _warm(squad: Squad, fleet: Fleet, world: World) -> None:
    """The warm pool keeps as many as it has; what a stale one was launched from is another version."""
    squad.pool = len(fleet.warm)
    for n, each in enumerate(fleet.warm):
        zone = fleet.subnets[n % len(fleet.subnets)].zone if fleet.subnets else ""
        squad.warm[each.id] = "" if each.id in fleet.stale else world.version(squad.group.template_version)
        world.machines[each.id] = Machine(Instance(each.id, "", zone, f"{ADDRESS}{each.id}", "stopped"), LONG_AGO)


def _as_modelled(group: Group, fleet: Fleet) -> Group:
    """With one subnet for each zone, and numbers for versions: a launch configuration is version 1."""
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

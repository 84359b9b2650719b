"""What a roll would do: the roll itself, rehearsed on a model of the fleet, and what would prevent it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bakeroll.fleet import Fleet
from bakeroll.roll.engine.decide import serves
from bakeroll.roll.engine.launcher import launcher
from bakeroll.roll.foresee.findings import Finding, Intent, findings
from bakeroll.roll.foresee.preflight import Facts, PreflightOf, alarm_names, look
from bakeroll.roll.foresee.prices import price
from bakeroll.roll.foresee.rehearsal import modelled, rehearse
from bakeroll.roll.foresee.steps import steps_of
from bakeroll.roll.ports import Ports
from bakeroll.roll.run.poll import Poll
from bakeroll.roll.state.amounts import floor_of, surge_of
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.store import timing
from bakeroll.roll.store.records import Records, unfinished
from bakeroll.roll.world.observe import describe_groups, is_twinned, observe_groups, read_layout
from bakeroll.settings import Policy

BOOT_SECONDS = 60.0
"""From a launch to being in service, if no earlier roll was timed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` is the expected duration: that of the last roll if it was alike, else that of the rehearsal.

    `last_seconds` is None if there was no last roll. `old` counts the members by image. `extra_hours` are
    instance-hours above desired capacity, and `usd` is their on-demand price as of `dated`, None if it is not known.
    `why` says why the roll would back out, if it would. `warm` is the number of instances in the warm pool.
    """

    fleet: str
    image: str
    old: Mapping[str, int]
    strategy: str
    launcher: str
    because: str
    desired: int
    surge: int
    floor: int
    peak: int
    seconds: float
    last_seconds: float | None
    calls: int
    extra_hours: float
    usd: float | None
    dated: str
    steps: tuple[str, ...]
    findings: tuple[Finding, ...]
    why: str = ""
    is_needed: bool = True
    warm: int = 0


def plan(
    goal: Goal, policy: Policy, ports: Ports, preflight: PreflightOf, *, region: str, poll: Poll, now: datetime
) -> Plan:
    """Rehearse the roll and check what would prevent it. Changes nothing.

    Raises RollFailed if the roll would refuse before its first change.
    """
    last = Records(ports.table, goal.fleet).read_last()
    record = unfinished(last)
    group, twin = describe_groups(goal.fleet, ports, record)
    twin = twin if is_twinned(record, policy.strategy) else None
    addresses = last.addresses if last else {}
    fleet = observe_groups(group, twin, ports, record, read_layout(group, ports, goal.target_groups), addresses)
    before = timing.read_last(ports.table, goal.fleet)
    around = preflight(group.name, goal.release.image, alarm_names(policy))
    facts = _without_own_refresh(look(around), fleet, record)
    hooks = ports.scaling.launch_hooks(group.name)
    world = modelled(
        fleet,
        [each for each in (group, twin) if each],
        last,
        goal,
        hooks=hooks,
        is_launchable=fleet.image in ports.machines.images([fleet.image]) if fleet.image else False,
        boot_seconds=before.boot_seconds if before else min(BOOT_SECONDS, policy.in_service_timeout / 2),
        drain_seconds=_drain_seconds(facts),
    )
    done = rehearse(goal, policy, world, poll)
    who, because = launcher(group, hooks, policy)
    cost = _cost(facts, region, done.tape.extra_seconds / 3600)
    return Plan(
        fleet=fleet.name,
        image=goal.release.image,
        old=dict(Counter(each.image for each in fleet.members)),
        strategy=policy.strategy,
        launcher=who,
        because=because,
        desired=fleet.desired,
        surge=surge_of(policy, fleet.desired),
        floor=floor_of(policy, fleet.desired),
        peak=done.tape.peak,
        seconds=before.seconds if before and _is_alike(before, policy, fleet.desired) else done.seconds,
        last_seconds=before.seconds if before else None,
        calls=done.tape.calls,
        extra_hours=done.tape.extra_seconds / 3600,
        usd=cost[0],
        dated=cost[1],
        steps=tuple(steps_of(done.tape.deeds)),
        findings=findings(facts, Intent(surge_of(policy, fleet.desired), policy, now)),
        why=done.why,
        is_needed=not serves(fleet, goal),
        warm=len(fleet.warm),
    )


def _without_own_refresh(facts: Facts, fleet: Fleet, record: Record | None) -> Facts:
    """The facts without an instance refresh that the roll itself began before it was cut off."""
    is_own = record is not None and fleet.refresh is not None and fleet.refresh.version in record.versions.ours
    return replace(facts, refresh="") if is_own else facts


def _is_alike(before: timing.Timing, policy: Policy, desired: int) -> bool:
    return (before.strategy, before.instances) == (policy.strategy, desired)


def _drain_seconds(facts: Facts) -> float:
    delays = [each.delay for each in facts.balancers] if isinstance(facts.balancers, tuple | list) else []
    return float(max(delays, default=0))


def _cost(facts: Facts, region: str, hours: float) -> tuple[float | None, str]:
    """The price of the group's most expensive type and its date, if all prices are known."""
    types = getattr(facts.launch, "types", ())
    known = [price(each, region, hours) for each in types]
    if not known or any(each is None for each in known):
        return None, ""
    dearest = max((each for each in known if each), key=lambda each: each.usd)
    return dearest.usd, dearest.dated.isoformat()

"""A roll from its lease to its end. Decides whether it begins, continues or takes over. Leaves the turns to `loop`."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bakeroll.errors import CloudError, LeaseHeld
from bakeroll.events import Event
from bakeroll.fleet import Fleet
from bakeroll.roll.engine.decide import serves
from bakeroll.roll.engine.launcher import launcher
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.run.leader import Leader
from bakeroll.roll.run.loop import Loop
from bakeroll.roll.run.new_record import new_record, takeover_record
from bakeroll.roll.run.outcome import Outcome
from bakeroll.roll.run.patience import Patience
from bakeroll.roll.run.progress import Progress
from bakeroll.roll.run.refusal import refuse, refuse_held
from bakeroll.roll.state.amounts import floor_of, surge_of
from bakeroll.roll.state.ids import without
from bakeroll.roll.state.record import Goal, Record, SecondGroup, TemplateVersions
from bakeroll.roll.store import ended
from bakeroll.roll.store.lease import Lease, take
from bakeroll.roll.store.records import Records, unfinished
from bakeroll.roll.store.requests import Requests
from bakeroll.roll.view.settled import STALE_SECONDS
from bakeroll.roll.world.observe import describe_groups, is_twinned, observe, observe_groups, read_layout
from bakeroll.settings import Policy

LOOKS_SECONDS = 2.0
"""Seconds between two reads of a lease that another roll holds."""


def roll(goal: Goal, policy: Policy, leader: Leader, *, is_resumed: bool = False, patience: float = 0) -> Outcome:
    """Roll the goal's fleet to its release, or continue such a roll that was cut off.

    With `is_resumed`, continue the roll that was cut off in its own direction, also backing out. `patience` is how many
    seconds to wait for another roll of the fleet.

    Raises RolledBack after it backed out, LeaseHeld if another process rolls this fleet, RollFailed if the roll cannot
    begin or cannot back out, and CloudError if AWS refuses. KeyboardInterrupt passes through after the fleet is
    restored, or at once past the commit point.
    """
    ports = leader.ports
    found = Records(ports.table, goal.fleet).read()
    if found is None or _is_soaking(found, leader.clock):
        fleet = observe(goal.fleet, ports, found)
        if serves(fleet, goal):
            text = f"{fleet.name}: {goal.release.version} serves already, {len(fleet.members)} in service"
            leader.report(Event("roll", text, "done"))
            return Outcome(goal.release, is_new=False, in_service=len(fleet.members), retired=0, seconds=0)
    try:
        return _roll_with_lease(goal, policy, leader, is_resumed=is_resumed, patience=patience)
    except LeaseHeld as error:
        watch = f"Watch it: fab status --env={goal.release.environment} --follow"
        error.next_step = error.next_step or f"Wait for it: --wait      {watch}"
        raise


def _roll_with_lease(goal: Goal, policy: Policy, leader: Leader, *, is_resumed: bool, patience: float) -> Outcome:
    lease = _take(goal, leader, patience)
    try:
        with leader.beating(lease):
            return _start(goal, policy, leader, lease, is_resumed=is_resumed).run()
    finally:
        with suppress(CloudError):
            lease.release()


def _take(goal: Goal, leader: Leader, patience: float) -> Lease:
    """Take the lease, or wait for it. Raises LeaseHeld if another still holds it when the patience ends."""
    clock, reason = leader.clock, f"roll {goal.release.version}"
    ends, is_told = clock.monotonic() + patience, False
    while True:
        try:
            return take(leader.ports.table, goal.fleet, leader.owner, reason, clock, seconds=leader.lease_seconds)
        except LeaseHeld as error:
            if clock.monotonic() >= ends:
                raise
            if not is_told:
                leader.report(Event("roll", f"waiting: {error.what}"))
            is_told = True
            clock.sleep(LOOKS_SECONDS)


def _is_soaking(record: Record, clock: Clock) -> bool:
    """Whether the roll is over except for old instances that may still stand by."""
    return record.stage == "soaking" and clock.now() < datetime.fromisoformat(record.soak.until)


def _start(goal: Goal, policy: Policy, leader: Leader, lease: Lease, *, is_resumed: bool) -> Loop:
    """Write the record and return the roll: a new one, one that was cut off, or one in the place of another."""
    ports, clock, report = leader.ports, leader.clock, leader.report
    records = Records(ports.table, goal.fleet)
    last = records.read_last()
    found = unfinished(last)
    if found and found.stage != "soaking":
        text = f"waiting {STALE_SECONDS:.0f} s until AWS shows the last changes of the roll that was cut off"
        report(Event("roll", text))
        clock.sleep(STALE_SECONDS)
    group, twin = describe_groups(goal.fleet, ports, found)
    refuse_held(group)
    fleet_layout = read_layout(group, ports, goal.target_groups)
    who = launcher(group, ports.scaling.launch_hooks(group.name), policy)
    fleet_twin, addresses = twin if is_twinned(found) else None, found.addresses if found else {}
    if found is None or found.stage == "soaking":
        fleet = observe_groups(group, fleet_twin, ports, found, fleet_layout, addresses)
        stranger = None if found and found.second.name else twin
        images = ports.machines.images([goal.release.image, *({fleet.image} - {"", goal.release.image})])
        refuse(goal, group, stranger, fleet_layout, fleet, policy, ports.scaling.refreshes(group.name), images)
        record = new_record(goal, fleet, policy, who, images, clock)
        record = replace(record, addresses={**(last.addresses if last else {}), **record.addresses})
        if found:
            left = without(found.versions.ours, [found.versions.made, fleet.template_version])
            second = SecondGroup(found.second.name)
            record = replace(record, soak=found.soak, second=second, versions=TemplateVersions(ours=left))
        text = _summary(fleet, goal, policy, record)
    elif is_resumed or _is_same(found, goal):
        record = found
        text = f"{goal.fleet}: continues the roll to {found.intended.version} that was cut off"
    else:
        fleet = observe_groups(group, fleet_twin, ports, found, fleet_layout, addresses)
        record = takeover_record(found, goal, fleet, policy, who, clock)
        text = f"{goal.fleet}: takes over from the roll to {found.intended.version} that was cut off"
    lease.check()
    records.write(record)
    if found and found.id in record.previous.rolls:
        _write_taken_over(found, goal, ports, clock)
    report(Event("roll", text))
    return Loop(
        goal=goal,
        policy=policy,
        ports=ports,
        lease=lease,
        clock=clock,
        report=report,
        patience=Patience(policy, leader.poll, clock),
        progress=Progress(report),
        records=records,
        requests=Requests(ports.table, goal.fleet),
        layout=fleet_layout,
        record=record,
        witness=leader.witness,
    )


def _write_taken_over(found: Record, goal: Goal, ports: Ports, clock: Clock) -> None:
    why = f"cut off, and {goal.release.released_by} rolled to {goal.release.version} in its place"
    roll = ended.ended(found, clock.now(), outcome="taken over", why=why)
    ended.write(ports.table, goal.release.application, goal.release.environment, roll)


def _is_same(record: Record, goal: Goal) -> bool:
    its = (record.identity, record.intended.version)
    return record.stage == "forward" and its == (goal.identity, goal.release.version)


def _summary(fleet: Fleet, goal: Goal, policy: Policy, record: Record) -> str:
    amounts = f"surge {surge_of(policy, fleet.desired)}, floor {floor_of(policy, fleet.desired)}"
    standby = [each.id for each in fleet.instances if each.is_standing_by and each.id not in record.soak.instances]
    left = f"; left alone in Standby: {', '.join(standby)}" if standby else ""
    how = "" if policy.strategy == "surge" else f", {policy.strategy}"
    by = f"; the group launches: {record.intended.because}" if record.intended.launcher == "group" else ""
    return f"{fleet.name}: {fleet.desired} × {fleet.image} to {goal.release.image}{how}, {amounts}{by}{left}"

"""Finds what a dead roll left, and what repairs it.

The record says what the roll found and what it changed. So the repair needs no code of its own: the roll continues if
it is past its commit point, and backs out otherwise. What no record knows is named for people, unless it carries our
tags.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bakeroll.fleet import ROLL_TAG, Fleet, Instance
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.state.record import Record
from bakeroll.roll.store import lease
from bakeroll.roll.store.documents import read_documents, read_readable_record
from bakeroll.roll.store.heartbeat import Beating
from bakeroll.roll.world.observe import describe_groups, observe, read_layout
from bakeroll.wording import counted, moment

Kind = Literal["cut off", "lease", "soak", "stray", "standby", "suspended", "unreadable"]
CURABLE: tuple[Kind, ...] = ("cut off", "lease", "soak", "stray")


@dataclass(frozen=True, slots=True)
class Ailment:
    """`what` is wrong. `cure` is what `fab doctor --fix` does, or what a person can do if `is_curable` is False."""

    kind: Kind
    what: str
    cure: str
    instances: tuple[str, ...] = ()

    @property
    def is_curable(self) -> bool:
        return self.kind in CURABLE


@dataclass(frozen=True, slots=True)
class Chart:
    """The fleet, its record, and everything that is wrong."""

    fleet: Fleet
    record: Record | None
    ailments: tuple[Ailment, ...]

    @property
    def is_committed(self) -> bool:
        """Whether the roll that was cut off is past its commit point, so that it continues instead of backing out."""
        return bool(self.record and self.record.is_past_commit(self.fleet))


def examine(name: str, application: str, environment: str, ports: Ports, now: datetime) -> Chart:
    """Find what is wrong, and change nothing. Raises RollFailed if the group does not exist."""
    there = read_documents(ports.table, name)
    record, held = there.record, there.holding
    fleet = observe(name, ports, record)
    if there.unreadable:  # without these documents nothing else can be called wrong
        return Chart(
            fleet, record, tuple(Ailment("unreadable", each.what, each.next_step) for each in there.unreadable)
        )
    chart = Chart(fleet, record, ())
    if held and held.is_led:
        return chart
    found = [
        *(_cut_off(chart, record, now) if record and record.stage in ("forward", "back") else ()),
        *(_lease(held) if held and held.is_held and record is None else ()),
        *(_soak(record, now) if record and record.stage == "soaking" else ()),
        *_strays(fleet, record, application, environment, ports),
        *_standing_by(fleet, record),
        *_suspended(fleet, record),
    ]
    return Chart(fleet, record, tuple(found))


def _cut_off(chart: Chart, record: Record, now: datetime) -> Iterator[Ailment]:
    way = "the roll continues" if chart.is_committed else "the roll backs out and restores everything"
    left = "; ".join(_left(chart.fleet, record))
    began = moment(datetime.fromisoformat(record.started_at), now)
    yield Ailment("cut off", f"the roll to {record.intended.version} of {began} was cut off: {left}", way)


def _left(fleet: Fleet, record: Record) -> Iterator[str]:
    if ours := [each for each in record.suspended if each in fleet.suspended]:
        yield f"{', '.join(ours)} suspended"
    if fleet.maximum in record.capacity.maxima and fleet.maximum != record.found.maximum:
        yield f"the maximum size raised from {record.found.maximum} to {fleet.maximum}"
    if loose := [each for each in fleet.instances if each.is_alive and not each.lifecycle]:
        yield f"{counted(len(loose), 'instance')} launched and not in the group"
    if standing := [each for each in fleet.instances if each.is_standing_by and each.id in record.retiring]:
        yield f"{len(standing)} standing by"
    new = [each for each in fleet.members if each.identity == record.identity]
    yield f"{len(new)} of {counted(len(fleet.members), 'member')} of the release"


def _lease(held: lease.Holding) -> Iterator[Ailment]:
    yield Ailment(
        "lease", f"{held.owner.name} no longer runs and holds the lease (“{held.reason}”)", "the lease is released"
    )


def _soak(record: Record, now: datetime) -> Iterator[Ailment]:
    soak = record.soak
    if soak.until and now >= (until := datetime.fromisoformat(soak.until)):
        what = counted(len(soak.instances), "instance") if soak.instances else f"the group {record.second.name}"
        text = (
            f"{what} stood by until {moment(until, now)} and {'is' if len(soak.instances) <= 1 else 'are'} not retired"
        )
        yield Ailment("soak", text, "what stands by is retired")


def _strays(fleet: Fleet, record: Record | None, application: str, environment: str, ports: Ports) -> Iterator[Ailment]:
    """Instances of this fleet by their tags, launched by a roll that no record knows, and in no group."""
    known, here = set(record.rolls if record else ()), {each.id for each in fleet.instances}
    found = tuple(
        each.id
        for each in ports.machines.launched_by(["*"])
        if each.is_alive
        and each.id not in here
        and each.tags.get(ROLL_TAG) not in known
        and "aws:autoscaling:groupName" not in each.tags
        and _is_of(each, application, environment)
    )
    if found:
        what = f"{', '.join(found)}: launched by a roll that ended, and in no group"
        yield Ailment("stray", what, "they are deregistered and terminated", found)


def _is_of(instance: Instance, application: str, environment: str) -> bool:
    tags = instance.tags
    return (tags.get("bakeroll:application"), tags.get("bakeroll:environment")) == (application, environment)


def _standing_by(fleet: Fleet, record: Record | None) -> Iterator[Ailment]:
    ours = {*record.soak.instances, *record.retiring} if record else set()
    for each in fleet.instances:
        if each.is_standing_by and each.id not in ours:
            cure = f"aws autoscaling exit-standby --auto-scaling-group-name {fleet.name} --instance-ids {each.id}"
            yield Ailment("standby", f"{each.id} is in Standby, but not by a roll", cure)


def _suspended(fleet: Fleet, record: Record | None) -> Iterator[Ailment]:
    ours = record.suspended if record else ()
    if others := sorted(each for each in fleet.suspended if each not in ours):
        cure = f"aws autoscaling resume-processes --auto-scaling-group-name {fleet.name} --scaling-processes "
        yield Ailment("suspended", f"{', '.join(others)} suspended, but not by a roll", cure + " ".join(others))


def take_away(
    name: str,
    extra: Sequence[str],
    instances: Sequence[str],
    ports: Ports,
    owner: Owner,
    clock: Clock,
    beating: Beating = nullcontext,
) -> None:
    """Deregister and terminate strays. Without any, only take the lease and release it.

    Raises LeaseHeld if a roll of the fleet is running.
    """
    held = lease.take(ports.table, name, owner, "doctor", clock)
    try:
        with beating(held):
            _take_away(name, extra, instances, ports, held)
    finally:
        held.release()


def _take_away(name: str, extra: Sequence[str], instances: Sequence[str], ports: Ports, held: lease.Lease) -> None:
    group, _ = describe_groups(name, ports, read_readable_record(ports.table, name))
    found = {each.id: each for each in ports.machines.launched_by(["*"]) if each.id in set(instances)}
    for target_group in read_layout(group, ports, extra, needs_subnets=False).target_groups:
        there = ports.balancers.health(target_group)
        if targets := [target for each in found.values() if (target := target_group.target(each)) in there]:
            held.check()
            ports.balancers.deregister(target_group, targets)
    if found:
        held.check()
        ports.machines.terminate(sorted(found))

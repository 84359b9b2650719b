"""The record, settled: without what it announced and the fleet shows not to have been done. Pure."""

from dataclasses import replace

from bakeroll.fleet import Fleet
from bakeroll.roll.state.ids import without
from bakeroll.roll.state.record import Record

STALE_SECONDS = 5.0
"""How stale a group description may be. Where no answer came, or a process died, what it may have done is believed to
show after this time."""


def settled(fleet: Fleet, record: Record) -> Record:
    """The record without what it announced and the fleet shows not to have been done.

    That is announced again when it is due again. To be written down at once: it reads desired capacity, which others
    change.
    """
    soak, has_twin = record.soak, fleet.twin is not None and not fleet.twin.is_deleting
    return replace(
        record,
        capacity=record.capacity.settled(fleet, soak.instances),
        launches=record.launches.settled(fleet, record.id),
        second=record.second if has_twin else replace(record.second, name=""),
        soak=replace(soak, instances=without(soak.instances, {each.id for each in fleet.members})),
    )

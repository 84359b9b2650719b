"""The record, settled: without what it announced and the fleet shows not to have been done. Pure."""

from collections.abc import Mapping
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
        addresses=_addresses(fleet, record),
    )


def _addresses(fleet: Fleet, record: Record) -> Mapping[str, str]:
    """By which instances are registered, or may be. What is no longer registered is forgotten: it may be anybody's."""
    here = {each.id for each in fleet.instances if each.is_alive} | {each.id for each in fleet.forsaken}
    known = {each: address for each, address in record.addresses.items() if each in here}
    return {**known, **registered_addresses(fleet)}


def registered_addresses(fleet: Fleet) -> Mapping[str, str]:
    """Of living instances, by instance: EC2 does not show the address of one that ended."""
    arns = {each.arn for each in fleet.target_groups if each.type == "ip"}
    return {each.id: each.address for each in fleet.instances if each.is_alive and arns & each.health.keys()}

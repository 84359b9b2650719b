"""The settled record: without the announced changes that the fleet shows not to have happened. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bakeroll.fleet import Fleet
from bakeroll.roll.state.ids import without
from bakeroll.roll.state.record import Record

STALE_SECONDS = 5.0
"""How stale a group description may be. After a call without an answer, or after a process died, a roll waits this long
before it trusts a description."""


def settled(fleet: Fleet, record: Record) -> Record:
    """The record without the announced changes that the fleet shows not to have happened.

    The roll announces them again when they are due again. Write the result at once, because others may change desired
    capacity, which it reads.
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
    """The addresses by which instances are or may be registered.

    An address that is no longer registered is left out, because it may belong to anybody by now.
    """
    here = {each.id for each in fleet.instances if each.is_alive} | {each.id for each in fleet.forsaken}
    known = {each: address for each, address in record.addresses.items() if each in here}
    return {**known, **registered_addresses(fleet)}


def registered_addresses(fleet: Fleet) -> Mapping[str, str]:
    """The registered addresses of living instances, by instance id. EC2 shows no address of an ended instance."""
    arns = {each.arn for each in fleet.target_groups if each.type == "ip"}
    return {each.id: each.address for each in fleet.instances if each.is_alive and arns & each.health.keys()}

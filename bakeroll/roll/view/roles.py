"""The role of each instance in a roll. Pure.

If the roll goes forward, instances of its release come in and all others go out. If it backs out, the instances that it
found come in and those that it brought go out.
"""

from collections.abc import Mapping
from enum import StrEnum

from bakeroll.fleet import ROLL_TAG, Fleet, Instance
from bakeroll.roll.state.record import Record


class Role(StrEnum):
    """The role of an instance. Each instance has exactly one."""

    INCOMING = "incoming"
    """It serves at the end of the roll."""
    OUTGOING = "outgoing"
    """It is gone at the end of the roll, but the roll has not chosen to retire it yet."""
    RETIRING = "retiring"
    """The roll chose to retire it, and it is still here."""
    TERMINATING = "terminating"
    """Its group is terminating it."""
    STANDING_BY = "standing by"
    """It is in Standby or entering it."""
    DEAD = "dead"
    """It neither runs nor boots."""
    UNKNOWN = "unknown"
    """EC2 does not show it yet, or it is neither a member nor an instance of this roll."""


def roles(fleet: Fleet, record: Record | None) -> Mapping[str, Role]:
    """The role of each instance by its id. `record` must be settled. Without a record, all members are to serve."""
    if record is None:
        return {each.id: _unrolled(each) for each in fleet.instances}
    chosen, found = frozenset(record.retiring), frozenset(record.found.members)
    is_twin_home = comes_into_twin(fleet, record)
    return {
        each.id: _role(each, record, found, is_chosen=each.id in chosen, is_twin_home=is_twin_home)
        for each in fleet.instances
    }


def comes_into_twin(fleet: Fleet, record: Record) -> bool:
    """Whether the instances that come in are in the second group of a blue-green roll.

    They are not if the fleet's group already consists of the release.
    """
    if record.intended.strategy != "blue-green" or record.stage != "forward":
        return record.intended.strategy == "blue-green" and record.is_switched
    is_whole = fleet.identity == record.identity and all(
        each.identity in (record.identity, "") for each in fleet.members
    )
    return not record.is_switched and not is_whole


def _unrolled(instance: Instance) -> Role:
    return _passing(instance) or (Role.INCOMING if instance.is_member else Role.UNKNOWN)


def _passing(instance: Instance) -> Role | None:
    """The role that follows from the instance's own state, whatever the roll intends."""
    if not instance.is_alive:
        return Role.DEAD
    if instance.is_standing_by:
        return Role.STANDING_BY
    return Role.TERMINATING if instance.lifecycle.startswith("Terminating") else None


def _role(instance: Instance, record: Record, found: frozenset[str], *, is_chosen: bool, is_twin_home: bool) -> Role:
    if passing := _passing(instance):
        return passing
    if is_chosen:
        return Role.RETIRING
    if not instance.identity:
        return Role.UNKNOWN
    if _comes_in(instance, record, found, is_twin_home=is_twin_home):
        return Role.INCOMING
    is_loose = instance.is_in_twin or instance.tags.get(ROLL_TAG) in record.rolls
    return Role.OUTGOING if instance.is_member or (not instance.lifecycle and is_loose) else Role.UNKNOWN


def _comes_in(instance: Instance, record: Record, found: frozenset[str], *, is_twin_home: bool) -> bool:
    if record.intended.strategy == "blue-green":
        is_home = instance.is_in_twin and not instance.lifecycle if is_twin_home else instance.is_member
        return is_home and (record.stage == "back" or instance.identity == record.identity)
    slot = record.slot_of(instance)
    if record.stage == "forward":
        is_here = instance.is_member or (slot is not None and not instance.lifecycle)
        return is_here and instance.identity == record.identity
    if slot is not None and slot >= record.launches.wanted_from:
        return instance.is_member or not instance.lifecycle
    return instance.is_member and not _is_of_the_goal(instance, record, found)


def _is_of_the_goal(instance: Instance, record: Record, found: frozenset[str]) -> bool:
    """Whether the instance belongs to a release that a roll which backs out takes away."""
    if record.slot_of(instance) is not None:
        return True
    theirs = {record.identity, *record.previous.identities} - {record.found.identity}
    return instance.identity in theirs and instance.id not in found

"""Which role a roll has for each instance. Pure.

Forward, the release that is rolled to comes in and all else goes out. Backing out, what was found comes in and what the
roll brought goes out.
"""

from collections.abc import Mapping
from enum import StrEnum

from bakeroll.fleet import ROLL_TAG, Fleet, Instance
from bakeroll.roll.state.record import Record


class Role(StrEnum):
    """Each instance has exactly one."""

    INCOMING = "incoming"
    """It is to serve in the end."""
    OUTGOING = "outgoing"
    """It is to go in the end, and was not chosen to go yet."""
    RETIRING = "retiring"
    """It was chosen to go, and is still here."""
    TERMINATING = "terminating"
    """Its group is terminating it."""
    STANDING_BY = "standing by"
    """It is in Standby, or on its way there."""
    DEAD = "dead"
    UNKNOWN = "unknown"
    """EC2 does not show it yet, or it is neither a member nor this roll's."""


def roles(fleet: Fleet, record: Record | None) -> Mapping[str, Role]:
    """The role of each instance by its id. `record` is a settled one; where there is none, all members are to serve."""
    if record is None:
        return {each.id: _unrolled(each) for each in fleet.instances}
    chosen, found = frozenset(record.retiring), frozenset(record.found.members)
    is_twin_home = comes_into_twin(fleet, record)
    return {
        each.id: _role(each, record, found, is_chosen=each.id in chosen, is_twin_home=is_twin_home)
        for each in fleet.instances
    }


def comes_into_twin(fleet: Fleet, record: Record) -> bool:
    """Whether what comes in does so in the second group of a blue-green roll; not where the group is whole already."""
    if record.intended.strategy != "blue-green" or record.stage != "forward":
        return record.intended.strategy == "blue-green" and record.is_switched
    is_whole = fleet.identity == record.identity and all(
        each.identity in (record.identity, "") for each in fleet.members
    )
    return not record.is_switched and not is_whole


def _unrolled(instance: Instance) -> Role:
    return _passing(instance) or (Role.INCOMING if instance.is_member else Role.UNKNOWN)


def _passing(instance: Instance) -> Role | None:
    """The role that the instance's own state gives it, whatever a roll wants of it."""
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
    if slot is not None and slot >= (record.launches.wanted_from):
        return instance.is_member or not instance.lifecycle
    return instance.is_member and not _is_of_the_goal(instance, record, found)


def _is_of_the_goal(instance: Instance, record: Record, found: frozenset[str]) -> bool:
    """Backing out: whether the instance came with the release that is taken away."""
    if record.slot_of(instance) is not None:
        return True
    theirs = {record.identity, *record.previous.identities} - {record.found.identity}
    return instance.identity in theirs and instance.id not in found

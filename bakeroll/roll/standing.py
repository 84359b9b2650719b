"""Where a roll stands: what the fleet shows, read with the record. Pure.

What others want of the fleet is its desired capacity without what this roll has added to it. Attaching raises
desired capacity, retiring with decrement and `LowerDesired` lower it; the record names each before it is done,
and the fleet tells whether it was. So capacity that others changed meanwhile is seen, whatever happened to us.
"""

from dataclasses import dataclass, replace

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet, Instance
from bakeroll.roll.health import Memory
from bakeroll.roll.record import Record

UNSEEN_SECONDS = 60.0
"""AWS may not show an instance for a while after it launched it; so long it is waited for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`right` instances are those that are to serve, `wrong` those that are to go, both alive.

    `wanted` is the capacity that others ask for; `target` how many right ones there are to be in the end.
    """

    surge: int
    wanted: int
    target: int
    right: tuple[Instance, ...]
    wrong: tuple[Instance, ...]
    open_slots: tuple[int, ...]
    unseen: tuple[str, ...]
    deaths: tuple[Instance, ...]


def standing(fleet: Fleet, record: Record, memory: Memory, now: float) -> Standing:
    """Read a settled record with the fleet."""
    surge = len(record.attached) - len(record.decremented) - record.lowered
    wanted = fleet.desired - surge
    right = tuple(each for each in fleet.instances if _is_right(each, record))
    wrong = tuple(each for each in fleet.instances if _is_wrong(each, record))
    first = record.back_from or 0
    seen = {each.tags.get(SLOT_TAG) for each in fleet.instances if each.tags.get(ROLL_TAG) == record.id}
    empty = [n for n in range(first, len(record.slots)) if str(n) not in seen and str(n) not in record.filled]
    return Standing(
        surge=surge,
        wanted=wanted,
        target=wanted if record.stage == "forward" else min(wanted, len(record.found.members)),
        right=right,
        wrong=wrong,
        open_slots=tuple(empty),
        unseen=tuple(each for each in record.filled.values() if _is_unseen(each, fleet, record, memory, now)),
        deaths=tuple(
            each
            for each in fleet.instances
            if not each.is_alive and _slot_number(each, record) >= first and each.id not in record.retiring
        ),
    )


def slot_of(instance: Instance, record: Record) -> int | None:
    """The number of this roll's launch that made the instance; None where this roll did not."""
    if instance.tags.get(ROLL_TAG) != record.id:
        return None
    return int(instance.tags.get(SLOT_TAG, "0"))


def _slot_number(instance: Instance, record: Record) -> int:
    slot = slot_of(instance, record)
    return -1 if slot is None else slot


def settled(fleet: Fleet, record: Record) -> Record:
    """The record without what it announced and the fleet shows not to have been done.

    An instance outside the group was not attached, a member not retired, desired capacity that is as it was
    not lowered. Each is announced again when it is due again. To be written down at once: it reads desired
    capacity, which others change.
    """
    loose = {each.id for each in fleet.instances if each.is_alive and not each.lifecycle} | _died_unattached(
        fleet, record
    )
    members = {each.id for each in fleet.members}
    return replace(
        record,
        attached=tuple(each for each in record.attached if each not in loose),
        decremented=tuple(each for each in record.decremented if each not in members),
        lowered=record.lowered + _lowered(fleet, record),
        lowering=None,
        attaching=None,
    )


def _lowered(fleet: Fleet, record: Record) -> int:
    """By how much a lowering whose answer was lost has lowered: desired capacity is nearer to what it was set to."""
    if record.lowering is None:
        return 0
    seen, to = record.lowering
    return seen - to if fleet.desired - to < seen - fleet.desired else 0


def _died_unattached(fleet: Fleet, record: Record) -> set[str]:
    """Of an attach whose answer was lost, those that died so early that desired capacity was not raised for them."""
    if record.attaching is None:
        return set()
    seen, ids = record.attaching
    found = {each: fleet.find(each) for each in ids}
    gone = [each for each, it in found.items() if it is None or not (it.is_alive or it.lifecycle)]
    members = sum(1 for it in found.values() if it and it.lifecycle)
    return set(gone[max(0, fleet.desired - seen - members) :])


def _is_right(instance: Instance, record: Record) -> bool:
    if not instance.is_alive or instance.id in record.retiring:
        return False
    slot = slot_of(instance, record)
    if record.stage == "forward":
        return instance.image == record.image and (instance.is_member or (slot is not None and not instance.lifecycle))
    if slot is not None and slot >= (record.back_from or 0):
        return instance.is_member or not instance.lifecycle
    return instance.is_member and not _is_of_the_goal(instance, record)


def _is_wrong(instance: Instance, record: Record) -> bool:
    if not instance.is_alive or instance.lifecycle.startswith("Terminating") or _is_right(instance, record):
        return False
    return instance.is_member or (not instance.lifecycle and instance.tags.get(ROLL_TAG) in record.rolls)


def _is_of_the_goal(instance: Instance, record: Record) -> bool:
    """Backing out: whether the instance came with the release that is taken away."""
    if slot_of(instance, record) is not None:
        return True
    is_new = instance.id not in record.found.members
    return is_new and instance.image == record.image and record.image != record.found.image


def _is_unseen(identifier: str, fleet: Fleet, record: Record, memory: Memory, now: float) -> bool:
    if fleet.find(identifier) or identifier in record.retiring:
        return False
    return now - memory.waiting.get(identifier, now) < UNSEEN_SECONDS

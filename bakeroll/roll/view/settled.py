"""The record, settled: without what it announced and the fleet shows not to have been done. Pure.

What others want of the fleet is its desired capacity without what this roll has added to it. Attaching, raising and
returning raise desired capacity, leaving with decrement and lowering lower it; the record names each before it is
done, and the fleet tells whether it was. So capacity that others changed meanwhile is seen, whatever happened to us.
"""

from collections.abc import Mapping
from dataclasses import replace

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.state.record import Record
from bakeroll.roll.view.roles import slot_of

STALE_SECONDS = 5.0
"""How stale a group description may be. Where no answer came, or a process died, what it may have done is believed to
show after this time."""


def settled(fleet: Fleet, record: Record) -> Record:
    """The record without what it announced and the fleet shows not to have been done.

    An instance outside the group was not attached, a member not retired, desired capacity that is as it was
    not lowered. Each is announced again when it is due again. To be written down at once: it reads desired
    capacity, which others change.
    """
    loose = {
        each.id for each in fleet.instances if each.is_alive and (not each.lifecycle or _stands_by(each, record))
    } | _died_unattached(fleet, record)
    members = {each.id for each in fleet.members}
    undone = members | _left_by_themselves(fleet, record)
    settled = replace(
        record,
        attached=tuple(each for each in record.attached if each not in loose),
        decremented=tuple(each for each in record.decremented if each not in undone),
        leaving=None,
        twin=record.twin if fleet.twin and not fleet.twin.is_deleting else "",
        lowered=record.lowered + _lowered(fleet, record),
        lowering=None,
        raised=record.raised + _raised(fleet, record),
        raising=None,
        attaching=None,
        filled=_filled(fleet, record),
        soaked=tuple(each for each in record.soaked if each not in members),
    )
    return _bounded(fleet, settled)


def _stands_by(instance: Instance, record: Record) -> bool:
    """Whether it stands by for a roll, and was not brought back; what somebody else has stand by was a member."""
    return instance.is_standing_by and instance.id in record.soaked


def _bounded(fleet: Fleet, record: Record) -> Record:
    """Nobody wants fewer than the minimum size: who set desired capacity so low took of what the roll had added."""
    taken = min(added_by(record), fleet.minimum - (fleet.desired - added_by(record)))
    return replace(record, lowered=record.lowered + taken) if taken > 0 else record


def added_by(record: Record) -> int:
    """By how much the roll has raised desired capacity."""
    return len(record.attached) + record.raised - len(record.decremented) - record.lowered


def _filled(fleet: Fleet, record: Record) -> Mapping[str, tuple[str, ...]]:
    """With the launches whose answer was lost and whose instances are all there."""
    if len(record.filled) == len(record.slots):
        return record.filled
    seen: dict[str, tuple[str, ...]] = {}
    for each in fleet.instances:
        if (slot := slot_of(each, record)) is not None:
            seen[str(slot)] = (*seen.get(str(slot), ()), each.id)
    whole = {n: ids for n, ids in seen.items() if n not in record.filled and len(ids) == record.slots[int(n)].count}
    return {**record.filled, **whole} if whole else record.filled


def _lowered(fleet: Fleet, record: Record) -> int:
    """By how much a lowering whose answer was lost has lowered: desired capacity is nearer to what it was set to."""
    if record.lowering is None:
        return 0
    seen, to = record.lowering
    return seen - to if fleet.desired - to < seen - fleet.desired else 0


def _raised(fleet: Fleet, record: Record) -> int:
    """By how much a raising whose answer was lost has raised, in the same way."""
    if record.raising is None:
        return 0
    seen, to = record.raising
    return to - seen if to - fleet.desired < fleet.desired - seen else 0


def _died_unattached(fleet: Fleet, record: Record) -> set[str]:
    """Of an attach whose answer was lost, those that died so early that desired capacity was not raised for them."""
    if record.attaching is None:
        return set()
    seen, ids = record.attaching
    found = {each: fleet.find(each) for each in ids}
    gone = [each for each, it in found.items() if it is None or not (it.is_alive or it.lifecycle)]
    members = sum(1 for it in found.values() if it and it.lifecycle)
    return set(gone[max(0, fleet.desired - seen - members) :])


def _left_by_themselves(fleet: Fleet, record: Record) -> set[str]:
    """Of a leaving whose answer was lost, those with whom desired capacity was not lowered."""
    if record.leaving is None:
        return set()
    seen, ids = record.leaving
    members = {each.id for each in fleet.members}
    return set([each for each in ids if each not in members][max(0, seen - fleet.desired) :])

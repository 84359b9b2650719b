"""Where a roll stands: what the fleet shows, read with the record. Pure.

What others want of the fleet is its desired capacity without what this roll has added to it. Attaching, raising and
returning raise desired capacity, leaving with decrement and lowering lower it; the record names each before it is
done, and the fleet tells whether it was. So capacity that others changed meanwhile is seen, whatever happened to us.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet, Instance
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record

UNSEEN_SECONDS = 60.0
"""AWS may not show an instance for a while after it launched it; so long it is waited for."""
STALE_SECONDS = 5.0
"""So old may be what a group says of itself. Where nobody can tell whether something was done to it, for no answer came
or a process died, it is believed so long afterwards."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`right` instances are those that are to serve, `wrong` those that are to go, both alive.
    `is_twin_home`: the right ones are in the second group.

    `wanted` is the capacity that others ask for; `target` how many right ones there are to be in the end. `open_slots`
    are the launches whose instances are not known, `coming` how many instances are on their way from all launches;
    `silent` launches that something may yet come of that is not wanted.
    """

    surge: int
    wanted: int
    target: int
    right: tuple[Instance, ...]
    wrong: tuple[Instance, ...]
    is_twin_home: bool
    open_slots: tuple[int, ...]
    unseen: tuple[str, ...]
    silent: tuple[str, ...]
    coming: int
    deaths: tuple[Instance, ...]


def standing(fleet: Fleet, record: Record, memory: Memory, now: float) -> Standing:
    """Read a settled record with the fleet."""
    surge = surge_of(record)
    wanted = fleet.desired - surge
    chosen, found = frozenset(record.retiring), frozenset(record.found.members)
    is_twin_home = _is_twin_home(fleet, record)
    may_be = [each for each in fleet.instances if each.id not in chosen]
    right = tuple(each for each in may_be if _is_right(each, record, found, is_twin_home=is_twin_home))
    is_right = {each.id for each in right}
    first = record.back_from or 0
    seen = _seen(fleet, record)
    empty = [n for n in range(first, len(record.slots)) if str(n) not in record.filled]
    named = [each.id for each in fleet.instances if not each.image and (each.is_member or each.is_in_twin)]
    unseen = (*named, *(each for each in record.launched if _is_unseen(each, fleet, record, memory, now)))
    return Standing(
        surge=surge,
        wanted=wanted,
        target=_target(record, wanted),
        right=right,
        is_twin_home=is_twin_home,
        wrong=tuple(each for each in fleet.instances if each.id not in is_right and _is_wrong(each, record)),
        open_slots=tuple(empty),
        unseen=unseen,
        silent=tuple(_silent(fleet, record, memory, now)),
        coming=len(unseen) + sum(record.slots[n].count - seen[n] for n in empty),
        deaths=tuple(
            each
            for each in fleet.instances
            if not each.is_alive and _slot_number(each, record) >= first and each.id not in record.retiring
        ),
    )


def _target(record: Record, wanted: int) -> int:
    """Backing out where nothing can be launched: no more than there were."""
    found = record.found
    return wanted if record.stage == "forward" or found.is_launchable else min(wanted, len(found.members))


def slot_of(instance: Instance, record: Record) -> int | None:
    """The number of this roll's launch that made the instance; None where this roll did not."""
    if instance.tags.get(ROLL_TAG) != record.id or SLOT_TAG not in instance.tags:
        return None
    return int(instance.tags[SLOT_TAG])


def _slot_number(instance: Instance, record: Record) -> int:
    slot = slot_of(instance, record)
    return -1 if slot is None else slot


def _seen(fleet: Fleet, record: Record) -> Mapping[int, int]:
    """How many instances of each launch the fleet shows."""
    return Counter(_slot_number(each, record) for each in fleet.instances)


def settled(fleet: Fleet, record: Record) -> Record:
    """The record without what it announced and the fleet shows not to have been done.

    An instance outside the group was not attached, a member not retired, desired capacity that is as it was
    not lowered. Each is announced again when it is due again. To be written down at once: it reads desired
    capacity, which others change.
    """
    loose = {
        each.id for each in fleet.instances if each.is_alive and (not each.lifecycle or _is_kept(each, record))
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


def _is_kept(instance: Instance, record: Record) -> bool:
    """Whether it stands by for a roll, and was not brought back; what somebody else has stand by was a member."""
    return instance.is_standing_by and instance.id in record.soaked


def _bounded(fleet: Fleet, record: Record) -> Record:
    """Nobody wants fewer than the minimum size: who set desired capacity so low took of what the roll had added."""
    taken = min(surge_of(record), fleet.minimum - (fleet.desired - surge_of(record)))
    return replace(record, lowered=record.lowered + taken) if taken > 0 else record


def surge_of(record: Record) -> int:
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


def _is_twin_home(fleet: Fleet, record: Record) -> bool:
    """Of a blue-green roll; nothing is made where the group is whole already."""
    is_switched = record.group != record.found.group
    if record.strategy != "blue-green" or record.stage != "forward":
        return record.strategy == "blue-green" and is_switched
    is_whole = fleet.image == record.image and all(each.image in (record.image, "") for each in fleet.members)
    return not is_switched and not is_whole


def _is_right(instance: Instance, record: Record, found: frozenset[str], *, is_twin_home: bool) -> bool:
    if not instance.is_alive or not instance.image:
        return False
    if record.strategy == "blue-green":
        is_home = instance.is_in_twin and not instance.lifecycle if is_twin_home else instance.is_member
        return is_home and (record.stage == "back" or instance.image == record.image)
    slot = slot_of(instance, record)
    if record.stage == "forward":
        return instance.image == record.image and (instance.is_member or (slot is not None and not instance.lifecycle))
    if slot is not None and slot >= (record.back_from or 0):
        return instance.is_member or not instance.lifecycle
    return instance.is_member and not _is_of_the_goal(instance, record, found)


def _is_wrong(instance: Instance, record: Record) -> bool:
    if not instance.is_alive or not instance.image or instance.lifecycle.startswith("Terminating"):
        return False
    is_loose = instance.is_in_twin or instance.tags.get(ROLL_TAG) in record.rolls
    return instance.is_member or (not instance.lifecycle and is_loose)


def _is_of_the_goal(instance: Instance, record: Record, found: frozenset[str]) -> bool:
    """Backing out: whether the instance came with the release that is taken away."""
    if slot_of(instance, record) is not None:
        return True
    is_new = instance.id not in found
    return is_new and instance.image in (record.image, *record.others) and instance.image != record.found.image


def _silent(fleet: Fleet, record: Record, memory: Memory, now: float) -> Iterator[str]:
    """Launches without a known instance, until AWS had the time to show it."""
    shown = {(each.tags.get(ROLL_TAG), each.tags.get(SLOT_TAG)) for each in fleet.instances} if record.silent else ()
    for roll, slot in record.silent:
        if (roll, slot) not in shown and now - memory.began < UNSEEN_SECONDS:
            yield f"launch {slot} of roll {roll}"


def _is_unseen(identifier: str, fleet: Fleet, record: Record, memory: Memory, now: float) -> bool:
    if fleet.find(identifier) or identifier in record.retiring:
        return False
    return now - memory.waiting.get(identifier, now) < UNSEEN_SECONDS

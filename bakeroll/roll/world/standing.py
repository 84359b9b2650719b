"""Where a roll stands: what the fleet shows, read with the record. Pure.

What others want of the fleet is its desired capacity without what this roll has added to it, which the record's ledger
tells (`state/capacity.py`). So capacity that others changed meanwhile is seen, whatever happened to us.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet, Instance
from bakeroll.roll.state.ids import without
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
    surge = record.capacity.added
    wanted = fleet.desired - surge
    chosen, found = frozenset(record.retiring), frozenset(record.found.members)
    is_twin_home = _is_twin_home(fleet, record)
    may_be = [each for each in fleet.instances if each.id not in chosen]
    right = tuple(each for each in may_be if _is_right(each, record, found, is_twin_home=is_twin_home))
    is_right = {each.id for each in right}
    launches = record.launches
    seen = _seen(fleet, record)
    named = [each.id for each in fleet.instances if not each.image and (each.is_member or each.is_in_twin)]
    unseen = (*named, *(each for each in launches.instances if _is_unseen(each, fleet, record, memory, now)))
    return Standing(
        surge=surge,
        wanted=wanted,
        target=_target(record, wanted),
        right=right,
        is_twin_home=is_twin_home,
        wrong=tuple(each for each in fleet.instances if each.id not in is_right and _is_wrong(each, record)),
        open_slots=launches.open,
        unseen=unseen,
        silent=tuple(_silent(fleet, record, memory, now)),
        coming=len(unseen) + sum(launches.slots[n].count - seen[n] for n in launches.open),
        deaths=tuple(
            each
            for each in fleet.instances
            if not each.is_alive
            and _slot_number(each, record) >= launches.wanted_from
            and each.id not in record.retiring
        ),
    )


def _target(record: Record, wanted: int) -> int:
    """Backing out where nothing can be launched: no more than there were."""
    found = record.found
    return wanted if record.stage == "forward" or found.is_launchable else min(wanted, len(found.members))


def _slot_number(instance: Instance, record: Record) -> int:
    slot = record.slot_of(instance)
    return -1 if slot is None else slot


def _seen(fleet: Fleet, record: Record) -> Mapping[int, int]:
    """How many instances of each launch the fleet shows."""
    return Counter(_slot_number(each, record) for each in fleet.instances)


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


def _is_twin_home(fleet: Fleet, record: Record) -> bool:
    """Of a blue-green roll; nothing is made where the group is whole already."""
    is_switched = record.group != record.found.group
    if record.intended.strategy != "blue-green" or record.stage != "forward":
        return record.intended.strategy == "blue-green" and is_switched
    is_whole = fleet.image == record.intended.image and all(
        each.image in (record.intended.image, "") for each in fleet.members
    )
    return not is_switched and not is_whole


def _is_right(instance: Instance, record: Record, found: frozenset[str], *, is_twin_home: bool) -> bool:
    if not instance.is_alive or not instance.image:
        return False
    if record.intended.strategy == "blue-green":
        is_home = instance.is_in_twin and not instance.lifecycle if is_twin_home else instance.is_member
        return is_home and (record.stage == "back" or instance.image == record.intended.image)
    slot = record.slot_of(instance)
    if record.stage == "forward":
        return instance.image == record.intended.image and (
            instance.is_member or (slot is not None and not instance.lifecycle)
        )
    if slot is not None and slot >= record.launches.wanted_from:
        return instance.is_member or not instance.lifecycle
    return instance.is_member and not _is_of_the_goal(instance, record, found)


def _is_wrong(instance: Instance, record: Record) -> bool:
    if not instance.is_alive or not instance.image or instance.lifecycle.startswith("Terminating"):
        return False
    is_loose = instance.is_in_twin or instance.tags.get(ROLL_TAG) in record.rolls
    return instance.is_member or (not instance.lifecycle and is_loose)


def _is_of_the_goal(instance: Instance, record: Record, found: frozenset[str]) -> bool:
    """Backing out: whether the instance came with the release that is taken away."""
    if record.slot_of(instance) is not None:
        return True
    is_new = instance.id not in found
    return (
        is_new
        and instance.image in (record.intended.image, *record.previous.images)
        and instance.image != record.found.image
    )


def _silent(fleet: Fleet, record: Record, memory: Memory, now: float) -> Iterator[str]:
    """Launches without a known instance, until AWS had the time to show it."""
    shown = {(each.tags.get(ROLL_TAG), each.tags.get(SLOT_TAG)) for each in fleet.instances} if record.silent else ()
    for launch in record.silent:
        if (launch.roll, launch.slot) not in shown and now - memory.began < UNSEEN_SECONDS:
            yield f"launch {launch.slot} of roll {launch.roll}"


def _is_unseen(identifier: str, fleet: Fleet, record: Record, memory: Memory, now: float) -> bool:
    if fleet.find(identifier) or identifier in record.retiring:
        return False
    return now - memory.waiting.get(identifier, now) < UNSEEN_SECONDS

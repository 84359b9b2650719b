"""Which launches of a roll the fleet does not show yet. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record
from bakeroll.roll.view.roles import slot_of

UNSEEN_SECONDS = 60.0
"""How long an instance is waited for that AWS launched and does not show yet."""


@dataclass(frozen=True, slots=True)
class Launches:
    """`unanswered` are the numbers of launches whose instances are not known, `unseen` the ids of instances that AWS
    does not show yet, `coming` how many instances are on their way from both.

    `unwanted` names launches whose answer is not known and whose instances are to be taken away as soon as they show.
    """

    unanswered: tuple[int, ...]
    unseen: tuple[str, ...]
    coming: int
    unwanted: tuple[str, ...]


def launches(fleet: Fleet, record: Record, memory: Memory, now: float) -> Launches:
    """Read a settled record with the fleet; `now` is in monotonic seconds."""
    unanswered = [n for n in range(record.back_from or 0, len(record.slots)) if str(n) not in record.filled]
    shown = Counter(slot_of(each, record) for each in fleet.instances)
    named = [each.id for each in fleet.instances if not each.identity and (each.is_member or each.is_in_twin)]
    unseen = (*named, *(each for each in record.launched if _is_unseen(each, fleet, record, memory, now)))
    return Launches(
        unanswered=tuple(unanswered),
        unseen=unseen,
        coming=len(unseen) + sum(record.slots[n].count - shown[n] for n in unanswered),
        unwanted=tuple(_unwanted(fleet, record, memory, now)),
    )


def _unwanted(fleet: Fleet, record: Record, memory: Memory, now: float) -> Iterator[str]:
    """Until AWS had the time to show their instances."""
    shown = {(each.tags.get(ROLL_TAG), each.tags.get(SLOT_TAG)) for each in fleet.instances} if record.silent else ()
    for roll, slot in record.silent:
        if (roll, slot) not in shown and now - memory.began < UNSEEN_SECONDS:
            yield f"launch {slot} of roll {roll}"


def _is_unseen(identifier: str, fleet: Fleet, record: Record, memory: Memory, now: float) -> bool:
    if fleet.find(identifier) or identifier in record.retiring:
        return False
    return now - memory.waiting.get(identifier, now) < UNSEEN_SECONDS

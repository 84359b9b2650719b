"""The instances that a roll launched and that the fleet does not show yet. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record

UNSEEN_SECONDS = 60.0
"""How long a roll waits for AWS to show an instance that it launched."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """The requests and instances that a roll waits for."""

    requests: tuple[int, ...]
    """The numbers of the wanted requests whose instances are not known."""
    instances: tuple[str, ...]
    """The ids of instances that the group or an answer names, but that EC2 does not show yet."""
    coming: int
    """How many instances are to come from both."""
    unwanted: tuple[str, ...]
    """The names of unwanted requests without an answer. The roll terminates their instances when EC2 shows them."""


def unseen(fleet: Fleet, record: Record, memory: Memory, now: float) -> Unseen:
    """What the fleet does not show of a settled record. `now` is in monotonic seconds."""
    launches = record.launches
    shown = Counter(record.slot_of(each) for each in fleet.instances)
    named = [each.id for each in fleet.instances if not each.identity and (each.is_member or each.is_in_twin)]
    ids = (*named, *(each for each in launches.instances if _is_unseen(each, fleet, record, memory, now)))
    return Unseen(
        requests=launches.open,
        instances=ids,
        coming=len(ids) + sum(launches.slots[n].count - shown[n] for n in launches.open),
        unwanted=tuple(_unwanted(fleet, record, memory, now)),
    )


def _unwanted(fleet: Fleet, record: Record, memory: Memory, now: float) -> Iterator[str]:
    """The unwanted requests, until AWS has had the time to show their instances."""
    shown = {(each.tags.get(ROLL_TAG), each.tags.get(SLOT_TAG)) for each in fleet.instances} if record.silent else ()
    for launch in record.silent:
        if (launch.roll, launch.slot) not in shown and now - memory.began < UNSEEN_SECONDS:
            yield f"launch {launch.slot} of roll {launch.roll}"


def _is_unseen(identifier: str, fleet: Fleet, record: Record, memory: Memory, now: float) -> bool:
    if fleet.find(identifier) or identifier in record.retiring:
        return False
    return now - memory.waiting.get(identifier, now) < UNSEEN_SECONDS

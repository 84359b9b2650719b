"""What a roll launches by itself: the requests, written down before they are made, and what came of each. Pure."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet, Instance, Subnet
from bakeroll.roll.state.form import MOST, Count

Position = Annotated[int, Field(ge=0, le=MOST)]
"""Of a request among those of its roll."""


@dataclass(frozen=True, slots=True)
class RecordedSlot:
    """One request for instances."""

    template_version: str
    """The launch template version that they are launched from."""
    subnet: Subnet
    count: Count = 1
    """How many: all of them or none."""
    instances: tuple[str, ...] | None = None
    """Those that were launched; None while that is not known."""


@dataclass(frozen=True, slots=True)
class LaunchTag:
    """Which roll's request an instance came from, as its tags tell."""

    roll: str
    slot: str


@dataclass(frozen=True, slots=True)
class Launches:
    """The requests of one roll, and those of the rolls before it whose answers nobody heard."""

    slots: tuple[RecordedSlot, ...] = ()
    """The requests in their order; an instance is tagged with the number of its own."""
    wanted_from: Position = 0
    """The first request that is wanted: a roll that backs out wants none of those that it made before."""
    unheard: tuple[LaunchTag, ...] = ()
    """Requests of rolls before this one that may have launched what AWS does not show yet."""

    @property
    def instances(self) -> tuple[str, ...]:
        """All that are known to have been launched by this roll."""
        return tuple(each for slot in self.slots for each in slot.instances or ())

    @property
    def wanted(self) -> tuple[str, ...]:
        """Those of them that are wanted."""
        return tuple(each for slot in self.slots[self.wanted_from :] for each in slot.instances or ())

    @property
    def open(self) -> tuple[int, ...]:
        """The numbers of the wanted requests whose instances are not known."""
        return tuple(n for n in range(self.wanted_from, len(self.slots)) if self.slots[n].instances is None)

    def slot_with(self, instance: str) -> RecordedSlot | None:
        """The request that launched it, as far as that is known."""
        return next((each for each in self.slots if instance in (each.instances or ())), None)

    def silent(self, roll: str) -> tuple[LaunchTag, ...]:
        """The requests that are not wanted and whose answers nobody heard; `roll` is the one that they are of."""
        return self._unheard(roll, self.wanted_from)

    def with_instances(self, number: int, ids: tuple[str, ...]) -> "Launches":
        """With the answer to a request."""
        return self._with_slot(number, replace(self.slots[number], instances=ids))

    def with_none(self, number: int) -> "Launches":
        """With a request that launched nothing, and is not made again."""
        return self._with_slot(number, replace(self.slots[number], count=0, instances=()))

    def given_up(self) -> "Launches":
        """None of the requests so far is wanted."""
        return replace(self, wanted_from=len(self.slots))

    def of_dead(self, roll: str) -> "Launches":
        """For the roll that takes over from this one: nothing launched, and all that was not heard of."""
        return Launches(unheard=self._unheard(roll, len(self.slots)))

    def settled(self, fleet: Fleet, roll: str) -> "Launches":
        """With the requests whose answer was lost and whose instances are all there."""
        if all(each.instances is not None for each in self.slots):
            return self
        shown: defaultdict[int, list[str]] = defaultdict(list)
        for each in fleet.instances:
            if (number := slot_of(each, roll)) is not None:
                shown[number].append(each.id)
        return replace(self, slots=tuple(_filled(each, shown.get(n, [])) for n, each in enumerate(self.slots)))

    def _unheard(self, roll: str, until: int) -> tuple[LaunchTag, ...]:
        mine = (LaunchTag(roll, str(n)) for n, each in enumerate(self.slots[:until]) if each.instances is None)
        return (*self.unheard, *mine)

    def _with_slot(self, number: int, slot: RecordedSlot) -> "Launches":
        return replace(self, slots=(*self.slots[:number], slot, *self.slots[number + 1 :]))


def slot_of(instance: Instance, roll: str) -> int | None:
    """The number of the roll's request that launched the instance; None where none did."""
    if instance.tags.get(ROLL_TAG) != roll or SLOT_TAG not in instance.tags:
        return None
    return int(instance.tags[SLOT_TAG])


def _filled(slot: RecordedSlot, shown: list[str]) -> RecordedSlot:
    is_whole = slot.instances is None and shown and len(shown) == slot.count
    return replace(slot, instances=tuple(shown)) if is_whole else slot

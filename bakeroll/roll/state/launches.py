"""The launches of a roll: its requests, which it records before it sends them, and the instances of each. Pure."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet, Instance, Subnet
from bakeroll.roll.state.form import MOST, Count

Position = Annotated[int, Field(ge=0, le=MOST)]
"""The number of a request among the requests of its roll."""


@dataclass(frozen=True, slots=True)
class RecordedSlot:
    """One request for instances."""

    template_version: str
    """The launch template version that the instances are launched from."""
    subnet: Subnet
    count: Count = 1
    """How many instances. AWS launches all of them or none."""
    instances: tuple[str, ...] | None = None
    """The launched instances. None while they are not known."""


@dataclass(frozen=True, slots=True)
class LaunchTag:
    """The roll and the request that an instance came from, as its tags say."""

    roll: str
    slot: str


@dataclass(frozen=True, slots=True)
class Launches:
    """The requests of one roll, and the requests of earlier rolls whose answers were lost."""

    slots: tuple[RecordedSlot, ...] = ()
    """The requests in their order. A tag of each instance holds the number of its request."""
    wanted_from: Position = 0
    """The number of the first wanted request. A roll that backs out wants none of its earlier requests."""
    unheard: tuple[LaunchTag, ...] = ()
    """Requests of earlier rolls that may have launched instances that AWS does not show yet."""

    @property
    def instances(self) -> tuple[str, ...]:
        """All known instances that this roll launched."""
        return tuple(each for slot in self.slots for each in slot.instances or ())

    @property
    def wanted(self) -> tuple[str, ...]:
        """The known instances of the wanted requests."""
        return tuple(each for slot in self.slots[self.wanted_from :] for each in slot.instances or ())

    @property
    def open(self) -> tuple[int, ...]:
        """The numbers of the wanted requests whose instances are not known yet."""
        return tuple(n for n in range(self.wanted_from, len(self.slots)) if self.slots[n].instances is None)

    def slot_with(self, instance: str) -> RecordedSlot | None:
        """The request that launched the instance, or None if that is not known."""
        return next((each for each in self.slots if instance in (each.instances or ())), None)

    def silent(self, roll: str) -> tuple[LaunchTag, ...]:
        """The requests that are not wanted and whose answers were lost. `roll` is the id of this roll."""
        return self._unheard(roll, self.wanted_from)

    def with_instances(self, number: int, ids: tuple[str, ...]) -> "Launches":
        """The launches after the answer to a request."""
        return self._with_slot(number, replace(self.slots[number], instances=ids))

    def with_none(self, number: int) -> "Launches":
        """The launches after a request that launched nothing and is not repeated."""
        return self._with_slot(number, replace(self.slots[number], count=0, instances=()))

    def given_up(self) -> "Launches":
        """The launches if none of the requests so far is wanted."""
        return replace(self, wanted_from=len(self.slots))

    def of_dead(self, roll: str) -> "Launches":
        """The launches of the roll that takes over from this one: only the requests whose answers were lost."""
        return Launches(unheard=self._unheard(roll, len(self.slots)))

    def settled(self, fleet: Fleet, roll: str) -> "Launches":
        """The launches, completed by the requests without an answer whose instances the fleet shows in full."""
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
    """The number of the roll's request that launched the instance, or None if none did."""
    if instance.tags.get(ROLL_TAG) != roll or SLOT_TAG not in instance.tags:
        return None
    return int(instance.tags[SLOT_TAG])


def _filled(slot: RecordedSlot, shown: list[str]) -> RecordedSlot:
    is_whole = slot.instances is None and shown and len(shown) == slot.count
    return replace(slot, instances=tuple(shown)) if is_whole else slot

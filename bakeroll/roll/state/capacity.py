"""The capacity ledger: by how much a roll has changed its group's desired capacity. Pure.

What others want of the fleet is desired capacity without what the roll added to it. Attaching, raising and returning
add; leaving with decrement and lowering take away. Each change is announced in the ledger before it is made. Where its
answer is lost, the group shows whether it was made, and `settled` books it or drops it. So the ledger is right whatever
happened to the process, and a change that others made meanwhile is told from the roll's own.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from bakeroll.fleet import Fleet
from bakeroll.roll.state.form import Count
from bakeroll.roll.state.ids import united, without


@dataclass(frozen=True, slots=True)
class Resize:
    """An announced change of desired capacity by a number."""

    seen: Count
    """Desired capacity right before."""
    to: Count
    """Desired capacity right after."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Instances that are announced to enter the group or to leave it, each with one of desired capacity."""

    seen: Count
    """Desired capacity right before."""
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The ledger of one group. What an announcement names may or may not have been done."""

    attached: tuple[str, ...] = ()
    """Instances that entered the group by the roll, each of which raised desired capacity by one."""
    decremented: tuple[str, ...] = ()
    """Instances that left the group by the roll, each of which lowered desired capacity by one."""
    raised: Count = 0
    """By how much it was raised apart from attaching."""
    lowered: Count = 0
    """By how much it was lowered apart from leaving."""
    maxima: tuple[Count, ...] = ()
    """All maximum sizes that the roll set, by which it knows its own again."""
    attaching: Transfer | None = None
    """An attach that was announced; its instances are among the `attached` already."""
    leaving: Transfer | None = None
    """A leaving that was announced; its instances are among the `decremented` already."""
    raising: Resize | None = None
    """A raise that was announced, not yet part of `raised`."""
    lowering: Resize | None = None
    """A lowering that was announced, not yet part of `lowered`."""

    @property
    def added(self) -> int:
        """By how much the roll has raised desired capacity, all in all."""
        return len(self.attached) + self.raised - len(self.decremented) - self.lowered

    def with_attach(self, seen: int, ids: tuple[str, ...]) -> "Capacity":
        """With an attach announced."""
        return replace(self, attached=united(self.attached, ids), attaching=Transfer(seen, ids))

    def with_return(self, ids: Collection[str]) -> "Capacity":
        """With instances announced to come back from Standby. Those that left with decrement bring that back."""
        return replace(self, attached=united(self.attached, without(tuple(ids), self.decremented)))

    def with_leaving(self, seen: int, ids: tuple[str, ...]) -> "Capacity":
        """With a leaving announced that takes desired capacity along."""
        return replace(self, decremented=united(self.decremented, ids), leaving=Transfer(seen, ids) if ids else None)

    def with_left_over(self, ids: Collection[str]) -> "Capacity":
        """With the capacity of attached instances left to others: these stand by without it, and may return."""
        given = set(ids) & set(self.attached)
        return replace(self, attached=without(self.attached, given), raised=self.raised + len(given))

    def with_raise(self, seen: int, to: int) -> "Capacity":
        """With a raise announced."""
        return replace(self, raising=Resize(seen, to))

    def with_lowering(self, seen: int, to: int) -> "Capacity":
        """With a lowering announced."""
        return replace(self, lowering=Resize(seen, to))

    def with_maximum(self, maximum: int) -> "Capacity":
        """With a maximum size announced."""
        return replace(self, maxima=(*self.maxima, maximum))

    def after_attach(self) -> "Capacity":
        """The attach was answered."""
        return replace(self, attaching=None)

    def after_raise(self, by: int) -> "Capacity":
        """The raise was answered; 0 where it was not made after all."""
        return replace(self, raising=None, raised=self.raised + by)

    def after_lowering(self, by: int) -> "Capacity":
        """The lowering was answered; 0 where it was not made after all."""
        return replace(self, lowering=None, lowered=self.lowered + by)

    def after_leaving(self, ids: Collection[str]) -> "Capacity":
        """These are known to have left, with desired capacity where that was announced."""
        if self.leaving is None:
            return self
        gone, left = without(self.leaving.ids, ids), self.leaving.ids
        seen = self.leaving.seen - (len(left) - len(gone))
        return replace(self, leaving=Transfer(seen, gone) if gone else None)

    def for_another_group(self) -> "Capacity":
        """Nothing was added to the group that takes over."""
        return replace(self, attached=(), decremented=(), raised=0, lowered=0)

    def settled(self, fleet: Fleet, soaking: Collection[str]) -> "Capacity":
        """The ledger without what was announced and the fleet shows not to have been done.

        An instance outside the group was not attached, nor is one of those `soaking` that still stands by; a member did
        not leave. To be written down at once: it reads desired capacity, which others change.
        """
        kept, alive = set(soaking), [each for each in fleet.instances if each.is_alive]
        outside = {each.id for each in alive if not each.lifecycle or (each.is_standing_by and each.id in kept)}
        members = {each.id for each in fleet.members}
        settled = replace(
            self,
            attached=without(self.attached, outside | self._died_unattached(fleet)),
            decremented=without(self.decremented, members | self._left_by_themselves(fleet)),
            raised=self.raised + self._raised(fleet),
            lowered=self.lowered + self._lowered(fleet),
            attaching=None,
            leaving=None,
            raising=None,
            lowering=None,
        )
        return settled._bounded(fleet)

    def _bounded(self, fleet: Fleet) -> "Capacity":
        """Nobody wants fewer than the minimum size: who set desired capacity so low took of what the roll had added."""
        taken = min(self.added, fleet.minimum - (fleet.desired - self.added))
        return replace(self, lowered=self.lowered + taken) if taken > 0 else self

    def _raised(self, fleet: Fleet) -> int:
        """By how much a raise without an answer has raised: desired capacity is nearer to what it was set to."""
        if self.raising is None:
            return 0
        seen, to = self.raising.seen, self.raising.to
        return to - seen if to - fleet.desired < fleet.desired - seen else 0

    def _lowered(self, fleet: Fleet) -> int:
        """By how much a lowering without an answer has lowered, in the same way."""
        if self.lowering is None:
            return 0
        seen, to = self.lowering.seen, self.lowering.to
        return seen - to if fleet.desired - to < seen - fleet.desired else 0

    def _died_unattached(self, fleet: Fleet) -> set[str]:
        """Of an attach without an answer, those that died so early that desired capacity was not raised for them."""
        if self.attaching is None:
            return set()
        found = {each: fleet.find(each) for each in self.attaching.ids}
        gone = [each for each, it in found.items() if it is None or not (it.is_alive or it.lifecycle)]
        members = sum(1 for it in found.values() if it and it.lifecycle)
        return set(gone[max(0, fleet.desired - self.attaching.seen - members) :])

    def _left_by_themselves(self, fleet: Fleet) -> set[str]:
        """Of a leaving without an answer, those with whom desired capacity was not lowered."""
        if self.leaving is None:
            return set()
        members = {each.id for each in fleet.members}
        gone = without(self.leaving.ids, members)
        return set(gone[max(0, self.leaving.seen - fleet.desired) :])

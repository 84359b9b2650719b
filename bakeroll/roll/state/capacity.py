"""The capacity ledger: by how much a roll has changed its group's desired capacity. Pure.

The capacity that others ask for is desired capacity without what the roll added. An attach, a raise and a return from
Standby add capacity. A leaving with decrement and a lowering take capacity away. The ledger announces each change
before the roll makes it. If the answer is lost, the group shows whether the change was made, and `settled` books it or
drops it. So the ledger is right even after a crash, and it separates the roll's changes from those of others.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from bakeroll.fleet import Fleet
from bakeroll.roll.state.form import Count
from bakeroll.roll.state.ids import united, without


@dataclass(frozen=True, slots=True)
class Resize:
    """An announced change of desired capacity."""

    seen: Count
    """Desired capacity before the change."""
    to: Count
    """Desired capacity after the change."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Instances that an announcement moves into the group or out of it. Each changes desired capacity by one."""

    seen: Count
    """Desired capacity before the change."""
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The ledger of one group. An announced change may or may not have happened."""

    attached: tuple[str, ...] = ()
    """Instances that the roll brought into the group. Each raised desired capacity by one."""
    decremented: tuple[str, ...] = ()
    """Instances that the roll took out of the group. Each lowered desired capacity by one."""
    raised: Count = 0
    """By how much the roll raised desired capacity without an attach."""
    lowered: Count = 0
    """By how much the roll lowered desired capacity without a leaving."""
    maxima: tuple[Count, ...] = ()
    """All maximum sizes that the roll set. They tell its own changes from those of others."""
    attaching: Transfer | None = None
    """An announced attach. Its instances are already in `attached`."""
    leaving: Transfer | None = None
    """An announced leaving. Its instances are already in `decremented`."""
    raising: Resize | None = None
    """An announced raise that `raised` does not contain yet."""
    lowering: Resize | None = None
    """An announced lowering that `lowered` does not contain yet."""

    @property
    def added(self) -> int:
        """By how much the roll has raised desired capacity in total."""
        return len(self.attached) + self.raised - len(self.decremented) - self.lowered

    def with_attach(self, desired: int, ids: tuple[str, ...]) -> "Capacity":
        """The ledger that announces this attach."""
        return replace(self, attached=united(self.attached, ids), attaching=Transfer(desired, ids))

    def with_return(self, ids: Collection[str]) -> "Capacity":
        """The ledger that announces a return from Standby.

        An instance that left with decrement raises desired capacity by that one again.
        """
        return replace(self, attached=united(self.attached, without(tuple(ids), self.decremented)))

    def with_leaving(self, desired: int, ids: tuple[str, ...]) -> "Capacity":
        """The ledger that announces a leaving with decrement."""
        return replace(self, decremented=united(self.decremented, ids), leaving=Transfer(desired, ids) if ids else None)

    def with_left_over(self, ids: Collection[str]) -> "Capacity":
        """The ledger after attached instances entered Standby without decrement. The group keeps their capacity."""
        given = set(ids) & set(self.attached)
        return replace(self, attached=without(self.attached, given), raised=self.raised + len(given))

    def with_raise(self, desired: int, to: int) -> "Capacity":
        """The ledger that announces this raise."""
        return replace(self, raising=Resize(desired, to))

    def with_lowering(self, desired: int, to: int) -> "Capacity":
        """The ledger that announces this lowering."""
        return replace(self, lowering=Resize(desired, to))

    def with_maximum(self, maximum: int) -> "Capacity":
        """The ledger that announces this maximum size."""
        return replace(self, maxima=(*self.maxima, maximum))

    def after_attach(self) -> "Capacity":
        """The ledger after the answer to the attach."""
        return replace(self, attaching=None)

    def after_raise(self, by: int) -> "Capacity":
        """The ledger after the answer to the raise. `by` is 0 if it was not made."""
        return replace(self, raising=None, raised=self.raised + by)

    def after_lowering(self, by: int) -> "Capacity":
        """The ledger after the answer to the lowering. `by` is 0 if it was not made."""
        return replace(self, lowering=None, lowered=self.lowered + by)

    def after_leaving(self, ids: Collection[str]) -> "Capacity":
        """The ledger after these instances left the group, with decrement if the ledger announced that."""
        if self.leaving is None:
            return self
        gone, left = without(self.leaving.ids, ids), self.leaving.ids
        before = self.leaving.seen - (len(left) - len(gone))
        return replace(self, leaving=Transfer(before, gone) if gone else None)

    def for_another_group(self) -> "Capacity":
        """The ledger for the group that takes over: the roll added nothing to it."""
        return replace(self, attached=(), decremented=(), raised=0, lowered=0)

    def settled(self, fleet: Fleet, soaking: Collection[str]) -> "Capacity":
        """The ledger without the announced changes that the fleet shows not to have happened.

        An instance outside the group was not attached. Nor was an instance of `soaking` that is still in Standby. A
        member did not leave. Write the result at once, because others may change desired capacity, which it reads.
        """
        alive = [each for each in fleet.instances if each.is_alive]
        outside = {each.id for each in alive if not each.lifecycle or (each.is_standing_by and each.id in soaking)}
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
        return _bounded(settled, fleet)

    def _raised(self, fleet: Fleet) -> int:
        """By how much a raise without an answer raised: it was made if desired capacity is nearer to its goal."""
        if self.raising is None:
            return 0
        before, to = self.raising.seen, self.raising.to
        return to - before if to - fleet.desired < fleet.desired - before else 0

    def _lowered(self, fleet: Fleet) -> int:
        """By how much a lowering without an answer lowered, by the same rule."""
        if self.lowering is None:
            return 0
        before, to = self.lowering.seen, self.lowering.to
        return before - to if fleet.desired - to < before - fleet.desired else 0

    def _died_unattached(self, fleet: Fleet) -> set[str]:
        """The instances of an attach without an answer that died before they raised desired capacity."""
        if self.attaching is None:
            return set()
        found = {each: fleet.find(each) for each in self.attaching.ids}
        gone = [each for each, it in found.items() if it is None or not (it.is_alive or it.lifecycle)]
        members = sum(1 for it in found.values() if it and it.lifecycle)
        return set(gone[max(0, fleet.desired - self.attaching.seen - members) :])

    def _left_by_themselves(self, fleet: Fleet) -> set[str]:
        """The instances of a leaving without an answer that left without lowering desired capacity."""
        if self.leaving is None:
            return set()
        members = {each.id for each in fleet.members}
        gone = without(self.leaving.ids, members)
        return set(gone[max(0, self.leaving.seen - fleet.desired) :])


def _bounded(ledger: Capacity, fleet: Fleet) -> Capacity:
    """The ledger if others ask for no fewer than the minimum size.

    If they seem to ask for fewer, somebody set desired capacity so low and took capacity that the roll had added.
    """
    lost = min(ledger.added, fleet.minimum - (fleet.desired - ledger.added))
    return replace(ledger, lowered=ledger.lowered + lost) if lost > 0 else ledger

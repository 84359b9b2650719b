"""Where a roll is, in a few words, for the screen of its process and for `fab status`. Pure.

Some of it only the roll's process knows, such as how long it has watched its canaries. Its lease tells others.
"""

from dataclasses import dataclass
from math import ceil

from bakeroll.roll.engine.canary import canaries
from bakeroll.roll.state.amounts import canaries_of
from bakeroll.roll.view.view import View


@dataclass(frozen=True, slots=True)
class Phase:
    """`what` the roll does. If that takes a set time, `since` when (monotonic) and for how many `seconds`."""

    what: str
    since: float = 0
    seconds: float = 0

    def text(self, now: float) -> str:
        """The phase, with how much of its time has passed."""
        return f"{self.what} for {now - self.since:.0f} of {self.seconds:.0f} s" if self.seconds else self.what


def phase(view: View) -> Phase:
    """The canaries, AWS's refresh, or how many new instances serve and how many old ones are left."""
    if not view.is_forward:
        return Phase("backing out")
    if view.record.intended.strategy == "canary" and not view.record.is_watched:
        return _of_canaries(view)
    if view.record.refresh.id and view.fleet.refresh and not view.fleet.refresh.is_over:
        return Phase(f"instance refresh: {view.fleet.refresh.percent} % done")
    old = len(view.outgoing) + len(view.retiring)
    left = f", {old} old to go" if old else ""
    return Phase(f"{_batch(view)}{len(view.serving)} of {view.target} new in service{left}")


def _of_canaries(view: View) -> Phase:
    watched = canaries(view)
    if not watched:
        needed = min(view.target, canaries_of(view.policy, view.wanted))
        return Phase(f"canary: {len(view.serving)} of {needed} in service")
    since = view.now if view.memory.watched_since is None else view.memory.watched_since
    return Phase(f"canary: {len(watched)} of {view.target} watched", since, view.policy.canary.watch)


def _batch(view: View) -> str:
    """Which batch of how many, if a surge takes batches."""
    if view.record.intended.strategy != "surge" or not 0 < view.surge < view.target:
        return ""
    batches = ceil(view.target / view.surge)
    return f"batch {min(batches, len(view.serving) // view.surge + 1)} of {batches}: "

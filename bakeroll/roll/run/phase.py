"""Where a roll is, in a few words: for the screen of who leads it, and for the status of who looks on. Pure.

What only the leading process knows (for how long it watches its canaries) it tells the others by its lease's heartbeat.
"""

from dataclasses import dataclass
from math import ceil

from bakeroll.roll.engine.canary import canaries
from bakeroll.roll.engine.turn import Turn
from bakeroll.roll.state.amounts import canaries_of


@dataclass(frozen=True, slots=True)
class Phase:
    """`what` is going on; where it lasts a set time, since when (monotonic) and how many `seconds` it is to last."""

    what: str
    since: float = 0
    seconds: float = 0

    def told(self, now: float) -> str:
        """With how much of its time is over."""
        return f"{self.what} for {now - self.since:.0f} of {self.seconds:.0f} s" if self.seconds else self.what


def phase(turn: Turn) -> Phase:
    """The canaries, AWS's refresh, or how many new ones serve and how many old ones have not gone."""
    if not turn.is_forward:
        return Phase("takes its new instances away")
    if turn.record.strategy == "canary" and not turn.record.is_watched:
        return _of_canaries(turn)
    if turn.record.refresh and turn.fleet.refresh and not turn.fleet.refresh.is_over:
        return Phase(f"instance refresh: {turn.fleet.refresh.percent} % done")
    old = len(turn.at.wrong)
    left = f", {old} old to go" if old else ""
    return Phase(f"{_batch(turn)}{len(turn.serving)} of {turn.at.target} new in service{left}")


def _of_canaries(turn: Turn) -> Phase:
    watched = canaries(turn)
    if not watched:
        needed = min(turn.at.target, canaries_of(turn.policy, turn.at.wanted))
        return Phase(f"canary: {len(turn.serving)} of {needed} in service")
    since = turn.now if turn.memory.watched_since is None else turn.memory.watched_since
    return Phase(f"canary: {len(watched)} of {turn.at.target} watched", since, turn.policy.canary.watch)


def _batch(turn: Turn) -> str:
    """Which of how many, where a surge goes in batches."""
    if turn.record.strategy != "surge" or not 0 < turn.surge < turn.at.target:
        return ""
    batches = ceil(turn.at.target / turn.surge)
    return f"batch {min(batches, len(turn.serving) // turn.surge + 1)} of {batches}: "

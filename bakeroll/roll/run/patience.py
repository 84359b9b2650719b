"""How long a roll waits: between two observations, for one thing, and for one thing after another.

Owns the pauses and the counting. Leaves to `loop` what happens when patience is over.
"""

from dataclasses import dataclass

from bakeroll.roll.ports import Clock
from bakeroll.roll.run.poll import Poll
from bakeroll.roll.state.decision import Act, Wait
from bakeroll.settings import Policy

ACTS = 20
"""How many acts a roll may take for each instance that is wanted, and for one more: a fleet may change for ever."""
WAITS = 4
"""How many waits as long as the longest may follow each other with nothing done: what is awaited may change."""
WORTH_A_LINE = 3.0
"""A wait that is over sooner (seconds) is not told."""
EFFECT_SECONDS = 60.0
"""The effect of an act shows by then, or within the policy's `in_service_timeout` if that is longer."""


@dataclass(slots=True)
class Patience:
    """`last` is the decision of the turn before, `last_since` is since when; `pause` is the next pause in seconds."""

    policy: Policy
    poll: Poll
    clock: Clock
    last: Act | tuple[str, str] | None = None
    last_since: float = 0
    acted_at: float = 0
    acts: int = 0
    pause: float = 0

    def begin(self) -> None:
        """Whatever comes next has all its time."""
        self.acted_at, self.acts = self.clock.monotonic(), 0

    def hold(self, now: float) -> None:
        """Count no time while somebody else has the roll wait."""
        self.acted_at, self.last = now, None

    def sleep(self) -> None:
        self.clock.sleep(self.pause)
        self.pause = min(self.pause * 1.5, max(self.poll.longest, self.poll.first))

    def sleep_after_trouble(self) -> None:
        self.pause = max(self.pause, self.poll.first)
        self.sleep()

    def count_act(self, decision: Act, now: float) -> bool:
        """Whether it was decided in the turn before as well, so that its effect does not show yet."""
        self.acted_at = now
        if self._is_repeated(decision, now):
            return True
        self.pause, self.acts = self.poll.first, self.acts + 1
        return False

    def count_wait(self, wait: Wait, now: float) -> None:
        if not self._is_repeated((wait.what, wait.why), now):
            self.pause = self.poll.first

    def _is_repeated(self, what: Act | tuple[str, str], now: float) -> bool:
        if what == self.last:
            return True
        self.last, self.last_since = what, now
        return False

    def is_without_effect(self, now: float) -> bool:
        """Whether what was done should show by now."""
        return now - self.last_since >= max(self.policy.in_service_timeout, EFFECT_SECONDS)

    def is_endless(self, desired: int) -> bool:
        """Whether more was done than a fleet of that size can need."""
        return self.acts > ACTS * (1 + desired)

    def too_long(self, wait: Wait, now: float) -> str:
        """Why nothing more is waited for, if so."""
        if now >= wait.until or now - self.last_since > wait.until - wait.since:
            waited = now - min(wait.since, self.last_since)
            return f"{wait.what} kept the roll waiting for {waited:.0f} s: {wait.why}"
        longest = max(self.policy.in_service_timeout, self.policy.drain_timeout, wait.until - wait.since)
        idle = now - self.acted_at
        one_by_one = f"for {idle:.0f} s one wait followed another, the last for {wait.what}: {wait.why}"
        return one_by_one if idle > WAITS * longest else ""

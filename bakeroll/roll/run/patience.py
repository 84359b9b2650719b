"""How long a roll waits: between two observations, for one thing, and for a series of things.

Owns the pauses and the counting. Leaves to `loop` what happens when a wait has lasted too long.
"""

from dataclasses import dataclass

from bakeroll.roll.ports import Clock
from bakeroll.roll.run.poll import Poll
from bakeroll.roll.state.decision import Act, Wait
from bakeroll.settings import Policy

ACTS = 20
"""How many acts a roll may take per wanted instance, and once more. Without a bound, a fleet that keeps changing would
keep a roll running for ever."""
WAITS = 4
"""How many of the longest waits may pass without an act, because what the roll waits for may keep changing."""
WORTH_A_LINE = 3.0
"""Seconds. A shorter wait is not reported."""
EFFECT_SECONDS = 60.0
"""Seconds within which the effect of an act shows, or the policy's `in_service_timeout` if that is longer."""


@dataclass(slots=True)
class Patience:
    """`last` is the decision of the previous turn, and `last_since` is when it was first made.

    `pause` is the next pause in seconds.
    """

    policy: Policy
    poll: Poll
    clock: Clock
    last: Act | tuple[str, str] | None = None
    last_since: float = 0
    acted_at: float = 0
    acts: int = 0
    pause: float = 0

    def begin(self) -> None:
        """Give whatever comes next its full time."""
        self.acted_at, self.acts = self.clock.monotonic(), 0

    def hold(self, now: float) -> None:
        """Count no time while the roll is paused."""
        self.acted_at, self.last = now, None

    def sleep(self) -> None:
        self.clock.sleep(self.pause)
        self.pause = min(self.pause * 1.5, max(self.poll.longest, self.poll.first))

    def sleep_after_trouble(self) -> None:
        self.pause = max(self.pause, self.poll.first)
        self.sleep()

    def count_act(self, decision: Act, now: float) -> bool:
        """Whether the previous turn decided the same, so that the effect does not show yet."""
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
        """Whether the effect of the last act should show by now."""
        return now - self.last_since >= max(self.policy.in_service_timeout, EFFECT_SECONDS)

    def is_endless(self, desired: int) -> bool:
        """Whether the roll took more acts than a fleet of that size can need."""
        return self.acts > ACTS * (1 + desired)

    def too_long(self, wait: Wait, now: float) -> str:
        """Why the wait has lasted too long. Empty if it has not."""
        if now >= wait.until or now - self.last_since > wait.until - wait.since:
            waited = now - min(wait.since, self.last_since)
            return f"the roll waited {waited:.0f} s for {wait.what}: {wait.why}"
        longest = max(self.policy.in_service_timeout, self.policy.drain_timeout, wait.until - wait.since)
        idle = now - self.acted_at
        one_by_one = f"the roll only waited for {idle:.0f} s, last for {wait.what}: {wait.why}"
        return one_by_one if idle > WAITS * longest else ""

"""The system's clock."""

import time
from datetime import datetime

COUNTING_SLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A monotonic clock that counts while the machine is suspended (clock_gettime(2)). On macOS CLOCK_MONOTONIC does."""


class SystemClock:
    """The system's clock, in the local time zone."""

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        return time.clock_gettime(COUNTING_SLEEP)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

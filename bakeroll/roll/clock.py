"""The clock on the wall."""

import time
from datetime import datetime


class SystemClock:
    """The system's clock, in the local time zone."""

    def now(self) -> datetime:
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

"""Answers of before, given again: how calls that describe lag behind what was changed."""

import threading
import time
from collections.abc import Callable, Hashable

from local_cloud.requests.answers import Answer
from local_cloud.requests.calls import Call, Environ, body_of, scope_of


class Stale:
    """What was answered lately, by call and all that it asked for.

    `unseen` returns the instances that are younger than a number of seconds and therefore not shown. When one comes of
    age, what is kept says nothing of it and is not given any more.
    """

    def __init__(self, unseen: Callable[[float], frozenset[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._unseen, self._clock = unseen, clock
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Answer]] = {}

    def answer(self, call: Call, environ: Environ, seconds: float, fresh: Callable[[], Answer]) -> Answer:
        """What the same call was answered within the last `seconds`; else what `fresh` answers now.

        An error is not kept: what was not there may be there the next moment, and must be seen then.
        """
        key = (call, scope_of(environ), environ.get("QUERY_STRING", ""), body_of(environ), self._unseen(seconds))
        now = self._clock()
        with self._lock:
            self._kept = {each: kept for each, kept in self._kept.items() if now - kept[0] < seconds}
            if key in self._kept:
                return self._kept[key][1]
        answer = fresh()
        if answer.status.startswith("200"):
            with self._lock:
                self._kept[key] = (now, answer)
        return answer

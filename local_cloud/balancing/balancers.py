"""All load balancers of a cloud, led to what the API says by comparing again and again."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from local_cloud.balancing.balancer import LoadBalancer
from local_cloud.balancing.haproxy import (
    Haproxy,
)
from local_cloud.balancing.moves import Wanted
from local_cloud.balancing.target_health import Seen

TURN_SECONDS = 0.2


BUSY_TURN_SECONDS = 0.04


AFTER_FAILURE_SECONDS = 2.0

log = logging.getLogger(__name__)


class Balancers:
    """All load balancers, kept as `read` says they should be, by a thread of their own."""

    def __init__(
        self,
        directory: Path,
        read: Callable[[], Sequence[Wanted]],
        adopt: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory, self._adopt = directory, adopt
        self._read = read
        self._clock = clock
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stopping = False
        self._balancers: dict[str, LoadBalancer] = {}
        self._paused: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="balancers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """The API changed something: look now."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and every haproxy."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            for balancer in self._balancers.values():
                balancer.stop()
            self._balancers.clear()

    def status(self) -> list[dict[str, Any]]:
        """All load balancers, for people."""
        with self._lock:
            return [{"name": name, **balancer.status()} for name, balancer in self._balancers.items()]

    def turn(self) -> bool:
        """One step for each load balancer. True where a target is awaited."""
        with self._lock:
            wanted = {each.name: each for each in self._read()}
            for name in self._balancers.keys() - wanted.keys():
                self._balancers.pop(name).stop()
                shutil.rmtree(self._directory / name, ignore_errors=True)
            for name, each in wanted.items():
                self._turn_one(name, each)
            return any(balancer.is_busy for balancer in self._balancers.values())

    def _turn_one(self, name: str, wanted: Wanted) -> None:
        balancer = self._balancers.get(name)
        if balancer is None:
            balancer = LoadBalancer(Haproxy(self._directory / name, self._adopt), self._clock)
            self._balancers[name] = balancer
        if self._clock() < self._paused.get(name, 0):
            return
        try:
            balancer.turn(wanted)
        except Exception:
            # One load balancer that fails must not take the others with it, nor fill the log.
            log.exception("load balancer %s", name)
            self._paused[name] = self._clock() + AFTER_FAILURE_SECONDS

    def _run(self) -> None:
        while not self._stopping:
            is_busy = True
            try:
                is_busy = self.turn()
            except Exception:
                # What the API holds may change while it is read; the next turn reads it whole.
                log.exception("load balancers")
            self._wake.wait(BUSY_TURN_SECONDS if is_busy else TURN_SECONDS)
            self._wake.clear()

    def seen(self, group: str, name: str) -> Seen | None:
        """Where the target `name` of `group` is; None where no load balancer has it yet, or any more."""
        with self._lock:
            found = (balancer.seen(group, name) for balancer in self._balancers.values())
            return next((seen for seen in found if seen), None)

    def is_idle(self, target: str) -> bool:
        """Whether a target that was deregistered has answered all that it was asked."""
        with self._lock:
            return not any(balancer.is_asking(target) for balancer in self._balancers.values())

"""Applies the faults in force to instances: cuts them off, and kills them."""

import logging
import threading
from collections.abc import Callable, Set
from typing import Any

from local_cloud.faults.in_force import Faults

_TURN_SECONDS = 0.1

log = logging.getLogger(__name__)


class Afflictions:
    """A thread that looks at the faults as long as one has an instance.

    `cut` gets all instances whose services must not be reached, each time that this changes. `kill` gets an instance
    whose machine must end.
    """

    def __init__(self, faults: Faults, cut: Callable[[Set[str]], None], kill: Callable[[str], None]) -> None:
        self._faults, self._cut, self._kill = faults, cut, kill
        self._was_cut: Set[str] = frozenset()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._faults.changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def status(self) -> list[dict[str, Any]]:
        return self._faults.status()

    def turn(self) -> bool:
        """Do what is to be done now; False where nothing will change by itself."""
        cut, dead, may_change = self._faults.of_instances()
        if cut != self._was_cut:
            self._cut(cut)
            self._was_cut = cut
        for instance in dead:
            self._kill(instance)
        return may_change

    def _run(self) -> None:
        while not self._stopping:
            may_change = True
            try:
                may_change = self.turn()
            except Exception:
                log.exception("faults of instances")
            self._faults.changed.wait(_TURN_SECONDS if may_change else None)
            self._faults.changed.clear()

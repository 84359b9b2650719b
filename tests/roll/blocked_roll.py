"""A roll in a process of its own, over a fleet in memory and a table in the folder that is its argument.

It uses the system's clock, and its lease lasts LEASE_SECONDS. It blocks in the check of its canary, and creates the
file `blocked`, until a file `go-on` exists. At its end it prints how it ended and which calls it made after that.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

from bakeroll.roll.clock import SystemClock
from bakeroll.roll.run.leader import Leader
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store import heartbeat
from bakeroll.settings import Canary, Check
from tests.roll.cut import Cut
from tests.roll.file_table import FileTable
from tests.roll.scene import GOOD, POLICY, goal

LEASE_SECONDS = 2.0
CANARY = Canary(watch=0, interval=0.1, checks=(Check(command=("./smoke",)),))


class Quick(SystemClock):
    """The system's clock, except that sleep lets time pass only in the fleet."""

    def __init__(self, fleet: World) -> None:
        self._fleet = fleet

    def sleep(self, seconds: float) -> None:
        self._fleet.sleep(seconds)


def main(folder: Path) -> None:
    fleet = world(2, GOOD)
    cut = Cut()

    def block(_: str) -> str:
        (folder / "blocked").touch()
        while not (folder / "go-on").exists():
            time.sleep(0.01)
        cut.calls.clear()
        return ""

    fleet.probed = block
    through = replace(cut.ports(ports(fleet)), table=FileTable(folder / "table"))
    try:
        leader = Leader(
            through,
            Owner("ops@build-7"),
            Quick(fleet),
            lambda _: None,
            beating=heartbeat.beside,
            lease_seconds=LEASE_SECONDS,
        )
        roll(goal(), POLICY.model_copy(update={"strategy": "canary", "canary": CANARY}), leader)
        print("done")
    except BaseException as error:  # noqa: BLE001 (whatever ends it, the test reads what it was)
        print(f"{type(error).__name__}: {error}")
    print(*cut.calls)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

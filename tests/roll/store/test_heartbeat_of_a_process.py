"""The lease of a roll in a process of its own that is busy, stopped, interrupted or killed. Real time, real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bakeroll.errors import LeaseHeld
from bakeroll.roll.clock import SystemClock
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store import lease
from bakeroll.roll.store.lease import Lease, take
from tests.roll.blocked_roll import LEASE_SECONDS
from tests.roll.file_table import FileTable

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PATIENCE = 60


@dataclass
class Roller:
    """A process whose roll blocks in the check of its canary, as another machine sees it."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def table(self) -> FileTable:
        return FileTable(self.folder / "table")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        """Go on, and out of the check as well."""
        (self.folder / "go-on").touch()
        self.process.send_signal(signal.SIGCONT)

    def taken_over(self) -> Lease:
        return take(self.table, "links-dev", Owner("me@laptop"), "deploy", SystemClock(), seconds=LEASE_SECONDS)

    def ended(self) -> tuple[str, set[str]]:
        """How its roll ended, and the calls since it blocked."""
        (self.folder / "go-on").touch()
        how, calls = self.process.communicate(timeout=PATIENCE)[0].splitlines()
        return how, set(calls.split())


@pytest.fixture
def roller(tmp_path: Path) -> Iterator[Roller]:
    (tmp_path / "table").mkdir()
    argv = [sys.executable, "-m", "tests.roll.blocked_roll", str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        ends = time.monotonic() + PATIENCE
        while not (tmp_path / "blocked").exists() and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.01)
        yield Roller(tmp_path, process)
        process.kill()


def test_a_roll_that_is_busy_for_longer_than_its_lease_keeps_it_and_goes_on(roller: Roller) -> None:
    ends = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < ends:
        with pytest.raises(LeaseHeld, match="ops@build-7 has been rolling links-dev"):
            roller.taken_over()

    assert roller.ended()[0] == "done"


def test_a_roll_that_was_stopped_until_another_took_the_lease_changes_nothing_more(roller: Roller) -> None:
    roller.stop()
    taken = roller.taken_over()
    roller.go_on()

    how, calls = roller.ended()

    assert how.startswith("LeaseLost: This roll lost the lease on links-dev: me@laptop")
    assert calls == set()
    taken.check()


def test_a_roll_that_was_stopped_and_whose_lease_nobody_took_goes_on(roller: Roller) -> None:
    roller.stop()
    time.sleep(1.5 * LEASE_SECONDS)
    roller.go_on()

    assert roller.ended()[0] == "done"


def test_a_roll_that_is_killed_beats_no_more(roller: Roller) -> None:
    roller.process.kill()

    roller.taken_over().check()


def test_a_roll_that_is_interrupted_backs_out_and_gives_its_lease_back(roller: Roller) -> None:
    roller.process.send_signal(signal.SIGINT)

    assert roller.ended()[0].startswith("KeyboardInterrupt")
    held = lease.read_holding(roller.table, "links-dev")
    assert held
    assert not held.is_held

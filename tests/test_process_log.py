"""A program that writes to a log: what is read of it, and that it outlives whoever began it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bakeroll.process import ToolFailed, run


def test_lines_of_both_streams_are_handed_on_and_kept(tmp_path: Path) -> None:
    log, lines = tmp_path / "log", list[str]()
    log.write_text("before\n")

    output = run(["sh", "-c", "echo one; echo two >&2; printf three"], log=log, on_line=lines.append)

    assert lines == ["one", "two", "three"]
    assert output == "one\ntwo\nthree"
    assert log.read_text() == "before\none\ntwo\nthree"


def test_a_new_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    run(["true"], log=tmp_path / "log")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_the_last_lines_of_a_failure_are_kept(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as caught:
        run(["sh", "-c", "seq 100; exit 3"], log=tmp_path / "log")
    assert (caught.value.code, caught.value.tail[-1], len(caught.value.tail)) == (3, "100", 40)


def test_a_program_goes_on_speaking_to_its_log_when_its_caller_is_killed(tmp_path: Path) -> None:
    script = "trap 'echo cleaning; echo cleaned; exit' TERM; echo begun; while :; do sleep 0.05; done"
    log = tmp_path / "log"
    caller = "import sys; from pathlib import Path; from bakeroll.process import run\n"
    caller += "run(['sh', '-c', sys.argv[1]], log=Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", caller, script, str(log)], cwd=Path(__file__).parents[1])
    _await(log, "begun")

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    _await(log, "cleaned")


def _await(log: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while not log.exists() or text not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)

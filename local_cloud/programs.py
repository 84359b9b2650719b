"""Runs other programs: arguments are lists, and there is no shell. Lets one process at a time do a piece of work."""

import fcntl
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

TAIL_LINES = 40
# The kernel ends a program when this process goes, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG).
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")


class ToolFailed(Exception):
    """A program ended with another code than 0. `tail` holds its last lines, both streams."""

    def __init__(self, argv: Sequence[str], code: int, tail: Sequence[str]) -> None:
        super().__init__(f"{argv[0]} ended with {code}")
        self.tail = tuple(tail)


class Run(Protocol):
    """Runs a program to its end; see `run`. Rooms take one as an argument."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str: ...


def run(
    argv: Sequence[str],
    *,
    stdin: str | None = None,
    log: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run `argv` and return what it printed on standard output.

    With `log`, both streams are appended to that file (made with mode 0600) and handed to `on_line` line by line; the
    last lines of them are returned. The program dies with this process. Raises ToolFailed for any exit code but 0, and
    FileNotFoundError where setpriv is missing.
    """
    if log:
        return _follow(argv, log, on_line or (lambda _: None))
    done = subprocess.run(
        [*_ENDS_WITH_US, *argv], input=stdin or "", capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise ToolFailed(argv, done.returncode, (done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
    return done.stdout


def _follow(argv: Sequence[str], log: Path, on_line: Callable[[str], None]) -> str:
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with (
        os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", buffering=1) as kept,
        subprocess.Popen(
            [*_ENDS_WITH_US, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            kept.write(line)
            tail.append(line)
            on_line(line.rstrip("\n"))
    if process.returncode:
        raise ToolFailed(argv, process.returncode, "".join(tail).splitlines())
    return "".join(tail)


@contextmanager
def alone(lock: Path, waiting: Callable[[float], None] = lambda _: None) -> Iterator[None]:
    """Wait until no other process holds `lock`, and hold it; the kernel lets go when this process ends.

    While it waits, it calls `waiting` with the seconds so far, 0 at first; what that raises ends the wait.
    """
    with lock.open("w") as file:
        began, seconds = time.monotonic(), 0.0
        while not _is_ours(file):
            waiting(seconds)
            time.sleep(0.1)
            seconds = time.monotonic() - began
        yield


def _is_ours(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Runs other programs. Arguments are lists, there is no shell, and output is read line by line."""

import fcntl
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

TAIL_LINES = 40


class ToolFailed(Exception):
    """A program ended with a code other than 0. `tail` holds the last lines of both streams."""

    def __init__(self, argv: Sequence[str], code: int, tail: Sequence[str]) -> None:
        super().__init__(f"{argv[0]} ended with {code}")
        self.argv, self.code, self.tail = tuple(argv), code, tuple(tail)


class Run(Protocol):
    """Runs a program to its end, as `run` does. Rooms take it as an argument."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str: ...


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    log: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run `argv` and return its standard output.

    `env` is added to this process's environment. If `log` or `on_line` is given, both streams are merged, appended to
    `log` (created with mode 0600) and passed on line by line.

    The program does not outlive this process. The kernel sends it SIGTERM when this process ends, even by SIGKILL, so
    that it can clean up (prctl(2), PR_SET_PDEATHSIG, set by setpriv(1)). SIGINT would not work: Packer's outer process
    does not pass it on, and a background process may ignore it. With `log` the program writes to the file directly,
    and so can still write when nobody reads a pipe.

    Raises ToolFailed for an exit code other than 0, FileNotFoundError if setpriv is missing.
    """
    command = ["setpriv", "--pdeathsig", "TERM", "--", *argv]
    together = log is not None or on_line is not None
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else subprocess.PIPE
    begin = log.stat().st_size if log else 0
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if log:
        os.close(sink)
    try:
        if together:
            lines = _appended(process, log, begin) if log else process.stdout or ()
            output, errors = _follow(process, stdin, lines, on_line), ""
        else:
            output, errors = process.communicate(stdin)
        code = process.wait()
    except BaseException:
        # Ctrl-C reached the whole process group. Let the program finish its clean-up, and read its output
        # so that it does not block on a full pipe.
        process.communicate()
        raise
    if code:
        raise ToolFailed(argv, code, (output + errors).splitlines()[-TAIL_LINES:])
    return output


def _follow(
    process: subprocess.Popen[str], stdin: str | None, lines: Iterable[str], on_line: Callable[[str], None] | None
) -> str:
    if stdin is not None and process.stdin:
        process.stdin.write(stdin)
        process.stdin.close()
        process.stdin = None
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    for line in lines:
        tail.append(line)
        if on_line:
            on_line(line.rstrip("\n"))
    return "".join(tail)


@contextmanager
def alone(lock: Path, waiting: Callable[[float], None] = lambda _: None) -> Iterator[None]:
    """Wait until no other process or thread holds `lock`, then hold it. The kernel releases it if we are killed.

    While it waits, it calls `waiting` with the seconds so far, 0 at first. An error from `waiting` ends the wait.
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


def _appended(process: subprocess.Popen[str], log: Path, begin: int) -> Iterator[str]:
    """The lines that are added to `log` after `begin`, until `process` ends."""
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begin)
        line, has_ended = "", False
        while not has_ended:
            has_ended = process.poll() is not None  # before reading, so that its last lines are read below
            while piece := file.readline():
                line += piece
                if line.endswith("\n"):
                    yield line
                    line = ""
            if not has_ended:
                time.sleep(0.05)
        if line:
            yield line

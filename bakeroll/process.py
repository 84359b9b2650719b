"""Other programs, run. Arguments are lists; there is no shell; output is read line by line."""

import fcntl
import os
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

TAIL_LINES = 40


class ToolFailed(Exception):
    """A program ended with another code than 0. `tail` holds its last lines, both streams."""

    def __init__(self, argv: Sequence[str], code: int, tail: Sequence[str]) -> None:
        super().__init__(f"{argv[0]} ended with {code}")
        self.argv, self.code, self.tail = tuple(argv), code, tuple(tail)


class Run(Protocol):
    """Runs a program to its end; see `run`. Rooms take one as an argument."""

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
    """Run `argv` and return what it printed on standard output.

    `env` is added to this process's environment. Where `log` or `on_line` is given, both streams are
    read as one, appended to `log` (made with mode 0600) and handed on line by line.
    The program dies with us: the kernel interrupts it (SIGINT) when this process goes, even by SIGKILL,
    so that it can clean up after itself (prctl(2), PR_SET_PDEATHSIG, by setpriv(1)).

    Raises ToolFailed for any exit code but 0, FileNotFoundError where setpriv is missing.
    """
    command = ["setpriv", "--pdeathsig", "INT", "--", *argv]
    together = log is not None or on_line is not None
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        if together:
            output, errors = _follow(process, stdin, log, on_line), ""
        else:
            output, errors = process.communicate(stdin)
        code = process.wait()
    except BaseException:
        # Ctrl-C reached the whole process group: let the program finish its own cleaning, and read what
        # it still says, so that it does not block on a full pipe.
        process.communicate()
        raise
    if code:
        raise ToolFailed(argv, code, (output + errors).splitlines()[-TAIL_LINES:])
    return output


def _follow(
    process: subprocess.Popen[str], stdin: str | None, log: Path | None, on_line: Callable[[str], None] | None
) -> str:
    if stdin is not None and process.stdin:
        process.stdin.write(stdin)
        process.stdin.close()
        process.stdin = None
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    descriptor = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", buffering=1) as sink:
        for line in process.stdout or ():
            sink.write(line)
            tail.append(line)
            if on_line:
                on_line(line.rstrip("\n"))
    return "".join(tail)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process or thread holds `lock`, and hold it; the kernel lets go when we are killed."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

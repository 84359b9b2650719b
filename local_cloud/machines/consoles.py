"""The machines' consoles: each a pseudo-terminal whose output is kept, its last part at least."""

import asyncio
import os
import tty
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# GetConsoleOutput gives the last 64 KB: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
KEPT = 64 * 1024
_ROOM = 4 * KEPT


@dataclass(frozen=True, slots=True)
class Console:
    """`device` is what the machine writes to. Both ends stay open here, so that a reboot closes nothing."""

    device: str
    ours: int
    theirs: int


class Consoles:
    """Reads all consoles in one loop and appends what they say to a file for each."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def open(self, log: Path) -> Console:
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        console = Console(os.ttyname(theirs), ours, theirs)
        self._loop.call_soon_threadsafe(self._loop.add_reader, ours, self._read, ours, log)
        return console

    def close(self, console: Console) -> None:
        self._loop.call_soon_threadsafe(self._close, console)

    def _close(self, console: Console) -> None:
        self._loop.remove_reader(console.ours)
        os.close(console.ours)
        os.close(console.theirs)

    def _read(self, ours: int, log: Path) -> None:
        with suppress(OSError):
            append(log, os.read(ours, KEPT).replace(b"\r\n", b"\n"))


def append(log: Path, output: bytes) -> None:
    """Append to a log that never grows beyond a few times KEPT."""
    with log.open("ab") as file:
        file.write(output)
        size = file.tell()
    if size > _ROOM:
        log.write_bytes(tail(log))


def tail(log: Path) -> bytes:
    """The last KEPT bytes of a console's log; nothing where there is no log."""
    with suppress(FileNotFoundError):
        return log.read_bytes()[-KEPT:]
    return b""

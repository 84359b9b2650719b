"""How many machines this machine has room for. It changes nothing of this machine: its limits are its owner's."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYSCTL = "fs.inotify.max_user_instances"
# What systemd opens in each machine, and all machines' root is one user to the kernel (inotify(7)). Found by looking.
_WATCHES_PER_MACHINE = 3
_BYTES_PER_MACHINE = 50 * 1024**2
_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")


@dataclass(frozen=True, slots=True)
class Room:
    """How many machines more there is room for, and what bounds it, with what the host's owner may do."""

    left: int
    bound: str
    remedy: str


def room(running: int, theirs: Collection[int]) -> Room:
    """The room left by `running` machines, whose processes are `theirs`. One that still boots counts as whole."""
    limit = int(_LIMIT.read_text())
    return min(_by_watches(limit, _watches(but=theirs), running), _by_memory(_available()), key=lambda each: each.left)


def _by_watches(limit: int, taken: int, running: int) -> Room:
    left = max(0, (limit - taken) // _WATCHES_PER_MACHINE - running)
    return Room(left, f"{SYSCTL} is {limit}", f"sysctl {SYSCTL}={max(1024, 4 * limit)}")


def _by_memory(available: int) -> Room:
    return Room(available // _BYTES_PER_MACHINE, f"{available // 1024**2} MB of memory are free", "free some memory")


def _watches(*, but: Collection[int]) -> int:
    """The inotify instances that root has open, in all processes `but` these."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) not in but:
            with suppress(OSError):  # it has ended
                found += _of(process) if process.stat().st_uid == 0 else 0
    return found


def _of(process: Path) -> int:
    found = 0
    for entry in (process / "fd").iterdir():
        with suppress(OSError):  # it is closed
            found += str(entry.readlink()) == "anon_inode:inotify"
    return found


def _available() -> int:
    """Bytes that programs can get without swapping (MemAvailable, proc(5))."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next((int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:"), 0)

"""Control groups of a cloud's processes: how they are found, and how they are ended, all of them.

A cloud has one directory, named after its bridge, in the unified hierarchy; below it is one for each
machine and each other program. It works on pure version 2 hosts and on hybrid ones.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

_ROOTS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))


def root() -> Path | None:
    """Where the unified hierarchy (cgroup v2) is mounted; None if it is not."""
    return next((path for path in _ROOTS if (path / "cgroup.controllers").exists()), None)


def of_cloud(bridge: str) -> Path:
    """The directory of the cloud with this bridge."""
    return (root() or _ROOTS[1]) / f"bakeroll-{bridge}"


def create(bridge: str, name: str) -> Path:
    """Make the directory of one program, with the controllers that the host hands on."""
    parent = of_cloud(bridge)
    parent.mkdir(exist_ok=True)
    for controller in (parent / "cgroup.controllers").read_text().split():
        with suppress(OSError):  # a controller that is in use elsewhere is a loss, not a failure
            (parent / "cgroup.subtree_control").write_text(f"+{controller}")
    directory = parent / name
    directory.mkdir(exist_ok=True)
    return directory


def processes(directory: Path) -> list[int]:
    """Ids of all processes in `directory` and below."""
    return [process for each in _directories(directory) for process in _members(each)]


def init_of(directory: Path) -> int | None:
    """This machine's id of the process that is PID 1 inside (NSpid in proc(5))."""
    for process in processes(directory):
        with suppress(OSError):
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("NSpid:") and line.split()[2:] == ["1"]:
                    return process
    return None


def holding(directory: Path, process: int) -> Path:
    """The directory, this one or one below, that a process is in; this one where it has gone."""
    return next((each for each in _directories(directory) if process in _members(each)), directory)


def kill(directory: Path, patience: float = 5) -> bool:
    """End every process in `directory` by SIGKILL and remove it; False if some would not go in `patience` seconds."""
    if not directory.exists():
        return True
    with suppress(OSError):
        (directory / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + patience
    while processes(directory):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return remove(directory)


def remove(directory: Path) -> bool:
    """Remove a directory without processes, and those below."""
    for below in reversed(_directories(directory)[1:]):
        with suppress(OSError):
            below.rmdir()
    with suppress(FileNotFoundError):
        try:
            directory.rmdir()
        except OSError:
            return False
    return True


def _directories(directory: Path) -> list[Path]:
    """`directory` and those below, each after its parent; without those that vanish while this looks."""
    return [Path(path) for path, _, _ in os.walk(directory)]


def _members(directory: Path) -> list[int]:
    """Ids of the processes in this very directory; none where it has vanished."""
    with suppress(OSError):
        return [int(line) for line in (directory / "cgroup.procs").read_text().split()]
    return []

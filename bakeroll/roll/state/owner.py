"""The owner of a lease: a process of a host. Nobody has to wait for an owner that is provably dead."""

import os
from dataclasses import dataclass
from pathlib import Path

from bakeroll.roll.state.form import Line


@dataclass(frozen=True, slots=True)
class Owner:
    """A process. `name` is for people. `host` identifies one boot of one machine and the PID namespace."""

    name: Line
    host: str = ""
    pid: int = 0
    started: str = ""


def this_process(name: str) -> Owner:
    """This process as an owner. On a system without /proc, only its name is known."""
    host = _host()
    return Owner(name, host, os.getpid(), _started(os.getpid()) if host else "")


def is_dead(owner: Owner) -> bool:
    """Whether the owner is provably dead: a process of this boot of this machine that no longer exists."""
    return bool(owner.host) and owner.host == _host() and _started(owner.pid) != owner.started


def is_alive(owner: Owner) -> bool:
    """Whether the owner is provably alive: a process of this boot of this machine that still exists."""
    return bool(owner.host) and owner.host == _host() and _started(owner.pid) == owner.started


def _host() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process was started, in ticks since the boot. Empty if there is no such process (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]

"""Who holds a lease: a process of a host, so that one that is provably dead need not be waited for."""

import os
from dataclasses import dataclass
from pathlib import Path

from bakeroll.roll.state.form import Line


@dataclass(frozen=True, slots=True)
class Owner:
    """`name` is for people; `host` tells one boot of one machine (and its PID namespace) from all others."""

    name: Line
    host: str = ""
    pid: int = 0
    started: str = ""


def this_process(name: str) -> Owner:
    """The owner that this process is. On a system without /proc only the name tells."""
    host = _host()
    return Owner(name, host, os.getpid(), _started(os.getpid()) if host else "")


def is_dead(owner: Owner) -> bool:
    """Whether the owner is provably dead: a process of this boot of this machine that is there no more."""
    return bool(owner.host) and owner.host == _host() and _started(owner.pid) != owner.started


def is_alive(owner: Owner) -> bool:
    """Whether the owner is provably alive: a process of this boot of this machine that is still there."""
    return bool(owner.host) and owner.host == _host() and _started(owner.pid) == owner.started


def _host() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """The time a process was started, in ticks since the boot; empty where there is no such process (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]

"""How much memory the daemon may take, so that it never takes this machine down."""

import os
import resource
from pathlib import Path

_MOST = 4 * 1024**3
_LEAST = 2 * 1024**3
"""What it needs: the stacks of its threads are counted as well, a gigabyte of them, whether they are used or not."""


def limit() -> int:
    """Bytes: half of this machine's memory, within bounds."""
    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return min(_MOST, max(_LEAST, half))


def bound() -> None:
    """Have the kernel refuse this process more (setrlimit(2)). What it starts inherits that; machines do not."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit(), hard))


def is_full() -> bool:
    """Whether the daemon holds so much that it should take no more: writing it down takes as much again."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident > limit() // 2

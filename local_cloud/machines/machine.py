"""One machine: what it is, which state it is in, and the process that it runs as."""

import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from local_cloud.machines.consoles import Console

State = Literal["pending", "running", "shutting-down", "stopping", "stopped", "terminated"]


Changed = Callable[[str, State, str], None]
"""Called with the instance, its new state and the reason. The reason is empty if somebody asked for it."""


@dataclass(slots=True)
class Machine:
    """One instance. `layers` are directory names, top first; `addresses` has the private one first."""

    id: str
    hostname: str
    layers: tuple[str, ...]
    addresses: tuple[str, ...]
    state: State = "pending"
    process: subprocess.Popen[bytes] | None = None
    console: Console | None = None
    is_plugged: bool = False
    is_up: bool = False
    changing: threading.RLock = field(default_factory=threading.RLock)

"""What a person or a program does with the cloud: start and stop it, look at it, set its faults, step into an instance.

Imports nothing heavy: `daemon` is another process.
"""

from local_cloud.client.control import (
    ask,
    down,
    is_locked,
    logs,
    must_be_there,
    need_root,
    reset,
    status,
    up,
)
from local_cloud.config import from_environment

__all__ = [
    "ask",
    "down",
    "from_environment",
    "is_locked",
    "logs",
    "must_be_there",
    "need_root",
    "reset",
    "status",
    "up",
]

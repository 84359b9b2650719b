"""How a machine boots: the command that becomes its PID 1, and the moment from which it can be reached."""

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from local_cloud.host.capabilities import bounded
from local_cloud.host.network import namespace_of
from local_cloud.machines.machine import Machine

BOOT_SECONDS = 60.0
_SCRIPT = Path(__file__).with_name("boot.sh")
_SSH = 22


def command(machine: Machine, *, bridge: str, disk: Path, group: Path, console: str) -> list[str]:
    """What boots the machine; to be run in the directory of the layers."""
    return [
        *("prlimit", "--data=unlimited"),  # the daemon's own bound is none of the machine's
        *("nsenter", f"--net=/run/netns/{namespace_of(bridge, machine.id)}"),
        *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"),
        *("sh", str(_SCRIPT), "join", str(disk), ":".join(machine.layers), str(group)),
        *(machine.hostname, console, *bounded()),
    ]


def wait_for_ssh(address: str, process: subprocess.Popen[bytes], is_wanted: Callable[[], bool]) -> None:
    """Return when sshd answers, when BOOT_SECONDS is over (an image may have none), or when it is not to boot."""
    deadline = time.monotonic() + BOOT_SECONDS
    while process.poll() is None and time.monotonic() < deadline and is_wanted():
        with suppress(OSError), socket.create_connection((address, _SSH), timeout=0.5):
            break
        time.sleep(0.05)

"""Runs a shell in a machine as its root: in its namespaces and its control group, with the capabilities of its PID 1.

CAP_NET_RAW is kept beyond those, for ping and tcpdump: who has this shell is root of this machine anyway.
"""

import os
import subprocess
from pathlib import Path

from local_cloud.client.asking import need_root
from local_cloud.client.looking import must_be_there
from local_cloud.config import Config
from local_cloud.errors import LocalCloudError
from local_cloud.host import cgroup
from local_cloud.host.capabilities import bounded

_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
_CLEAN = (
    *("env", "-i", "HOME=/root", "USER=root", "LANG=C.UTF-8"),
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)


def step_in(config: Config, instance: str, command: str = "") -> int:
    """Have a shell in the machine run `command`, or without one be there for this terminal; return its exit code.

    If a signal ended it, the code is 128 plus the signal's number, as shells report it.
    """
    need_root()
    must_be_there(config, instance)
    group = cgroup.of_cloud(config.bridge) / instance
    init = cgroup.init_of(group)
    if init is None:
        raise LocalCloudError(f"{instance} is not running.", next_step=f"{config.command}status")
    inside = ["sh", "-c", command] if command else ["/bin/bash", "-l"]
    terminal = f"TERM={os.environ.get('TERM', 'dumb')}"
    entered = ["nsenter", f"--target={init}", *_NAMESPACES, *_CLEAN, terminal, *bounded(but=["net_raw"]), *inside]
    ended = subprocess.run(entered, check=False, preexec_fn=lambda: _join(cgroup.holding(group, init)))
    return 128 - ended.returncode if ended.returncode < 0 else ended.returncode


def _join(group: Path) -> None:
    (group / "cgroup.procs").write_text("0")

"""Checks what a local cloud needs of this machine, before anything is changed."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from local_cloud.config import Config
from local_cloud.errors import LocalCloudError
from local_cloud.host import cgroup, network
from local_cloud.host.room import room

_PROGRAMS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mmdebstrap": "mmdebstrap",
    "haproxy": "haproxy",
}
_DEBIAN_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
_ROOM = 2 * 1024**3


def check(config: Config) -> None:
    """Raise LocalCloudError, naming all that is wrong and what to do, where the cloud cannot run here."""
    if sys.platform != "linux":
        raise LocalCloudError(
            "The local cloud runs only on Linux: its instances are Linux machines in namespaces.",
            next_step="Run it in a Linux virtual machine.",
        )
    if os.geteuid():
        raise LocalCloudError(
            "The local cloud needs root: it makes namespaces, interfaces and mounts.",
            next_step="Run the same command as root or with sudo. A container needs --privileged.",
        )
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{_DEBIAN_PATH}"  # su and cron leave sbin out
    problems = list(_problems(config))
    if problems:
        raise LocalCloudError(
            "The local cloud cannot run here: " + "; ".join(what for what, _ in problems) + ".",
            left="Nothing was changed.",
            next_step="; ".join(dict.fromkeys(do for _, do in problems)),
        )


def _problems(config: Config) -> Iterator[tuple[str, str]]:
    missing = {program: package for program, package in _PROGRAMS.items() if not shutil.which(program)}
    if missing:
        packages = " ".join(dict.fromkeys(missing.values()))
        yield f"{', '.join(missing)} not found", f"apt-get install {packages}"
    if not find_spec("moto"):
        yield "moto is not installed", "pip install 'bakeroll[local]'"
    if cgroup.root() is None:
        yield "no cgroup version 2 hierarchy is mounted", "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"
    if "overlay" not in Path("/proc/filesystems").read_text() and not shutil.which("modprobe"):
        yield "the kernel has no overlay file system", "modprobe overlay"
    if shutil.which("ip") and network.is_foreign(config):
        yield (
            f"the interface {config.bridge} already exists and is not this cloud's",
            "Set BAKEROLL_LOCAL_BRIDGE to another name",
        )
    if shutil.which("ip") and (users := network.networks_in_use(config.network, but=config.bridge)):
        yield (
            f"the network {config.network} is in use by {', '.join(users)}",
            "Set BAKEROLL_LOCAL_NETWORK to another private /16",
        )
    yield from _problems_of(config.state)
    if shutil.disk_usage(_existing(config.state)).free < _ROOM:
        yield f"less than 2 GB are free for {config.state}", "Free some space, or set BAKEROLL_LOCAL_STATE elsewhere"
    if (there := room(0, cgroup.processes(cgroup.of_cloud(config.bridge)))).left < 1:
        yield f"there is no room for an instance: {there.bound}", there.remedy
    if is_taken(config.port):
        yield f"port {config.port} is in use by another program", "Set BAKEROLL_LOCAL_PORT to a free port"


def is_foreign(directory: Path) -> bool:
    """Whether `directory` holds something and is not a local cloud's."""
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    return bool(names - {"lost+found"}) and not names & {"lock", "daemon.log"}


def _problems_of(state: Path) -> Iterator[tuple[str, str]]:
    elsewhere = "Set BAKEROLL_LOCAL_STATE to a new directory"
    if is_foreign(state):
        yield f"{state} holds other things than a local cloud", elsewhere
    if state.exists() and (state.stat().st_uid != os.geteuid() or state.stat().st_mode & 0o022):
        yield f"other users may write to {state}, and the cloud runs what is there as root", elsewhere
    elif why := _no_overlay(_existing(state)):
        yield f"{state} cannot hold a machine's disk: {why}", "Set BAKEROLL_LOCAL_STATE to a disk (ext4, xfs, btrfs)"


def _no_overlay(directory: Path) -> str:
    """Why `directory` cannot hold a writable overlay; empty if it can. Tries one where nobody else sees it."""
    script = "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root && rm root/file"
    try:
        with tempfile.TemporaryDirectory(prefix=".bakeroll-", dir=directory) as trial:
            for name in ("lower", "upper", "work", "root"):
                Path(trial, name).mkdir()
            Path(trial, "lower", "file").touch()
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
            done = subprocess.run(command, cwd=trial, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else " ".join(done.stderr.split()) or "the overlay file system refuses"


def is_taken(port: int) -> bool:
    """Whether a program listens on this port of 127.0.0.1."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())

"""The source image: a small Debian with systemd, sshd and what EC2's images do at first boot.

Built once into the cache by mmdebstrap, from the machine's own package sources; many clouds share it as their
lowest layer and none writes to it. Its key is a hash of all it is made of, so a changed recipe makes a new one.
"""

import hashlib
import inspect
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from local_cloud.errors import LocalCloudError
from local_cloud.machines.apt_sources import distribution_sources
from local_cloud.programs import Run, ToolFailed, alone

PACKAGES = (
    "adduser", "apt", "ca-certificates", "curl", "dbus", "gpgv", "iproute2", "netbase", "openssh-server", "procps",
    "python3", "python3-apt", "sudo", "systemd-sysv", "util-linux",
)  # fmt: skip
_OPTIONS = (
    "--variant=minbase",
    '--aptopt=Apt::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
# mmdebstrap mounts /proc, /sys and more in the tree. In namespaces of its own all that goes when it is killed,
# and it is killed when this process is.
_ENDS_WITH_US = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--propagation", "private", "--pid", "--mount-proc", "--fork", "--kill-child"),
)
_FILES = Path(__file__).with_name("source")
_TREE = "tree"
_BUILT = "built"
_DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_EC2_ARCHITECTURES = {"aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A finished source image. `tree` is its root filesystem; `id` is its AMI's in every cloud."""

    id: str
    name: str
    tree: Path
    architecture: str


def provide(cache: Path, run: Run, tell: Callable[[str], None]) -> SourceImage:
    """Find the source image in `cache`, or build it there, one process at a time.

    Raises LocalCloudError where mmdebstrap fails; half a tree is removed by whoever comes next.
    """
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    sources = distribution_sources(platform.freedesktop_os_release().get("VERSION_CODENAME", ""))
    directory = cache / f"source-{_key(sources)}"
    with alone(cache / "lock", partial(_waiting, tell)):
        if not directory.exists():
            for stale in cache.glob("building-*"):
                with suppress(subprocess.CalledProcessError):  # its mmdebstrap is still dying: the next one removes it
                    discard(stale)
            _build(cache / f"building-{os.getpid()}", directory, sources, run, tell)
    return _found(directory)


def discard(directory: Path) -> None:
    """Remove a tree of a root filesystem; never what is mounted within."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(directory)], check=True)


def _found(directory: Path) -> SourceImage:
    built = (directory / _BUILT).read_text().strip()
    identity = hashlib.sha256(f"{directory.name} {built}".encode()).hexdigest()[:17]
    day = built[:10].replace("-", "")
    machine = platform.machine()
    name = f"debian-{_version(directory)}-{_DEBIAN_ARCHITECTURES.get(machine, machine)}-{day}-local"
    return SourceImage(f"ami-{identity}", name, directory / _TREE, _EC2_ARCHITECTURES.get(machine, machine))


def _version(directory: Path) -> str:
    for line in (directory / _TREE / "etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_ID="):
            return line.partition("=")[2].strip('"')
    return "unstable"


def _key(sources: str) -> str:
    made_of = hashlib.sha256(f"{PACKAGES} {_OPTIONS} {sources} {inspect.getsource(_finish)}".encode())
    for file in _files():
        made_of.update(f"{file.relative_to(_FILES)} {file.stat().st_mode & 0o100}".encode() + file.read_bytes())
    return made_of.hexdigest()[:12]


def _files() -> list[Path]:
    return sorted(path for path in _FILES.rglob("*") if path.is_file())


def _waiting(tell: Callable[[str], None], seconds: float) -> None:
    if not seconds:
        tell("another local cloud is building the source image: waiting for it")


def _build(building: Path, directory: Path, sources: str, run: Run, tell: Callable[[str], None]) -> None:
    tell("building the source image with mmdebstrap, once: about half a minute")
    building.mkdir(mode=0o755)
    tree = building / _TREE
    listed = building / ("distribution.sources" if "Types:" in sources else "distribution.list")
    listed.write_text(sources)
    command = [
        *_ENDS_WITH_US,
        *("mmdebstrap", *_OPTIONS, f"--include={','.join(PACKAGES)}"),
        *("", str(tree), str(listed)),  # no suite: the sources name it
    ]
    try:
        run(command, log=building / "log", on_line=lambda line: tell(line) if line.startswith("I: ") else None)
        _finish(tree)
    except (ToolFailed, OSError) as error:
        said = _errors(error.tail) if isinstance(error, ToolFailed) else [str(error)]
        raise LocalCloudError(
            f"mmdebstrap could not build the source image: {' / '.join(said)}",
            left=f"The half-built tree {building} is left. The next attempt replaces it.",
            next_step="Make `apt-get update` work on this machine, then try again.",
            log=building / "log",
        ) from None
    (building / _BUILT).write_text(datetime.now(UTC).isoformat(timespec="seconds") + "\n")
    building.rename(directory)
    tell("the source image is built")


def _errors(tail: Sequence[str]) -> list[str]:
    """What went wrong, of the last lines: apt's and mmdebstrap's errors, not mmdebstrap's own steps."""
    told = [line for line in tail if line.startswith(("E: ", "W: Failed")) and not line.endswith("failed to run")]
    return (told or list(tail))[-3:]


def _finish(tree: Path) -> None:
    """Lay our files over the tree, and take out what must not be the same in two machines, or is this machine's."""
    for file in _files():
        target = tree / file.relative_to(_FILES)
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    (tree / "masks").unlink()
    units = tree / "etc/systemd/system"
    for unit in (_FILES / "masks").read_text().split():
        _link(units / unit, "/dev/null")
    for unit in ("ec2-init.service", "ec2-user-data.service"):
        _link(units / "multi-user.target.wants" / unit, f"/etc/systemd/system/{unit}")
    for path in (tree / "etc/ssh").glob("ssh_host_*"):
        path.unlink()
    (tree / "etc/machine-id").write_text("")
    (tree / "etc/hostname").unlink(missing_ok=True)
    (tree / "etc/resolv.conf").write_text("")
    (tree / "etc/sudoers.d/90-admin").chmod(0o440)
    subprocess.run(
        ["chroot", str(tree), "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", "admin"],
        check=True,
        capture_output=True,
    )


def _link(link: Path, target: str) -> None:
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)

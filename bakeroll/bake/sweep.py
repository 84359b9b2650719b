"""Deletes what a killed bake leaves behind: a builder, its key pair and security group, an unfinished image.

The bake's name is in all of them: in a tag of the builder and the image, in the names of the key pair and the image.
Packer 1.6.6 neither tags the security group nor takes a name for it, so the log tells its name.
While a bake holds the lock of its scope, every other bake with a folder on this machine is dead. A bake of another
machine counts as dead when it is older than the longest bake. Its images are never deleted.
"""

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bakeroll.bake.catalogue import BAKE, DIGEST, Images
from bakeroll.events import Event, Report

LONGEST_BAKE = timedelta(hours=3)
PACKER_SECONDS = 120.0
"""How long an orphaned Packer may take to clean up before we do it."""
ANSIBLE_SECONDS = 10.0
"""How long an orphaned Ansible may take to end after SIGTERM."""

_GROUP = re.compile(r"temporary security group for this instance: (packer_[\w-]+)")
_TIME = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Bake:
    """One run of Packer. `scope` is application and environment, `name` a time and a random number."""

    scope: str
    name: str
    work: Path

    @property
    def id(self) -> str:
        """The value of the tag `bakeroll:bake`."""
        return f"{self.scope}/{self.name}"

    @property
    def key_pair(self) -> str:
        return f"bakeroll-{self.scope}-{self.name}"

    @property
    def folder(self) -> Path:
        """Packer's working folder. It exists as long as something of the bake may be left."""
        return self.work / "bakes" / self.scope / self.name

    @property
    def temporary(self) -> Path:
        """Holds Packer's and Ansible's keys and sockets. It is short: a socket's path has 108 characters (unix(7))."""
        return Path(tempfile.gettempdir()) / f"bakeroll-{self.name}"

    @property
    def log(self) -> Path:
        return self.work / "logs" / f"bake-{self.scope}-{self.name}.log"

    def forget(self) -> None:
        """Delete the bake's folders, first the one with the builder's private key. The log stays."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep(images: Images, scope: str, work: Path, *, now: datetime, report: Report) -> None:
    """Delete what dead bakes of `scope` left. The caller must hold the lock of that scope."""
    dead = [Bake(scope, folder.name, work) for folder in sorted((work / "bakes" / scope).glob("*"))]
    swept = [*sweep_bakes(images, dead), *_sweep_elsewhere(images, scope, now)]
    if swept:
        report(Event("bake", f"deleted what a killed bake had left: {', '.join(swept)}"))


def sweep_bakes(images: Images, bakes: Sequence[Bake]) -> list[str]:
    """Delete what these bakes of this machine left, and return what was deleted."""
    if not bakes:
        return []
    for bake in bakes:
        quiet(bake.folder)
    ids, keys = {bake.id for bake in bakes}, {bake.key_pair for bake in bakes}
    builders = [builder.id for builder in images.builders(BAKE) if builder.bake in ids]
    groups = images.security_groups([name for bake in bakes for name in _groups(bake.log)])
    deleted = _delete(images, builders, [key for key in images.key_pairs("bakeroll-*") if key in keys], groups)
    for bake in bakes:
        deleted += _deregister_unfinished(images, bake)
        bake.forget()
    return deleted


def quiet(folder: Path) -> None:
    """Wait for a Packer that works in `folder`, then end the processes that it started.

    A Packer whose fab was killed gets a signal and cleans up. Ansible outlives it and talks to a deleted builder.
    """
    _await(lambda: "packer" not in _working_in(folder).values(), PACKER_SECONDS)
    for process in _working_in(folder):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    _await(lambda: not _working_in(folder), ANSIBLE_SECONDS)


def is_too_old(name: str, now: datetime) -> bool:
    """Whether a bake of this name is older than the longest bake, on any machine."""
    found = re.search(r"(\d{8}T\d{6})-[0-9a-f]+$", name)
    return found is not None and now - datetime.strptime(found[1], _TIME).replace(tzinfo=UTC) > LONGEST_BAKE


def _sweep_elsewhere(images: Images, scope: str, now: datetime) -> list[str]:
    builders = [
        each for each in images.builders(BAKE) if each.bake.startswith(f"{scope}/") and is_too_old(each.bake, now)
    ]
    groups = images.security_groups([name for each in builders for name in each.groups if name.startswith("packer_")])
    keys = [key for key in images.key_pairs(f"bakeroll-{scope}-*") if is_too_old(key, now)]
    return _delete(images, [builder.id for builder in builders], keys, groups)


def _delete(images: Images, builders: Sequence[str], keys: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Delete builders first, because they use the rest."""
    if builders:
        images.terminate(builders)
    for key in keys:
        images.delete_key_pair(key)
    for group in groups:
        images.delete_security_group(group)
    return [*builders, *keys, *groups]


def _deregister_unfinished(images: Images, bake: Bake) -> list[str]:
    """An image gets its tags last. So an image with a digest is complete and stays."""
    unfinished = [ami.id for ami in images.own(name=f"*-{bake.name}") if DIGEST not in ami.tags]
    for image in unfinished:
        images.deregister(image)
    return unfinished


def _groups(log: Path) -> list[str]:
    try:
        return _GROUP.findall(log.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def _await(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def _working_in(folder: Path) -> dict[int, str]:
    """The processes whose working directory is `folder`, by id, with their names."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.joinpath("cwd").readlink() == folder:
                found[int(process.name)] = process.joinpath("comm").read_text().strip()
    return found

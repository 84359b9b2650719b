"""The toolkit's packer/ and ansible/, overlaid with the application's: which files, their hash, a copy.

A file in the application's own packer/ or ansible/ replaces the toolkit's file of the same name.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeroll import toolkit
from bakeroll.bake.recipe import Kind

TOOLKIT = toolkit.folder()
"""Where the toolkit's own packer/ and ansible/ lie."""

OTHER: dict[Kind, Kind] = {"base": "application", "application": "base"}


def files(tree: str, kind: Kind, layers: Sequence[Path]) -> dict[str, Path]:
    """The files of `tree` ("packer" or "ansible") by their names in it. Later layers replace earlier ones.

    Hidden files are left out. So are the other kind's playbook, role and template, because a change in the
    application's role is no reason to bake a base image.
    """
    found: dict[str, Path] = {}
    for layer in layers:
        for path in sorted((layer / tree).rglob("*")):
            name = path.relative_to(layer / tree)
            if path.is_file() and not _is_hidden(name) and not _is_of(OTHER[kind], name):
                found[name.as_posix()] = path
    return found


def tree_hash(found: Mapping[str, Path]) -> str:
    """The SHA-256, in hexadecimal, of names, executable bits and contents. Times and owners do not count."""
    total = hashlib.sha256()
    for name, path in sorted(found.items()):
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{name}\0{executable}\0{content}\n".encode())
    return total.hexdigest()


def copy(found: Mapping[str, Path], folder: Path) -> None:
    """Copy the files into `folder` under their names."""
    for name, path in found.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _is_hidden(name: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in name.parts)


def _is_of(kind: Kind, name: Path) -> bool:
    if name.parts[0] == "roles":
        return len(name.parts) > 1 and name.parts[1] == kind
    return len(name.parts) == 1 and name.name.split(".")[0] == kind

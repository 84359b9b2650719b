"""What the toolkit knows of itself: where its own files lie, and its version. Leaves what is in them to the rooms.

In a clone the files lie beside the package; a wheel holds them inside it (pyproject.toml, the wheel's `sources`).
"""

import os
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

_PACKAGE = Path(__file__).parent
_IN_WHEEL = _PACKAGE / "share"
UNKNOWN = "of an unknown version"


def folder() -> Path:
    """The folder that holds packer/, ansible/, debian/ and examples/."""
    return _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent


@cache
def version() -> str:
    """A wheel's own version, or a clone's as Git describes it; UNKNOWN for files that are neither."""
    if _IN_WHEEL.is_dir():
        return metadata.version("bakeroll")
    return described(_PACKAGE.parent)


def described(clone: Path) -> str:
    """The last tag and the commit (`0.2.0-7-g1c9e2a7`), or the commit alone where there is no tag.

    Git is asked in a clone alone, or it would describe another repository that lies around a copied folder; so
    would the variables that Git sets in hooks.
    """
    if not (clone / ".git").exists():
        return UNKNOWN
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(clone), "describe", "--tags", "--match=v[0-9]*", "--always"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no Git, or a clone that Git takes for somebody else's
        return UNKNOWN
    return done.stdout.strip().removeprefix("v")

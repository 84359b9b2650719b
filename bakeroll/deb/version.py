"""The Debian version of a commit, computed from what Git knows. Pure: no input or output.

Versions follow the history: a commit's version is always above its ancestors'. So apt, the catalogue and an operator
order them in the same way.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from debian.debian_support import Version

TAG = re.compile(r"^v?(\d+(?:\.\d+)*)(?:[-._~]?(alpha|beta|a|b|dev|pre|rc)[-.]?(\d*))?$", re.ASCII)
REVISION = "-1"  # Debian's revision of the packaging, which is in the same commit


@dataclass(frozen=True, slots=True)
class Description:
    """A commit's place in the history. `tag` names its version or is empty; `distance` counts the commits since."""

    tag: str
    distance: int
    short: str

    @property
    def is_tagged(self) -> bool:
        return bool(self.tag) and self.distance == 0


def upstream(tag: str) -> str | None:
    """The upstream version that `tag` names (v1.2.3-rc1: 1.2.3~rc1). None if it names none."""
    match = TAG.match(tag)
    if not match:
        return None
    number, phase, count = match.groups()
    return f"{number}~{phase}{count}" if phase else number


def highest(tags: Iterable[str]) -> str:
    """The tag of the highest version. Empty if no tag names a version."""
    named = [(Version(version), tag) for tag in tags if (version := upstream(tag))]
    return max(named)[1] if named else ""


def debian_version(description: Description, *, dirty: tuple[datetime, str] | None = None) -> str:
    """The Debian version of a commit.

    It is 1.4.0-1 on a tag, 1.4.0+3.g1c9e2a7-1 after it, and 0.0.0+3.g1c9e2a7-1 before the first tag. `dirty` is the
    time of the newest change of an uncommitted tree and the tree's short hash. Its version is ordered between its
    commit's and the next one's: 1.4.0+3.g1c9e2a7+dirty20261121T031502.ab12cd3-1.
    """
    version = (upstream(description.tag) if description.tag else None) or "0.0.0"
    if dirty or not description.is_tagged:
        version += f"+{description.distance}.g{description.short}"
    if dirty:
        changed, tree = dirty
        version += f"+dirty{changed.astimezone(UTC):%Y%m%dT%H%M%S}.{tree}"
    return str(Version(version + REVISION))


def is_lower(version: str, other: str) -> bool:
    """Whether Debian orders `version` before `other`. A text that is no version (damaged history) is never lower."""
    try:
        return Version(version) < Version(other)
    except ValueError:
        return False


def is_wanted(wanted: str, version: str) -> bool:
    """Whether `wanted` means `version`: 1.2.3~rc1-1, 1.2.3~rc1, v1.2.3-rc1 and 1.2.3-rc1 mean the same."""
    meant = {wanted, f"{wanted}{REVISION}", f"{upstream(wanted) or wanted}{REVISION}"}
    return version in meant

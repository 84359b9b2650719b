"""The Debian version of a commit, computed from what Git knows. Pure: no input or output.

Versions follow the history: a commit's is always above its ancestors', so that apt, the catalogue and an
operator order them alike.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from debian.debian_support import Version

TAG = re.compile(r"^v?(\d+(?:\.\d+)*)(?:[-._~]?(alpha|beta|a|b|dev|pre|rc)[-.]?(\d*))?$", re.ASCII)
REVISION = "-1"  # of the packaging, as Debian has it; the packaging lies in the same commit


@dataclass(frozen=True, slots=True)
class Description:
    """Where a commit stands: `tag` names its version or is empty, `distance` counts the commits since."""

    tag: str
    distance: int
    short: str

    @property
    def is_tagged(self) -> bool:
        return bool(self.tag) and self.distance == 0


def upstream(tag: str) -> str | None:
    """The upstream version that `tag` names (v1.2.3-rc1: 1.2.3~rc1); None for a tag that names none."""
    match = TAG.match(tag)
    if not match:
        return None
    number, phase, count = match.groups()
    return f"{number}~{phase}{count}" if phase else number


def highest(tags: Iterable[str]) -> str:
    """The tag of the highest version; empty where none names one."""
    named = [(Version(version), tag) for tag in tags if (version := upstream(tag))]
    return max(named)[1] if named else ""


def debian_version(description: Description, *, dirty: tuple[datetime, str] | None = None) -> str:
    """The Debian version of a commit.

    On a tag 1.4.0-1, after it 1.4.0+3.g1c9e2a7-1, before the first 0.0.0+3.g1c9e2a7-1. `dirty` is the
    newest change of an uncommitted tree and the tree's short hash; such a version stands between its
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
    """Whether Debian orders `version` before `other`; what is no version, as of a damaged history, is never lower."""
    try:
        return Version(version) < Version(other)
    except ValueError:
        return False


def is_wanted(wanted: str, version: str) -> bool:
    """Whether an operator's word means `version`: 1.2.3~rc1-1, 1.2.3~rc1, v1.2.3-rc1 and 1.2.3-rc1 are one."""
    meant = {wanted, f"{wanted}{REVISION}", f"{upstream(wanted) or wanted}{REVISION}"}
    return version in meant

"""The vocabulary of releases. Frozen data; no input or output."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Revision:
    """A Git commit and the tree to build.

    `tree` is the commit's tree. If `is_dirty`, it is a tree object written from the working tree, without ignored
    files. `git archive` of it is the source of a package.
    """

    commit: str
    tree: str
    subject: str
    author: str
    committed_at: datetime
    branch: str
    is_dirty: bool = False

    @property
    def short(self) -> str:
        return self.commit[:7]


@dataclass(frozen=True, slots=True)
class Package:
    """A built .deb. `version` is its Debian version, `size` is in bytes."""

    name: str
    version: str
    architecture: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """An AMI that bakeroll made. `version` is empty for a base image. `base` is the image it was baked from.

    `recipe` holds the short hashes of the recipe's parts, so that a later bake can say what changed.
    """

    id: str
    name: str
    digest: str
    base: str
    created_at: datetime
    application: str = ""
    version: str = ""
    revision: str = ""
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """A version, its image and its revision, with who released it where and when.

    `released_at` is the time since which it serves. While it is being rolled, it is the time of the request.
    """

    application: str
    environment: str
    version: str
    image: str
    revision: str
    released_by: str
    released_at: datetime

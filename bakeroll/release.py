"""The vocabulary of what is released. Frozen data; no input or output."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Revision:
    """A Git commit and the tree that is built from it.

    `tree` is the commit's own tree, or, where `is_dirty`, a tree object written from the working
    tree as it stands (ignored files left out); `git archive` of it is the source of a package.
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
    """A built .deb: `version` is its Debian version, `size` is in bytes."""

    name: str
    version: str
    architecture: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """An AMI of ours. `version` is empty for a base image; `base` is the image it was baked from.

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

    `released_at` is since when it serves; of one that is still being rolled, when it was asked for.
    """

    application: str
    environment: str
    version: str
    image: str
    revision: str
    released_by: str
    released_at: datetime

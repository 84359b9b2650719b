"""Which commit, package and image a version means in one environment.

Asks the repository and Git for the package, the catalogue for the image. Owns what is refused where two of them
disagree. Leaves building, baking and rolling to `pipeline`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeroll.bake import bakery, catalogue
from bakeroll.deb import source, version
from bakeroll.errors import SourceError
from bakeroll.release import Image, Release, Revision

if TYPE_CHECKING:
    from bakeroll.wiring import Site


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that is to be released, and the commit it stands for.

    `sha256` is empty while it is in no repository; `revision` is whole where Git was asked.
    """

    version: str
    commit: str
    sha256: str = ""
    revision: Revision | None = None

    @property
    def is_published(self) -> bool:
        return bool(self.sha256)


@dataclass(frozen=True, slots=True)
class Made:
    """A package, as far as a bake wants to know it."""

    name: str
    version: str
    sha256: str


def find(site: "Site", wanted: str, *, is_dirty_allowed: bool = False) -> Candidate:
    """What `wanted` means: a version, a tag, a branch, a commit; empty: the commit that is checked out.

    A version that is named as the repository names it is the repository's, with no clone at hand as well. Raises
    SourceError where there is no such version, or where the repository holds that version of another commit.
    """
    there = in_repository(site, wanted) if wanted else None
    if there and there.version == wanted:
        return there
    if there:
        return _of_one_commit(site, there, source.find_tagged(site.environment.source, wanted, run=site.run))
    meant = revision(site, wanted, is_dirty_allowed=is_dirty_allowed)
    name = source.version_of(site.environment.source, meant, run=site.run)
    there = in_repository(site, name)
    return _of_one_commit(site, there, meant) if there else Candidate(name, meant.commit, revision=meant)


def revision(site: "Site", wanted: str, *, is_dirty_allowed: bool = False) -> Revision:
    """The commit that `wanted` means to Git. Raises SourceError where it means none."""
    folder = site.environment.source
    if not wanted:
        return source.revision(folder, is_dirty_allowed=is_dirty_allowed, run=site.run)
    if found := source.find(folder, wanted, run=site.run):
        return found
    raise SourceError(
        f"There is no version “{wanted}”: Git has no such tag, branch or commit, and the repository no such version.",
        next_step=f"The releases so far: fab history --env={site.environment.name}",
    )


def in_repository(site: "Site", wanted: str) -> Candidate | None:
    """The version that the signed repository holds; None where it holds none."""
    for each in site.published():
        if version.is_wanted(wanted, each.version):
            return Candidate(each.version, each.commit, each.sha256)
    return None


def image(site: "Site", of: Candidate) -> Image | None:
    """The image of a version that this environment may launch: by the recipe in force, else the newest baked for it.

    An image of another environment may trust another repository, so its version alone does not make it one of ours.
    """
    return _of_recipe(site, of) or _of_environment(site, of.version)


def image_of(site: "Site", release: Release) -> Image | None:
    """The very image of a release; where that is gone, another of its version."""
    ami = site.bakery.images.get(release.image)
    if ami and ami.state == "available":
        return catalogue.image_of(ami)
    return image(site, in_repository(site, release.version) or Candidate(release.version, release.revision))


def made(site: "Site", of: Candidate) -> Made:
    return Made(site.environment.application, of.version, of.sha256)


def _of_recipe(site: "Site", of: Candidate) -> Image | None:
    return bakery.find_image(site.bakery, site.repository, made(site, of)) if of.is_published else None


def _of_environment(site: "Site", wanted: str) -> Image | None:
    released = {each.image for each in site.history()}
    for ami in catalogue.of_version(site.bakery.images, site.environment.application, wanted):
        if ami.tags.get(catalogue.ENVIRONMENT) == site.environment.name or ami.id in released:
            return catalogue.image_of(ami)
    return None


def _of_one_commit(site: "Site", there: Candidate, meant: Revision | None) -> Candidate:
    """The published version, if it was built from the commit that Git means by it."""
    if meant and there.commit and there.commit != meant.commit:
        name = f"{site.environment.application} {there.version}"
        raise SourceError(
            f"The repository holds {name} of commit {there.commit[:7]}, and here that version is commit {meant.short}.",
            left="Nothing was changed. A published version never changes.",
            next_step=f"Give {meant.short} a tag of its own, or deploy what is published: --version={there.version}",
        )
    return Candidate(there.version, there.commit, there.sha256, meant)

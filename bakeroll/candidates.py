"""Which commit, package, image and release a version means in one environment.

Asks the repository and Git for the package, the catalogue for the image, the history for the release. Refuses a
version on which two of them disagree. Leaves building, baking and rolling to `pipeline`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeroll.bake import bakery, catalogue
from bakeroll.deb import source, version
from bakeroll.errors import DocumentUnreadable, SourceError
from bakeroll.release import Image, Release, Revision

if TYPE_CHECKING:
    from bakeroll.wiring import Site


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that is about to be released, and its commit.

    `sha256` is empty while no repository holds it. `revision` is set if Git was asked.
    """

    version: str
    commit: str
    sha256: str = ""
    revision: Revision | None = None

    @property
    def is_published(self) -> bool:
        return bool(self.sha256)


@dataclass(frozen=True, slots=True)
class PackageIdentity:
    """What a bake needs to know of a package. `sha256` is empty if the package is not built yet."""

    name: str
    version: str
    sha256: str


def find(site: "Site", wanted: str, *, is_dirty_allowed: bool = False) -> Candidate:
    """The candidate that `wanted` means: a version, tag, branch or commit. Empty means the checked-out commit.

    A full version that the repository holds needs no clone. Raises SourceError if there is no such version, or if
    the repository holds that version built from another commit.
    """
    there = find_published(site, wanted) if wanted else None
    if there and there.version == wanted:
        return there
    if there:
        return _of_one_commit(site, there, source.find_tagged(site.environment.source, wanted, run=site.run))
    meant = find_revision(site, wanted, is_dirty_allowed=is_dirty_allowed)
    name = source.read_version(site.environment.source, meant, run=site.run)
    there = find_published(site, name)
    return _of_one_commit(site, there, meant) if there else Candidate(name, meant.commit, revision=meant)


def find_revision(site: "Site", wanted: str, *, is_dirty_allowed: bool = False) -> Revision:
    """The commit that `wanted` means to Git. Raises SourceError if Git knows none."""
    folder = site.environment.source
    if not wanted:
        return source.read_revision(folder, is_dirty_allowed=is_dirty_allowed, run=site.run)
    if found := source.find(folder, wanted, run=site.run):
        return found
    raise SourceError(
        f"There is no version “{wanted}”: Git has no such tag, branch or commit, and the repository no such version.",
        next_step=f"List the releases: fab history --env={site.environment.name}",
    )


def find_published(site: "Site", wanted: str) -> Candidate | None:
    """The version in the signed repository. None if it holds no such version."""
    for each in site.published():
        if version.is_wanted(wanted, each.version):
            return Candidate(each.version, each.commit, each.sha256)
    return None


def find_image(site: "Site", of: Candidate) -> Image | None:
    """The image of a version that this environment may launch.

    That is the image of the current recipe, else the newest image that was baked for this environment. An image of
    another environment may trust another repository, so its version alone does not make it usable here.
    """
    return _of_recipe(site, of) or _of_environment(site, of.version)


def find_image_of(site: "Site", release: Release) -> Image | None:
    """The very image of a release. If it is gone, another image of the same version."""
    ami = site.bakery.images.get(release.image)
    if ami and ami.state == "available":
        return catalogue.image_of(ami)
    return find_image(site, find_published(site, release.version) or Candidate(release.version, release.revision))


def find_earlier_release(site: "Site", wanted: str) -> Release:
    """The newest release of version `wanted`, or, if that is empty, the one before the release that serves.

    Raises SourceError if there is none, and DocumentUnreadable if an entry that may be the answer cannot be read.
    """
    entries = site.roller.entries()
    if not entries:
        raise SourceError(
            f"{site.environment.name} has no release to go back to.",
            next_step=f"Release one: fab deploy --env={site.environment.name}",
        )
    releases = [each for each in entries if isinstance(each, Release)]
    found = [each for each in releases if _is_earlier(each, releases[0], wanted)]
    if not wanted or not found:
        _refuse_unreadable(entries, found)
    if not found:
        raise SourceError(
            f"{site.environment.name} never had a release of version “{wanted}”."
            if wanted
            else f"There is no release before {releases[0].version}, which serves {site.environment.name}.",
            next_step=f"List the releases: fab history --env={site.environment.name}",
        )
    return found[0]


def package_of(site: "Site", candidate: Candidate) -> PackageIdentity:
    """The candidate's package, as a bake wants it."""
    return PackageIdentity(site.environment.application, candidate.version, candidate.sha256)


def _of_recipe(site: "Site", of: Candidate) -> Image | None:
    return bakery.find_image(site.bakery, site.repository, package_of(site, of)) if of.is_published else None


def _of_environment(site: "Site", wanted: str) -> Image | None:
    released = {each.image for each in site.roller.history()}
    for ami in catalogue.of_version(site.bakery.images, site.environment.application, wanted):
        if ami.tags.get(catalogue.ENVIRONMENT) == site.environment.name or ami.id in released:
            return catalogue.image_of(ami)
    return None


def _of_one_commit(site: "Site", there: Candidate, meant: Revision | None) -> Candidate:
    """The published version, if it was built from the commit that Git means by it."""
    if meant and there.commit and there.commit != meant.commit:
        name = f"{site.environment.application} {there.version}"
        raise SourceError(
            f"The repository holds {name} built from commit {there.commit[:7]}. "
            f"In this clone that version is commit {meant.short}.",
            left="Nothing was changed. A published version never changes.",
            next_step=f"Give {meant.short} its own tag, or deploy the published version: --version={there.version}",
        )
    return Candidate(there.version, there.commit, there.sha256, meant)


def _is_earlier(release: Release, serving: Release, wanted: str) -> bool:
    return version.is_wanted(wanted, release.version) if wanted else release.version != serving.version


def _refuse_unreadable(entries: Sequence[Release | DocumentUnreadable], found: Sequence[Release]) -> None:
    """Raise the first unreadable entry newer than the one found: it may be the release that serves, or the answer."""
    newer = entries[: entries.index(found[0])] if found else entries
    for each in newer:
        if isinstance(each, DocumentUnreadable):
            each.left = "Nothing was changed."
            each.next_step += "\nOr name the version to go back to: fab rollback, with the same --env and a --to"
            raise each

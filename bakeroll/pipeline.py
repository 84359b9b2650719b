"""The road of a release, from a commit to a fleet that serves it.

    commit ──package──▶ .deb ──publish──▶ apt repository ──bake──▶ AMI ──roll──▶ fleet, and the release written down

Each stage is a task of its own and walks the road up to itself; what an earlier run has done is found, not
done again: a version in the repository is not built, an image with the recipe's digest is not baked, a fleet
that serves the release is not rolled. So `deploy` can be run at any time, after any end, and goes on.

    package   the version from Git, or the one asked for; the .deb, unless the repository has that version
    publish   adds it to the signed repository
    bake      the base image where none is current, then the application image on it
    roll      the fleet to that image; then the release is written down
    rollback  a roll to a release of the history

Rooms do the work and report what happens; this module only joins them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeroll import candidates, survey
from bakeroll.apt import repository
from bakeroll.bake import bakery
from bakeroll.candidates import Candidate
from bakeroll.console.times import age, since
from bakeroll.deb import build, source, version
from bakeroll.errors import BakeError, ConfirmationNeeded, DocumentUnreadable, RollFailed, SourceError
from bakeroll.events import Event, Stage
from bakeroll.release import Image, Package, Release, Revision
from bakeroll.wiring import Site


@dataclass(frozen=True, slots=True)
class Request:
    """What an operator asks for. Without a version it is the commit that is checked out.

    `patience`: so many seconds another that rolls the fleet is waited for. `confirm` is told what is about to be
    rolled, before anything changes; it raises where that is not wanted. `is_agreed` where the operator's word was
    given beforehand.
    """

    version: str = ""
    is_dirty_allowed: bool = False
    is_dry: bool = False
    patience: float = 0
    confirm: Callable[[str], None] = field(default=lambda _: None)
    is_agreed: bool = False


@dataclass
class Stopwatch:
    """Seconds of wall clock by stage."""

    seconds: dict[Stage, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun


def package(site: Site, request: Request) -> Package | None:
    """Build the package; None in a dry run. Asks nothing of AWS."""
    revision = candidates.revision(site, request.version, is_dirty_allowed=request.is_dirty_allowed)
    name = source.version_of(site.environment.source, revision, run=site.run)
    if request.is_dry:
        _would_build(site, name, revision)
        return None
    return _built(site, name, revision)


def publish(site: Site, request: Request) -> Candidate:
    """The version asked for, in the repository: built and added where it is not there."""
    candidate = _candidate(site, request)
    _prepared(site, request)
    return _published(site, request, candidate, Stopwatch())


def bake(site: Site, request: Request) -> Image | None:
    """The image of the version asked for; None in a dry run where it is not baked yet."""
    return _baked(site, request, publish(site, request))


def roll(site: Site, request: Request) -> dict[str, Any] | None:
    """Roll the fleet to the version asked for, whose image must be baked, and write the release down."""
    stopwatch = Stopwatch()
    release = candidate_release(site, request)
    _agreed(site, request, Candidate(release.version, release.revision))
    return _rolled(site, request, release, stopwatch)


def deploy(site: Site, request: Request) -> dict[str, Any] | None:
    """The whole road."""
    stopwatch = Stopwatch()
    candidate = _candidate(site, request)
    _agreed(site, request, candidate)
    candidate = _published(site, request, candidate, stopwatch)
    with stopwatch.stage("bake"):
        image = _baked(site, request, candidate)
    return _rolled(site, request, _release(site, image) if image else None, stopwatch)


def rollback(site: Site, request: Request) -> dict[str, Any] | None:
    """Roll to the release before the one that serves, or to the newest of the version asked for.

    To the very image of that release; where that is gone, to another of its version.
    """
    to = request.version
    entries = site.roller.entries()
    releases = [each for each in entries if isinstance(each, Release)]
    if not entries:
        raise SourceError(
            f"{site.environment.name} has no release to go back to.",
            next_step=f"The first: fab deploy --env={site.environment.name}",
        )
    wanted = [each for each in releases if _is_earlier(each, releases[0], to)]
    if not to or not wanted:
        _refuse_unreadable(entries, wanted)
    if not wanted:
        raise SourceError(
            f"{site.environment.name} never had a release of version “{to}”."
            if to
            else f"There is no release before {releases[0].version}, which serves {site.environment.name}.",
            next_step=f"The releases so far: fab history --env={site.environment.name}",
        )
    image = candidates.image_of(site, wanted[0])
    if image is None:
        raise BakeError(
            f"The image of {wanted[0].version}, {wanted[0].image}, is gone.",
            next_step=f"Bake it again: fab deploy --env={site.environment.name} --version={wanted[0].version}",
        )
    _agreed(site, request, Candidate(image.version, image.revision), is_back=True)
    return _rolled(site, request, _release(site, image), Stopwatch())


def _refuse_unreadable(entries: Sequence[Release | DocumentUnreadable], wanted: Sequence[Release]) -> None:
    """One that is newer than the wanted may be what serves, or what is to be gone back to."""
    newer = entries[: entries.index(wanted[0])] if wanted else entries
    for each in newer:
        if isinstance(each, DocumentUnreadable):
            each.left = "Nothing was changed."
            each.next_step += "\nOr name the version to go back to: fab rollback, with the same --env and a --to"
            raise each


def _is_earlier(release: Release, current: Release, to: str) -> bool:
    return version.is_wanted(to, release.version) if to else release.version != current.version


def _rolled(site: Site, request: Request, release: Release | None, stopwatch: Stopwatch) -> dict[str, Any] | None:
    """Roll to a release; in a dry run, where its image may be yet to be baked, say what would be done."""
    if request.is_dry or release is None:
        _would(site, "roll", site.roller.preview(release))
        return None
    return serve(site, release, stopwatch, patience=request.patience)


def serve(
    site: Site, release: Release, stopwatch: Stopwatch, *, is_resumed: bool = False, patience: float = 0
) -> dict[str, Any]:
    """Roll the fleet to a release, or go on with the roll that was cut off. What then serves, as `--json` tells it."""
    with stopwatch.stage("roll"):
        timeline = lead(site, release, is_resumed=is_resumed, patience=patience)
    releases = site.roller.history()
    if releases and releases[0].image == release.image:
        release = releases[0]  # with the moment since which it serves
    earlier = [each.version for each in releases if each.version != release.version]
    return {
        "application": site.environment.application,
        "environment": site.environment.name,
        "url": site.roller.url(),
        "release": survey.told(release),
        "before": earlier[0] if earlier else None,
        "seconds": stopwatch.seconds,
        "timeline": str(timeline) if timeline else None,
        "stands_by_until": site.roller.stands_by_until(),
    }


def lead(site: Site, release: Release, *, is_resumed: bool = False, patience: float = 0) -> Path | None:
    """Roll the fleet to a release, from this process. Where its timeline is; None where it has none."""
    with site.recording(release) as timeline:
        site.roller.roll(release, timeline, is_resumed=is_resumed, patience=patience)
    return timeline.path


def candidate_release(site: Site, request: Request) -> Release:
    """The release of the version asked for, whose image must be baked."""
    candidate = _candidate(site, request)
    image = candidates.image(site, candidate)
    if image is None:
        raise BakeError(
            f"{site.environment.name} has no image of {site.environment.application} {candidate.version}.",
            next_step=f"Bake one: fab bake --env={site.environment.name} --version={candidate.version}",
        )
    return _release(site, image)


def _release(site: Site, image: Image) -> Release:
    return Release(
        application=site.environment.application,
        environment=site.environment.name,
        version=image.version,
        image=image.id,
        revision=image.revision,
        released_by=site.operator,
        released_at=datetime.now(UTC),
    )


def _agreed(site: Site, request: Request, candidate: Candidate, *, is_back: bool = False) -> None:
    """Say what goes where, have the operator's word if it is wanted, and see that all is there that a roll needs."""
    environment = site.environment
    what = f"{environment.application} {candidate.version} → {environment.name}   {site.where()}"
    from_git = _described(candidate.revision) if candidate.revision else f"commit {candidate.commit[:7]}"
    site.report(Event("release", f"{what}   {from_git}", "heading"))
    if not site.local and not site.roller.has_fleet():
        raise RollFailed(
            f"There is no Auto Scaling group {environment.fleet} in {site.where()}.",
            left="Nothing was changed.",
            next_step=f"Name it in deploy.yml: environments.{environment.name}.fleet",
        )
    serving = next(iter(site.roller.history()), None)
    if not is_back:
        _heed_lower(site, request, candidate, serving)
    if not request.is_dry:
        request.confirm(_replacement(candidate, serving))
    _prepared(site, request)


def _heed_lower(site: Site, request: Request, candidate: Candidate, serving: Release | None) -> None:
    """Warn of a version below the one that serves; refuse it where a word is wanted and was not given."""
    environment = site.environment
    what = lower(candidate.version, serving)
    if not what:
        return
    if environment.confirm and not request.is_agreed and not request.is_dry:
        raise ConfirmationNeeded(
            f"{what}.",
            left="Nothing was changed.",
            next_step="If this clone lacks tags: git fetch --tags      If it is meant: --yes, or fab rollback",
        )
    site.report(Event("release", f"{what}; if this clone lacks tags: git fetch --tags", "note"))


def lower(to: str, serving: Release | None) -> str:
    """That a version is below the one that serves, in a sentence; empty where it is not."""
    if serving is None or not version.is_lower(to, serving.version):
        return ""
    return f"{to} is lower than {serving.version}, which serves {serving.environment}"


def _prepared(site: Site, request: Request) -> None:
    """Make what the stages need: in a local environment table, bucket and fleet as well. A dry run makes nothing."""
    if request.is_dry or not site.local or site.roller.has_fleet():
        return
    for sentence in site.provision():
        site.report(Event("cloud", sentence))


def _replacement(candidate: Candidate, serving: Release | None) -> str:
    before = "no release"
    if serving:
        before = f"{serving.version}  {serving.image}  since {since(serving.released_at, datetime.now(UTC))}"
    return f"  now   {before}\n  then  {candidate.version}"


def _candidate(site: Site, request: Request) -> Candidate:
    return candidates.find(site, request.version, is_dirty_allowed=request.is_dirty_allowed)


def _published(site: Site, request: Request, candidate: Candidate, stopwatch: Stopwatch) -> Candidate:
    environment = site.environment
    name, where = f"{environment.application} {candidate.version}", f"s3://{environment.repository.bucket}"
    if candidate.is_published or candidate.revision is None:
        site.report(Event("publish", f"{where} suite {environment.repository.suite} holds {name}", "done"))
        return candidate
    if request.is_dry:
        _would_build(site, candidate.version, candidate.revision)
        _would(site, "publish", f"add it to {where}, suite {environment.repository.suite}")
        return candidate
    with stopwatch.stage("package"):
        built = _built(site, candidate.version, candidate.revision)
    with stopwatch.stage("publish"):
        repository.publish(
            built, environment.repository, store=site.store, signer=site.signer, run=site.run, report=site.report
        )
    return Candidate(candidate.version, candidate.commit, built.sha256, candidate.revision)


def _built(site: Site, name: str, revision: Revision) -> Package:
    site.make_work()
    return build.build(
        site.environment, revision, name, output=site.work / "packages", run=site.run, report=site.report
    )


def _would_build(site: Site, name: str, revision: Revision) -> None:
    build.refuse_what_cannot_be_built(site.environment, revision, run=site.run)
    _would(site, "package", f"build {site.environment.application} {name} from {_described(revision)}")


def _baked(site: Site, request: Request, candidate: Candidate) -> Image | None:
    made = candidates.made(site, candidate)
    if request.is_dry:
        would, image = bakery.preview(site.bakery, site.repository, made)
        _would(site, "bake", would)
        return image
    site.make_work()
    base = bakery.bake_base(site.bakery, site.repository)
    return bakery.bake_application(site.bakery, made, candidate.commit, base)


def _described(revision: Revision) -> str:
    of = f"{revision.branch}@{revision.short}" if revision.branch else f"commit {revision.short}"
    changed = " and changes that no commit holds" if revision.is_dirty else ""
    ago = age(revision.committed_at, datetime.now(UTC))
    by = f"{revision.author}, " if revision.author else ""
    return f"{of} “{revision.subject}”{changed} ({by}{ago} ago)"


def _would(site: Site, stage: Stage, what: str) -> None:
    site.report(Event(stage, f"would {what}", "plan"))

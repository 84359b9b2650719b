"""The road of a release, from a commit to a fleet that serves it.

    commit ──package──▶ .deb ──publish──▶ apt repository ──bake──▶ AMI ──roll──▶ fleet, and the release in the history

Each stage is a task. A task runs every stage up to its own. It finds what an earlier run has done and does not do it
again: it builds no version that the repository holds, bakes no image whose recipe's digest exists, and rolls no fleet
that serves the release. So `deploy` can run at any time and after any failure, and continues from there.

    package   finds the version and builds the .deb
    publish   adds the .deb to the signed repository
    bake      bakes the base image if it is missing or too old, then the application image on it
    roll      rolls the fleet to that image and adds the release to the history
    rollback  rolls to a release of the history

This module joins the rooms, which do the work and report what happens. `candidates` finds the version, the image and
the earlier release. `approval` reports and asks before anything changes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeroll import candidates, survey
from bakeroll.approval import approve, described, provision_missing
from bakeroll.apt import repository
from bakeroll.bake import bakery
from bakeroll.candidates import Candidate
from bakeroll.deb import build, source
from bakeroll.errors import BakeError
from bakeroll.events import Event, Stage
from bakeroll.release import Image, Package, Release, Revision
from bakeroll.release_request import ReleaseRequest
from bakeroll.wiring import Site


@dataclass
class Stopwatch:
    """Seconds of wall clock by stage."""

    seconds: dict[Stage, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun


def package(site: Site, request: ReleaseRequest) -> Package | None:
    """Build the package. Return None in a dry run. Calls no AWS API."""
    revision = candidates.find_revision(site, request.version, is_dirty_allowed=request.is_dirty_allowed)
    name = source.read_version(site.environment.source, revision, run=site.run)
    if request.is_dry:
        _preview_build(site, name, revision)
        return None
    return _build(site, name, revision)


def publish(site: Site, request: ReleaseRequest) -> Candidate:
    """Build the requested version and add it to the repository, unless the repository has it."""
    candidate = _find_candidate(site, request)
    provision_missing(site, request)
    return _publish(site, request, candidate, Stopwatch())


def bake(site: Site, request: ReleaseRequest) -> Image | None:
    """Bake the image of the requested version. Return None in a dry run if there is no image yet."""
    return _bake(site, request, publish(site, request))


def roll(site: Site, request: ReleaseRequest) -> dict[str, Any] | None:
    """Roll the fleet to the requested version, which must have an image, and add the release to the history."""
    stopwatch = Stopwatch()
    release = find_release(site, request)
    approve(site, request, Candidate(release.version, release.revision))
    return _roll(site, request, release, stopwatch)


def deploy(site: Site, request: ReleaseRequest) -> dict[str, Any] | None:
    """Run the whole road."""
    stopwatch = Stopwatch()
    candidate = _find_candidate(site, request)
    approve(site, request, candidate)
    candidate = _publish(site, request, candidate, stopwatch)
    with stopwatch.stage("bake"):
        image = _bake(site, request, candidate)
    return _roll(site, request, _release(site, image) if image else None, stopwatch)


def rollback(site: Site, request: ReleaseRequest) -> dict[str, Any] | None:
    """Roll to the release before the one that serves, or to the newest release of the requested version.

    Uses the very image of that release. If that image is gone, uses another image of the same version.
    """
    release = candidates.find_earlier_release(site, request.version)
    image = candidates.find_image_of(site, release)
    if image is None:
        raise BakeError(
            f"The image of {release.version}, {release.image}, is gone.",
            next_step=f"Bake it again: fab deploy --env={site.environment.name} --version={release.version}",
        )
    approve(site, request, Candidate(image.version, image.revision), is_back=True)
    return _roll(site, request, _release(site, image), Stopwatch())


def serve(
    site: Site, release: Release, stopwatch: Stopwatch, *, is_resumed: bool = False, patience: float = 0
) -> dict[str, Any]:
    """Roll the fleet to a release, or continue a roll that was cut off. Return what then serves, for `--json`."""
    with stopwatch.stage("roll"):
        timeline = lead(site, release, is_resumed=is_resumed, patience=patience)
    releases = site.roller.history()
    if releases and releases[0].image == release.image:
        release = releases[0]  # this one has the time since which it serves
    earlier = [each.version for each in releases if each.version != release.version]
    return {
        "application": site.environment.application,
        "environment": site.environment.name,
        "url": site.roller.url(),
        "release": survey.release_object(release),
        "before": earlier[0] if earlier else None,
        "seconds": stopwatch.seconds,
        "timeline": str(timeline) if timeline else None,
        "stands_by_until": site.roller.stands_by_until(),
    }


def lead(site: Site, release: Release, *, is_resumed: bool = False, patience: float = 0) -> Path | None:
    """Roll the fleet to a release from this process. Return where its timeline is; None if it has none."""
    with site.recording(release) as timeline:
        site.roller.roll(release, timeline, is_resumed=is_resumed, patience=patience)
    return timeline.path


def find_release(site: Site, request: ReleaseRequest) -> Release:
    """The release of the requested version. Raises BakeError if it has no image."""
    candidate = _find_candidate(site, request)
    image = candidates.find_image(site, candidate)
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


def _find_candidate(site: Site, request: ReleaseRequest) -> Candidate:
    return candidates.find(site, request.version, is_dirty_allowed=request.is_dirty_allowed)


def _publish(site: Site, request: ReleaseRequest, candidate: Candidate, stopwatch: Stopwatch) -> Candidate:
    environment = site.environment
    name, where = f"{environment.application} {candidate.version}", f"s3://{environment.repository.bucket}"
    if candidate.is_published or candidate.revision is None:
        site.report(Event("publish", f"{where} suite {environment.repository.suite} holds {name}", "done"))
        return candidate
    if request.is_dry:
        _preview_build(site, candidate.version, candidate.revision)
        _report_plan(site, "publish", f"add it to {where}, suite {environment.repository.suite}")
        return candidate
    with stopwatch.stage("package"):
        built = _build(site, candidate.version, candidate.revision)
    with stopwatch.stage("publish"):
        repository.publish(
            built, environment.repository, store=site.store, signer=site.signer, run=site.run, report=site.report
        )
    return Candidate(candidate.version, candidate.commit, built.sha256, candidate.revision)


def _build(site: Site, name: str, revision: Revision) -> Package:
    site.make_work()
    return build.build(
        site.environment, revision, name, output=site.work / "packages", run=site.run, report=site.report
    )


def _bake(site: Site, request: ReleaseRequest, candidate: Candidate) -> Image | None:
    package = candidates.package_of(site, candidate)
    if request.is_dry:
        would, image = bakery.preview(site.bakery, site.repository, package)
        _report_plan(site, "bake", would)
        return image
    site.make_work()
    base = bakery.bake_base(site.bakery, site.repository)
    return bakery.bake_application(site.bakery, package, candidate.commit, base)


def _roll(site: Site, request: ReleaseRequest, release: Release | None, stopwatch: Stopwatch) -> dict[str, Any] | None:
    """Roll to a release. In a dry run, where its image may not exist yet, report what the roll would do."""
    if request.is_dry or release is None:
        _report_plan(site, "roll", site.roller.preview(release))
        return None
    return serve(site, release, stopwatch, patience=request.patience)


def _preview_build(site: Site, name: str, revision: Revision) -> None:
    build.refuse_what_cannot_be_built(site.environment, revision, run=site.run)
    _report_plan(site, "package", f"build {site.environment.application} {name} from {described(revision)}")


def _report_plan(site: Site, stage: Stage, what: str) -> None:
    site.report(Event(stage, f"would {what}", "plan"))

"""What happens between an operator's request and the first change.

Reports what goes where, refuses what cannot work, asks for confirmation, and makes what a local environment lacks.
Leaves every later stage to `pipeline`.
"""

from datetime import UTC, datetime

from bakeroll.candidates import Candidate
from bakeroll.console.times import age, since
from bakeroll.deb import version
from bakeroll.errors import ConfirmationNeeded, RollFailed
from bakeroll.events import Event
from bakeroll.release import Release, Revision
from bakeroll.release_request import ReleaseRequest
from bakeroll.wiring import Site


def approve(site: Site, request: ReleaseRequest, candidate: Candidate, *, is_back: bool = False) -> None:
    """Report what is about to be rolled, and get the operator's agreement if the environment needs it.

    `is_back` is for a rollback, where a lower version is what the operator wants. Raises RollFailed if there is no
    fleet, ConfirmationNeeded if the operator does not agree.
    """
    site.report(Event("release", _heading(site, candidate), "heading"))
    _refuse_missing_fleet(site)
    serving = next(iter(site.roller.history()), None)
    if not is_back:
        _check_order(site, request, candidate, serving)
    if not request.is_dry:
        request.confirm(_replacement(candidate, serving))
    provision_missing(site, request)


def provision_missing(site: Site, request: ReleaseRequest) -> None:
    """Make the table, bucket and fleet of a local environment that has none. A dry run makes nothing."""
    if request.is_dry or not site.local or site.roller.has_fleet():
        return
    for sentence in site.provision():
        site.report(Event("cloud", sentence))


def lower_version_warning(to: str, serving: Release | None) -> str:
    """A sentence if version `to` is lower than the one that serves, else empty."""
    if serving is None or not version.is_lower(to, serving.version):
        return ""
    return f"{to} is lower than {serving.version}, which serves {serving.environment}"


def described(revision: Revision) -> str:
    """A revision for people: branch and commit, subject, author, age."""
    of = f"{revision.branch}@{revision.short}" if revision.branch else f"commit {revision.short}"
    changed = " and uncommitted changes" if revision.is_dirty else ""
    ago = age(revision.committed_at, datetime.now(UTC))
    by = f"{revision.author}, " if revision.author else ""
    return f"{of} “{revision.subject}”{changed} ({by}{ago} ago)"


def _heading(site: Site, candidate: Candidate) -> str:
    environment = site.environment
    what = f"{environment.application} {candidate.version} → {environment.name}"
    commit = described(candidate.revision) if candidate.revision else f"commit {candidate.commit[:7]}"
    return f"{what}   {site.where()}   {commit}"


def _refuse_missing_fleet(site: Site) -> None:
    environment = site.environment
    if site.local or site.roller.has_fleet():
        return
    raise RollFailed(
        f"There is no Auto Scaling group {environment.fleet} in {site.where()}.",
        left="Nothing was changed.",
        next_step=f"Name it in deploy.yml: environments.{environment.name}.fleet",
    )


def _check_order(site: Site, request: ReleaseRequest, candidate: Candidate, serving: Release | None) -> None:
    """Warn of a version lower than the one that serves. Refuse it if confirmation is needed and --yes is missing."""
    warning = lower_version_warning(candidate.version, serving)
    if not warning:
        return
    if site.environment.confirm and not request.is_agreed and not request.is_dry:
        raise ConfirmationNeeded(
            f"{warning}.",
            left="Nothing was changed.",
            next_step="If this clone lacks tags: git fetch --tags      If you mean it: pass --yes, or fab rollback",
        )
    site.report(Event("release", f"{warning}; if this clone lacks tags: git fetch --tags", "note"))


def _replacement(candidate: Candidate, serving: Release | None) -> str:
    before = "no release"
    if serving:
        before = f"{serving.version}  {serving.image}  since {since(serving.released_at, datetime.now(UTC))}"
    return f"  now   {before}\n  then  {candidate.version}"

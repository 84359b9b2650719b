"""What stands: the release, the fleet that serves it or does not, a roll under way, and what to do about it.

Pure but for `status` and `history`, which ask. What they return is what `--json` prints.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bakeroll.errors import DocumentUnreadable
from bakeroll.release import Release
from bakeroll.roll.operate.status import STANDING_BY
from bakeroll.wording import counted

if TYPE_CHECKING:
    from bakeroll.roll.operate.status import FleetStatus, RollStatus
    from bakeroll.wiring import Site


def status(site: "Site") -> dict[str, Any]:
    """The release that was rolled last, where, and each instance: in service, or why not."""
    environment, (releases, unreadable), fleet = site.environment, _entries(site), site.status()
    release = releases[0] if releases else None
    unreadable = [*fleet.unreadable, *unreadable]
    found = asdict(fleet)
    return {
        "application": environment.application,
        "environment": environment.name,
        "url": site.url(),
        "release": told(release) if release else None,
        "fleet": {"name": fleet.name, "desired": fleet.desired, "launches": fleet.launches},
        "in_service": fleet.in_service,
        "instances": list(found["instances"]),
        "roll": found["roll"],
        "stands_by_until": fleet.stands_by_until or None,
        "drift": list(drift(release, fleet)),
        "unreadable": unreadable,
        "next_step": next_step(environment.name, release, fleet),
    }


def history(site: "Site") -> dict[str, Any]:
    """The releases that served, and the rolls that ended with theirs not serving; the newest of each first."""
    releases, unreadable = _entries(site)
    rolls = site.ended_rolls()
    return {
        "environment": site.environment.name,
        "releases": [told(each) for each in releases],
        "rolls": [asdict(each) for each in rolls if not isinstance(each, DocumentUnreadable)],
        "unreadable": [*unreadable, *(_why(each) for each in rolls if isinstance(each, DocumentUnreadable))],
    }


def _entries(site: "Site") -> tuple[list[Release], list[str]]:
    """The releases that can be read, and what is said of those that cannot."""
    entries = site.entries()
    unreadable = [_why(each) for each in entries if isinstance(each, DocumentUnreadable)]
    return [each for each in entries if isinstance(each, Release)], unreadable


def _why(unreadable: DocumentUnreadable) -> str:
    return f"{unreadable.what}\n{unreadable.next_step}"


def told(release: Release) -> dict[str, Any]:
    return {
        "version": release.version,
        "image": release.image,
        "revision": release.revision,
        "by": release.released_by,
        "at": release.released_at.isoformat(timespec="seconds"),
    }


def drift(release: Release | None, fleet: "FleetStatus") -> Iterator[str]:
    """In what the fleet differs from the last release; nothing while it is being rolled, or may be."""
    if fleet.roll or fleet.unreadable or release is None:
        return
    members = [each for each in fleet.instances if each.state != STANDING_BY]
    for each in members:
        if each.image != release.image:
            yield f"{each.id} runs {each.image}, not the release's {release.image}"
        elif each.version not in ("", release.version):
            yield f"{each.id} says that it runs {each.version}, not {release.version}"
    if fleet.launches != release.image:
        yield f"{fleet.name} launches {fleet.launches}, not the release's {release.image}"
    if len(members) != fleet.desired:
        verb = "is" if fleet.desired == 1 else "are"
        yield f"{fleet.name} has {counted(len(members), 'instance')}, and {fleet.desired} {verb} desired"


def next_step(environment: str, release: Release | None, fleet: "FleetStatus") -> str:
    """The next command where something is amiss; empty where nothing is; of a roll that was cut off as `doctor`."""
    if fleet.unreadable:
        return f"What to do: fab doctor --env={environment}"
    if fleet.roll and fleet.roll.is_cut_off:
        return _mended(environment, fleet.roll)
    if fleet.roll and fleet.roll.paused_by:
        return f"Go on: fab resume --env={environment}      Take it back: fab abort --env={environment}"
    if fleet.roll:
        return f"Look again: fab status --env={environment}"
    if release is None:
        return f"The first: fab deploy --env={environment}"
    if any(drift(release, fleet)) or fleet.in_service < fleet.desired:
        return f"Put it right: fab roll --env={environment} --version={release.version}"
    return ""


def _mended(environment: str, roll: "RollStatus") -> str:
    fix = f"fab doctor --env={environment} --fix"
    if roll.is_past_commit:
        return f"Past its commit point, it goes on from there: {fix}"
    if not roll.version:
        return f"It had begun nothing: {fix}"
    instead = "" if roll.is_backing_out else f"      Go on instead: fab resume --env={environment}"
    return f"Take it back: {fix}{instead}"

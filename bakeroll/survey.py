"""The state of an environment: its release, its fleet, a running roll, and the next command.

`status` and `history` read the world, and `--json` prints what they return. The rest is pure.
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
    """The last release, and each instance of the fleet: in service, or why not."""
    environment, (releases, unreadable), fleet = site.environment, _read_history(site), site.roller.status()
    release = releases[0] if releases else None
    unreadable = [*fleet.unreadable, *unreadable]
    found = asdict(fleet)
    return {
        "application": environment.application,
        "environment": environment.name,
        "url": site.roller.url(),
        "release": release_object(release) if release else None,
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
    """The releases that served, and the rolls whose release does not serve. The newest come first."""
    releases, unreadable = _read_history(site)
    rolls = site.roller.ended_rolls()
    return {
        "environment": site.environment.name,
        "releases": [release_object(each) for each in releases],
        "rolls": [asdict(each) for each in rolls if not isinstance(each, DocumentUnreadable)],
        "unreadable": [*unreadable, *(_why(each) for each in rolls if isinstance(each, DocumentUnreadable))],
    }


def _read_history(site: "Site") -> tuple[list[Release], list[str]]:
    """The releases that can be read, and a message for each entry that cannot."""
    entries = site.roller.entries()
    unreadable = [_why(each) for each in entries if isinstance(each, DocumentUnreadable)]
    return [each for each in entries if isinstance(each, Release)], unreadable


def _why(unreadable: DocumentUnreadable) -> str:
    return f"{unreadable.what}\n{unreadable.next_step}"


def release_object(release: Release) -> dict[str, Any]:
    """A release as `--json` prints it."""
    return {
        "version": release.version,
        "image": release.image,
        "revision": release.revision,
        "by": release.released_by,
        "at": release.released_at.isoformat(timespec="seconds"),
    }


def drift(release: Release | None, fleet: "FleetStatus") -> Iterator[str]:
    """How the fleet differs from the last release. Empty while a roll runs, or while the record is unreadable."""
    if fleet.roll or fleet.unreadable or release is None:
        return
    members = [each for each in fleet.instances if each.state != STANDING_BY]
    for each in members:
        if each.image != release.image:
            yield f"{each.id} runs {each.image}; the release has {release.image}"
        elif each.version not in ("", release.version):
            yield f"{each.id} reports version {each.version}; the release is {release.version}"
    if fleet.launches != release.image:
        yield f"{fleet.name} launches {fleet.launches}; the release has {release.image}"
    if len(members) != fleet.desired:
        yield f"{fleet.name} has {counted(len(members), 'instance')}; desired capacity is {fleet.desired}"


def next_step(environment: str, release: Release | None, fleet: "FleetStatus") -> str:
    """The next command if something is wrong, else empty."""
    if fleet.unreadable:
        return f"See what to do: fab doctor --env={environment}"
    if fleet.roll and fleet.roll.is_cut_off:
        return _repair(environment, fleet.roll)
    if fleet.roll and fleet.roll.paused_by:
        return f"Continue it: fab resume --env={environment}      Back it out: fab abort --env={environment}"
    if fleet.roll:
        return f"Look again: fab status --env={environment}"
    if release is None:
        return f"Release one: fab deploy --env={environment}"
    if any(drift(release, fleet)) or fleet.in_service < fleet.desired:
        return f"Repair it: fab roll --env={environment} --version={release.version}"
    return ""


def _repair(environment: str, roll: "RollStatus") -> str:
    fix = f"fab doctor --env={environment} --fix"
    if roll.is_past_commit:
        return f"It is past its commit point. Finish it: {fix}"
    if not roll.version:
        return f"It had changed nothing. Clean up: {fix}"
    instead = "" if roll.is_backing_out else f"      Continue it instead: fab resume --env={environment}"
    return f"Back it out: {fix}{instead}"

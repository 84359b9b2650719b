"""How a roll ends: what it writes to the table, and the messages about what it left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from statistics import median

from bakeroll.errors import RolledBack
from bakeroll.fleet import VERSION_TAG, Fleet
from bakeroll.release import Release
from bakeroll.roll.ports import Clock, Table
from bakeroll.roll.state.record import BackOut, Goal, Record, Soak
from bakeroll.roll.store import ended, timing
from bakeroll.roll.store.history import write_release
from bakeroll.settings import Policy
from bakeroll.wording import counted


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a successful roll ended. `is_new` is False if the fleet served the release already."""

    release: Release
    is_new: bool
    in_service: int
    retired: int
    seconds: float


def write_served(table: Table, goal: Goal, record: Record, clock: Clock) -> None:
    """Write to the history that the release serves from now on.

    The record keeps when the release was first requested, also if another process continues the roll.
    """
    release = replace(goal.release, released_at=clock.now().astimezone(UTC))
    write_release(table, release, record.intended.release.get("released_at") or goal.release.released_at.isoformat())


def write_timing(
    table: Table, record: Record, fleet: Fleet, seconds: float, boots: Sequence[float], clock: Clock
) -> None:
    """Write how long the roll took, for later plans. `boots` are in seconds; without any, nothing is written."""
    if boots:
        at, strategy = clock.now().isoformat(), record.intended.strategy
        took = timing.Timing(at, strategy, len(fleet.members), seconds, boot_seconds=median(boots))
        timing.write(table, record.fleet, took)


def write_ended(table: Table, goal: Goal, record: Record, clock: Clock) -> None:
    """Write that the roll ended and its release does not serve."""
    roll = ended.ended(record, clock.now())
    ended.write(table, goal.release.application, goal.release.environment, roll)


def closed(record: Record, fleet: Fleet, policy: Policy, clock: Clock) -> Record:
    """The record at the roll's end: closed, or soaking if instances of this roll or of an earlier one stand by."""
    kept = {*record.soak.instances, *record.retiring}
    here = tuple(each.id for each in fleet.instances if each.is_standing_by and each.id in kept)
    if not here and not record.second.name:
        return replace(record, stage="closed", soak=replace(record.soak, instances=()))
    until = record.soak.until or clock.now().isoformat()
    if record.stage == "forward":
        until = (clock.now() + timedelta(seconds=policy.soak)).isoformat()
    return replace(record, stage="soaking", soak=Soak(here, until))


def rolled_back(record: Record, back_out: BackOut, fleet: Fleet, goal: Goal) -> RolledBack:
    """The error that a roll raises after it backed out. `record` is closed."""
    old = [each for each in fleet.members if fleet.is_in_service(each)]
    versions = ", ".join(sorted({each.tags.get(VERSION_TAG, each.image) for each in old}))
    launches = record.launches
    new = len({*launches.instances, *record.retiring} - {*record.found.members, *launches.wanted})
    taken = "The new instance was terminated." if new == 1 else f"The {new} new instances were terminated."
    taken = taken if new else "No new instance was launched."
    serve = f"{counted(len(old), 'old instance')} ({versions}) {'serves' if len(old) == 1 else 'serve'}."
    serve = serve if old else "No instance served before, and none does now."
    return RolledBack(
        back_out.why,
        left=f"{taken} {serve}\nSizes and processes are as they were.",
        next_step=f"Try again: fab roll --env={goal.release.environment} --version={goal.release.version}",
    )


def left(goal: Goal, fleet: Fleet | None) -> str:
    """What a roll leaves if it stops before its end. `fleet` is as last observed."""
    members = fleet.members if fleet else ()
    new = sum(1 for each in members if each.identity == goal.identity)
    return (
        f"{goal.fleet} has {counted(new, 'instance')} of {goal.release.version} "
        f"and {counted(len(members) - new, 'other')}. "
        "The record stays, and the same command continues the roll."
    )


def next_command(goal: Goal, record: Record) -> str:
    """The command that continues the roll. A roll that backs out must not be sent forward again."""
    if record.stage == "back":
        return f"Back it out: fab doctor --env={goal.release.environment} --fix"
    return f"Continue it: fab roll --env={goal.release.environment} --version={goal.release.version}"

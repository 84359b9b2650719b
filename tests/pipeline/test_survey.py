"""In what a fleet differs from the last release, and what to do about it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bakeroll import survey
from bakeroll.release import Release
from bakeroll.roll.operate.status import FleetStatus, InstanceStatus, RollStatus

RELEASE = Release("links", "dev", "1.0-1", "ami-1", "1c9e2a7", "me", datetime(2026, 1, 1, tzinfo=UTC))
GOOD = InstanceStatus("i-1", "a", "ami-1", "1.0-1", "in service")
ROLL = RollStatus("2.0-1", "ops", "", "", is_cut_off=False, is_backing_out=False)
DEAD = RollStatus("2.0-1", "ops", "", "", is_cut_off=True, is_backing_out=False)
PAUSED = replace(ROLL, paused_by="me@laptop", paused_until="2026-01-01T12:00:00+00:00")
RESUME = "Continue it: fab resume --env=dev      Back it out: fab abort --env=dev"
OTHER = InstanceStatus("i-2", "a", "ami-2", "2.0-1", "in service")
LYING = InstanceStatus("i-3", "a", "ami-1", "3.0-1", "in service")
KEPT = InstanceStatus("i-5", "a", "ami-2", "0.9-1", "standing by")
SICK = InstanceStatus("i-4", "a", "ami-1", "1.0-1", "unhealthy")
PUT_RIGHT = "Repair it: fab roll --env=dev --version=1.0-1"


def fleet(
    *instances: InstanceStatus, launches: str = "ami-1", desired: int = 1, roll: RollStatus | None = None
) -> FleetStatus:
    return FleetStatus("links-dev", desired, launches, instances, roll)


@pytest.mark.parametrize(
    ("found", "drift", "next_step"),
    [
        pytest.param(fleet(GOOD), [], "", id="all is well"),
        pytest.param(fleet(GOOD, KEPT), [], "", id="an old one stands by"),
        pytest.param(fleet(OTHER), ["i-2 runs ami-2; the release has ami-1"], PUT_RIGHT, id="another image"),
        pytest.param(
            fleet(LYING), ["i-3 reports version 3.0-1; the release is 1.0-1"], PUT_RIGHT, id="another version"
        ),
        pytest.param(
            fleet(GOOD, launches="ami-9"),
            ["links-dev launches ami-9; the release has ami-1"],
            PUT_RIGHT,
            id="template",
        ),
        pytest.param(
            fleet(GOOD, desired=2), ["links-dev has 1 instance; desired capacity is 2"], PUT_RIGHT, id="short"
        ),
        pytest.param(fleet(SICK), [], PUT_RIGHT, id="not in service"),
        pytest.param(fleet(OTHER, roll=ROLL), [], "Look again: fab status --env=dev", id="a roll is under way"),
        pytest.param(fleet(OTHER, roll=PAUSED), [], RESUME, id="a roll is paused"),
        pytest.param(
            fleet(OTHER, roll=DEAD),
            [],
            "Back it out: fab doctor --env=dev --fix      Continue it instead: fab resume --env=dev",
            id="a roll was cut off before its commit point",
        ),
        pytest.param(
            fleet(OTHER, roll=replace(DEAD, is_past_commit=True)),
            [],
            "It is past its commit point. Finish it: fab doctor --env=dev --fix",
            id="a roll was cut off after it",
        ),
        pytest.param(
            fleet(OTHER, roll=replace(DEAD, is_backing_out=True)),
            [],
            "Back it out: fab doctor --env=dev --fix",
            id="a roll was cut off that backed out",
        ),
        pytest.param(
            fleet(OTHER, roll=replace(DEAD, version="")),
            [],
            "It had changed nothing. Clean up: fab doctor --env=dev --fix",
            id="a lease was left behind alone",
        ),
    ],
)
def test_drift_and_the_next_command(found: FleetStatus, drift: list[str], next_step: str) -> None:
    assert (list(survey.drift(RELEASE, found)), survey.next_step("dev", RELEASE, found)) == (drift, next_step)


def test_without_a_release_there_is_nothing_to_drift_from() -> None:
    assert list(survey.drift(None, fleet(GOOD))) == []
    assert survey.next_step("dev", None, fleet()) == "Release one: fab deploy --env=dev"

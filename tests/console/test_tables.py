"""What status, history and the end of a deploy print."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bakeroll.console.tables import fault_lines, history_lines, local_lines, outcome_lines, status_lines
from bakeroll.console.times import moment

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = NOW - timedelta(minutes=3)
RELEASE = {"version": "1.0-1", "image": "ami-1", "revision": "1c9e2a7f", "by": "ops@build", "at": AT.isoformat()}
INSTANCE = {"id": "i-1", "zone": "a", "image": "ami-1", "version": "1.0-1", "state": "in service"}


def found(**changes: Any) -> dict[str, Any]:
    return {
        "application": "links",
        "environment": "dev",
        "url": "http://here",
        "release": RELEASE,
        "fleet": {"name": "links-dev", "desired": 1, "launches": "ami-1"},
        "in_service": 1,
        "instances": [INSTANCE],
        "roll": None,
        "stands_by_until": None,
        "drift": [],
        "next_step": "",
        **changes,
    }


def rolling(**changes: Any) -> dict[str, Any]:
    roll = {"version": "2.0-1", "by": "ops@build", "since": AT.isoformat(), "heard": AT.isoformat()}
    doing = {"doing": "", "doing_since": "", "doing_seconds": 0, "paused_by": "", "paused_until": ""}
    return {**roll, **doing, "is_cut_off": False, "is_backing_out": False, "is_past_commit": False, **changes}


def test_status_tells_what_serves_since_when() -> None:
    assert list(status_lines(found(), NOW)) == [
        f"links 1.0-1 serves dev since {moment(AT, NOW)}, 3 min ago.   http://here",
        "ami-1, commit 1c9e2a7, released by ops@build",
        "links-dev: 1 in service, 1 desired",
        "  i-1  a  1.0-1  in service",
    ]


def test_status_does_not_say_that_a_release_serves_when_no_instance_is_in_service() -> None:
    sick = INSTANCE | {"state": "unhealthy, Target.ResponseCodeMismatch"}

    said = list(status_lines(found(in_service=0, instances=[sick]), NOW))

    assert said[0] == "✗ links 1.0-1 does not serve dev: no instance is in service.   http://here"
    assert said[-1].endswith("unhealthy, Target.ResponseCodeMismatch")


def test_status_tells_drift_the_other_image_and_the_next_command() -> None:
    other = INSTANCE | {"id": "i-2", "image": "ami-2"}

    said = list(status_lines(found(instances=[other], drift=["i-2 runs ami-2"], next_step="Repair it: fab …"), NOW))

    assert said[-3:] == ["  i-2  a  1.0-1  ami-2  in service", "! i-2 runs ami-2", "Repair it: fab …"]


@pytest.mark.parametrize(
    ("cut_off", "said"),
    [
        (False, "◼ ops@build is rolling links-dev to 2.0-1 since {at}, 3 min ago; last heard of 3 min ago."),
        (True, "! The roll to 2.0-1 (ops@build), begun at {at}, 3 min ago, was cut off."),
    ],
)
def test_status_tells_a_roll_that_has_not_ended(cut_off: bool, said: str) -> None:
    assert said.format(at=moment(AT, NOW)) in list(status_lines(found(roll=rolling(is_cut_off=cut_off)), NOW))


UNTIL = NOW + timedelta(minutes=9)


@pytest.mark.parametrize(
    ("roll", "said"),
    [
        pytest.param({}, [], id="nothing is known"),
        pytest.param({"doing": "1 of 2 new in service"}, ["  1 of 2 new in service"], id="its process tells"),
        pytest.param(
            {"doing": "canary: 1 of 4 watched", "doing_since": AT.isoformat(), "doing_seconds": 300},
            ["  canary: 1 of 4 watched for 180 of 300 s"],
            id="canaries are watched",
        ),
        pytest.param(
            {"doing": "canary: 1 of 4 watched", "paused_by": "ops@x", "paused_until": UNTIL.isoformat()},
            [f"  paused by ops@x until {moment(UNTIL, NOW)}"],
            id="a pause is told before all else",
        ),
        pytest.param(
            {"paused_by": "ops@x", "paused_until": AT.isoformat(), "is_cut_off": True},
            [f"  paused by ops@x until {moment(AT, NOW)}; nobody resumed it"],
            id="a pause that nobody ended",
        ),
    ],
)
def test_status_tells_what_a_roll_does_just_now(roll: dict[str, Any], said: list[str]) -> None:
    assert list(status_lines(found(roll=rolling(**roll)), NOW))[3:-2] == said


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (UNTIL, "The old instances stand by until {}."),
        (AT, "The old instances stood by until {}. Retire them: fab doctor --env=dev --fix"),
    ],
    ids=["for a while yet", "for longer than they were to"],
)
def test_status_tells_until_when_old_instances_stand_by(until: datetime, said: str) -> None:
    assert said.format(moment(until, NOW)) in list(status_lines(found(stands_by_until=until.isoformat()), NOW))


def test_status_of_an_environment_without_a_release() -> None:
    said = list(status_lines(found(release=None, in_service=0, instances=[]), NOW))

    assert said == ["links has no release in dev yet.   http://here", "links-dev: 0 in service, 1 desired"]


def test_history_marks_what_was_rolled_last() -> None:
    releases = [RELEASE, RELEASE | {"version": "0.9-1"}]

    said = list(history_lines({"environment": "dev", "releases": releases, "rolls": []}, NOW))

    assert said[1].startswith("→  1.0-1")
    assert said[2].startswith("   0.9-1")
    assert said[3] == "→ the latest release. What serves now: fab status --env=dev"


def test_history_tells_rolls_that_came_to_nothing_among_the_releases_how_why_and_by_whom() -> None:
    when = (NOW - timedelta(minutes=2)).isoformat()
    why = "i-07be was not in service after 5 min: Target.ResponseCodeMismatch, /health answered 503 (18 times)"
    failed = RELEASE | {"version": "1.1-1", "at": when, "by": "me@laptop", "outcome": "failed", "why": why}
    earlier = (AT - timedelta(hours=2)).isoformat()
    old = RELEASE | {"version": "0.8-1", "at": earlier, "outcome": "aborted", "why": "aborted by x"}

    said = list(history_lines({"environment": "dev", "releases": [RELEASE], "rolls": [failed, old]}, NOW))

    assert said[1].startswith("✗  1.1-1    1c9e2a7")
    assert "2 min ago  me@laptop  ami-1  failed: i-07be was not in service after 5 min: " in said[1]
    assert said[1].endswith(" …")
    assert said[2].startswith("→  1.0-1")
    assert said[3].endswith("ami-1  aborted by x")
    assert said[-1] == "✗ a roll that did not complete; its release does not serve."


def test_where_the_first_roll_came_to_nothing_there_is_no_release_and_history_tells_it() -> None:
    roll = RELEASE | {"outcome": "interrupted", "why": "interrupted"}

    said = list(history_lines({"environment": "dev", "releases": [], "rolls": [roll]}, NOW))

    assert said[0] == "No release in dev yet."
    assert said[2].startswith("✗  1.0-1")


def test_an_empty_history_says_so() -> None:
    assert list(history_lines({"environment": "dev", "releases": [], "rolls": []}, NOW)) == ["No release in dev yet."]


def test_the_end_tells_what_serves_the_way_back_and_the_times() -> None:
    outcome = {
        **found(),
        "before": "0.9-1",
        "seconds": {"package": 4.1, "roll": 58.0},
        "timeline": ".bakeroll/rolls/x.html",
    }

    assert list(outcome_lines(outcome, NOW)) == [
        f"links 1.0-1 serves dev since {moment(AT, NOW)}.   http://here",
        "Back: fab rollback --env=dev   (to 0.9-1)",
        "Timeline: .bakeroll/rolls/x.html",
        "1 min 2 s in all: package 4.1 s, roll 58.0 s",
    ]


def test_local_status_leaves_out_what_is_terminated() -> None:
    instance = {"id": "i-1", "state": "running", "address": "10.0.0.1", "zone": "a", "name": "links", "reason": ""}
    cloud = {
        "endpoint": "http://127.0.0.1:5600",
        "pid": 7,
        "uptime": 61.0,
        "images": [],
        "instances": [instance, instance | {"id": "i-2", "state": "terminated"}],
        "load_balancers": [
            {"name": "links", "address": "10.0.1.1", "ports": [80], "targets": {"i-1:80": "serving, UP"}}
        ],
    }

    said = "\n".join(local_lines(cloud))

    assert "i-1  running" in said
    assert "i-2" not in said
    assert "links  http://10.0.1.1  1 of 1 target serving" in said
    assert "faults" not in said


def test_faults_in_force_are_told_with_whom_they_struck_and_how_long_they_last() -> None:
    lost = {"fault": "lost --times=3", "does": "no answer", "struck": 1, "instances": [], "seconds_left": None}
    dies = {"fault": "dies", "does": "killed", "struck": 0, "instances": ["i-1"], "seconds_left": 4.0}
    cloud = {"endpoint": "http://127.0.0.1:5600", "pid": 7, "uptime": 61.0, "images": [], "instances": []}

    assert list(fault_lines([lost, dies])) == [
        "lost --times=3: no answer; hit 1",
        "dies: killed; on i-1; for 4.0 s more",
    ]
    assert list(fault_lines([])) == ["No fault is in force."]
    assert "! injected faults in force: 2   (fab local.fault)" in local_lines(cloud | {"faults": [lost, dies]})

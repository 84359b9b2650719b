"""What operators do around a roll, on real machines and under load."""

import json
import os
import signal
import subprocess

import pytest

from tests.road.conftest import Repository

pytestmark = pytest.mark.machine


def rolling(links: Repository, until: str, *arguments: str) -> subprocess.Popen[str]:
    """A deploy that has said so much."""
    process = links.start(*(arguments or ("deploy",)))
    assert process.stdout
    for line in process.stdout:
        if until in line:
            return process
    raise AssertionError(f"it never said “{until}”: {process.wait()}")


def killed(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def test_a_plan_says_what_the_roll_will_do_and_changes_nothing(serving: Repository) -> None:
    before = serving.status()
    serving.commit()
    version = serving.newest()
    assert serving.fab("bake").code == 0

    plan = json.loads(serving.fab("plan", "--json").out)
    told = serving.fab("plan", "--steps")

    assert serving.status() == before
    assert (plan["then"], plan["desired"], plan["peak"]) == (version, 2, 4)
    assert told.code == 0, told.said
    assert f"Roll it: fab roll --env=local --version={version}" in told.out
    rolled = json.loads(serving.fab("roll", "--json").out)
    assert rolled["release"]["version"] == version


def test_the_doctor_mends_what_a_killed_roll_left(serving: Repository) -> None:
    before = serving.status()
    serving.commit()
    with serving.load() as load:
        killed(rolling(serving, "in service (1 of 2)"))
        named = serving.fab("doctor")
        mended = serving.fab("doctor", "--fix")
        whole = serving.fab("doctor")

    assert (named.code, mended.code, whole.code) == (1, 0, 0), named.said + mended.said + whole.said
    assert "was cut off" in named.out
    assert "nothing is wrong" in whole.out
    assert load["failed"] == 0, load
    after = serving.status()
    assert (after["release"], after["drift"], after["roll"]) == (before["release"], [], None)


def test_a_roll_is_paused_by_another_process_and_taken_back(serving: Repository) -> None:
    before = serving.status()
    serving.settle(policy={"in_service_timeout": 20, "strategy": "canary", "canary": {"watch": 120}})
    serving.commit()
    try:
        with serving.load() as load:
            process = rolling(serving, "in service (1 of")  # and is watched for longer than a pause takes to come
            paused = serving.fab("pause")
            aborted = serving.fab("abort", "--yes")
            said, _ = process.communicate(timeout=120)
    finally:
        serving.settle(policy={"in_service_timeout": 20})
        serving.commit()

    assert (paused.code, aborted.code) == (0, 0), paused.said + aborted.said
    assert process.returncode == 3, said
    assert "aborted by" in said
    assert load["failed"] == 0, load
    assert serving.status()["release"] == before["release"]


def test_what_was_cut_off_is_resumed_from_elsewhere(serving: Repository) -> None:
    serving.commit()
    version = serving.newest()
    with serving.load() as load:
        killed(rolling(serving, "in service (1 of 2)"))
        resumed = serving.fab("resume")

    assert resumed.code == 0, resumed.said
    assert load["failed"] == 0, load
    assert serving.status()["release"]["version"] == version

"""The whole road on the local cloud: real Packer, real machines, a real load balancer, a real load."""

import re
import subprocess

import pytest

from tests.road.conftest import Repository

pytestmark = pytest.mark.machine


def test_the_first_deploy_takes_a_commit_to_a_fleet_that_serves_it(links: Repository) -> None:
    ended = links.deploy()

    assert re.search(rf"links {re.escape(links.newest())} serves local since [0-9:]+\.   http://", ended.out)
    versions, instances = links.served(requests=200)
    assert versions == {links.newest(): 200}
    assert len(instances) == 2


def test_status_is_one_json_object_for_machines(serving: Repository) -> None:
    found = serving.status()

    assert found["environment"] == "local"
    assert set(found["release"]) >= {"version", "image", "revision"}
    assert found["release"]["revision"] == serving.git("rev-parse", "HEAD").strip()
    assert [set(each) >= {"id", "image", "version", "state"} for each in found["instances"]] == [True, True]
    assert {each["state"] for each in found["instances"]} == {"in service"}
    assert {each["version"] for each in found["instances"]} == {found["release"]["version"]}
    assert {each["image"] for each in found["instances"]} == {found["release"]["image"]}


def test_a_deploy_of_what_already_runs_changes_nothing(serving: Repository) -> None:
    before = serving.status()

    serving.deploy()

    assert serving.status() == before


def test_a_dry_run_changes_nothing_and_says_what_would_be(serving: Repository) -> None:
    before = serving.status()
    commit = serving.commit()

    ended = serving.fab("deploy", "--dry-run")

    assert ended.code == 0
    assert commit in ended.out
    assert serving.status() == before


def test_the_classic_form_deploys_as_well(serving: Repository) -> None:
    commit = serving.commit()

    ended = serving.fab("deploy:env=local")

    assert ended.code == 0, ended.said
    assert commit in ended.out


def test_a_second_commit_deploys_under_load_without_one_failed_request(serving: Repository) -> None:
    old = serving.status()["release"]["version"]
    commit = serving.commit("Show the click count")

    with serving.load() as load:
        serving.deploy()

    assert load["failed"] == 0, load["first_failures"]
    assert load["answered"] > 500
    new = serving.status()["release"]["version"]
    assert commit in new
    assert set(load["versions"]) == {old, new}
    assert serving.served()[0] == {new: 60}


def test_rollback_brings_the_release_before_back_under_load(serving: Repository) -> None:
    old = serving.status()["release"]["version"]
    serving.commit()
    serving.deploy()

    with serving.load() as load:
        ended = serving.fab("rollback")

    assert ended.code == 0, ended.said
    assert load["failed"] == 0, load["first_failures"]
    assert serving.status()["release"]["version"] == old
    assert serving.served()[0] == {old: 60}


def test_any_earlier_version_comes_back_by_name(serving: Repository) -> None:
    ended = serving.fab("rollback", "--to=1.0.0-1")

    assert ended.code == 0, ended.said
    assert serving.served()[0] == {"1.0.0-1": 60}


def test_a_service_that_dies_at_start_is_taken_away_and_the_old_one_serves(serving: Repository) -> None:
    before = serving.status()

    # It dies on an instance alone, so that its own tests pass.
    dying = 'if os.environ.get("INSTANCE_ID"):\n    raise ConnectionError("no database")\nLONGEST_SLEEP'
    serving.settle(policy={"in_service_timeout": 200})
    with serving.changed("links/web.py", "LONGEST_SLEEP", dying, count=1):
        with serving.load() as load:
            ended = serving.fab("deploy")
        after = serving.status()
        serving.settle(policy={"in_service_timeout": 20})

    assert ended.code == 3, ended.said
    assert "does not come into service: links.service ended with exit-code" in ended.said
    assert "no database" in ended.said
    assert after == before
    assert load["failed"] == 0, load["first_failures"]
    assert set(load["versions"]) == {before["release"]["version"]}


def test_the_machine_is_as_it_was_after_down(serving: Repository) -> None:
    assert serving.fab("local.down").code == 0

    for command in (["ip", "link"], ["ip", "netns"], ["ip", "route"], ["cat", "/proc/mounts"], ["ps", "ax"]):
        left = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert serving.environment["BAKEROLL_LOCAL_BRIDGE"] not in left, left
        assert serving.environment["BAKEROLL_LOCAL_STATE"] not in left, left
        assert serving.environment["BAKEROLL_LOCAL_NETWORK"].removesuffix("0.0/16") not in left, left


def test_a_cloud_that_was_down_serves_the_same_release_when_it_is_up_again(serving: Repository) -> None:
    before = serving.status()["release"]
    serving.fab("local.down")

    serving.deploy()

    assert serving.status()["release"] == before
    assert serving.served()[0] == {before["version"]: 60}

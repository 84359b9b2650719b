"""What every task opens first."""

import os
import socket
import subprocess
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from invoke.exceptions import Exit
from moto import mock_aws
from pytest_mock import MockerFixture

from bakeroll.errors import LeaseHeld, SettingsError
from bakeroll.release import Release
from bakeroll.roll.simulate.model import world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store.lease import LeaseLost, take
from bakeroll.tasks.door import door
from bakeroll.tasks.site import opened, operator
from bakeroll.wiring import LocalCloud, Site

SETTINGS = """\
application: links
environments:
  dev: {account: '999999999999', region: eu-west-1}
  prod: {region: eu-west-1}
  mine: {cloud: local, region: eu-west-1}
"""


@pytest.fixture(autouse=True)
def _at_a_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BAKEROLL_ENV", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    (tmp_path / "deploy.yml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)


def test_without_an_environment_those_there_are_are_named() -> None:
    with pytest.raises(Exit) as caught, opened(""):
        pass

    assert caught.value.code == 5
    assert "deploy.yml has: dev, mine, prod." in str(caught.value.message)


@pytest.mark.parametrize("change", ["provision", "history", "status", "has_fleet"])
def test_nothing_is_done_in_another_account_than_the_environment_s(change: str) -> None:
    with mock_aws(), opened("dev") as site, pytest.raises(SettingsError, match="belong to account 123456789012"):
        list(getattr(Site, change)(site))


def test_a_table_that_is_not_there_is_told_with_the_command_that_makes_it() -> None:
    with mock_aws(), pytest.raises(Exit) as caught, opened("prod") as site:
        site.history()

    assert "fab account.init" in str(caught.value.message)


@pytest.mark.parametrize(("sudo", "name"), [("ann", "ann"), ("", "root")])
def test_who_does_it_is_the_user_before_sudo(sudo: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", sudo)
    monkeypatch.setenv("LOGNAME", "root")

    assert operator() == f"{name}@{socket.gethostname()}"


def test_a_user_that_has_no_name_goes_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)

    assert operator() == f"{2**31 - 7}@{socket.gethostname()}"


@pytest.fixture
def _cloud_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakeroll.tasks.site._local_cloud", lambda _: LocalCloud(Path("/nowhere"), "http://nowhere"))


@pytest.mark.usefixtures("_cloud_is_up")
def test_who_only_looks_at_a_new_local_environment_makes_nothing_and_is_told_the_first_command() -> None:
    with mock_aws():
        with pytest.raises(Exit) as caught, opened("mine"):
            pass
        with opened("mine", is_first=True) as site:
            tables = site.aws.dynamodb.list_tables()["TableNames"]
            assert (site.history(), site.ended_rolls(), tables, site.has_fleet()) == ([], [], [], False)

    assert "mine has no fleet yet" in str(caught.value.message)
    assert "fab deploy --env=mine" in str(caught.value.message)


@pytest.mark.usefixtures("_cloud_is_up")
def test_what_a_first_roll_would_do_is_told_without_a_fleet() -> None:
    with mock_aws(), opened("mine", is_first=True) as site:
        assert site.preview(None) == "make the fleet links-mine, and launch 2 × the image to be baked"


def test_a_roll_and_the_doctor_beat_beside_their_work_and_send_nothing_without_the_lease(mocker: MockerFixture) -> None:
    rolled = mocker.patch("bakeroll.roll.run.roll.roll", autospec=True, side_effect=LeaseHeld("held"))
    taken_away = mocker.patch("bakeroll.roll.operate.doctor.take_away", autospec=True)
    fleet = world(1, {})
    held = take(ports(fleet).table, "links-prod", Owner("me"), "deploy", fleet)

    with mock_aws(), opened("prod") as site:
        with suppress(LeaseHeld):
            site.roll(Release("links", "prod", "1.0-1", "ami-1", "1c9e2a7", "me", datetime.now(UTC)))
        site.take_away([])
        for beating in (rolled.call_args.kwargs["beating"], taken_away.call_args.args[-1]):
            with beating(held):
                names = {each.name for each in threading.enumerate()}
                site.aws.ec2.describe_instances()
            assert "heartbeat" in names
        fleet.sleep(20)
        take(ports(fleet).table, "links-prod", Owner("another"), "deploy", fleet)
        with rolled.call_args.kwargs["beating"](held), pytest.raises(LeaseLost):
            site.aws.ec2.describe_instances()


@pytest.mark.parametrize("kind", ["work", "defect"])
def test_what_the_toolkit_leaves_beside_deploy_yml_makes_no_tree_dirty(kind: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)

    if kind == "work":
        with mock_aws(), opened("prod") as site:
            site.make_work()
    else:
        with pytest.raises(Exit), door():
            raise ZeroDivisionError

    assert (tmp_path / ".bakeroll").is_dir()
    told = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    assert told == "?? deploy.yml\n"

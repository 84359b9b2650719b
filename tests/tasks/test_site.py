"""What every task opens first."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.exceptions import Exit
from moto import mock_aws

from bakeroll.errors import SettingsError
from bakeroll.roll.simulate.model import world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store.lease import LeaseLost, take
from bakeroll.tasks.door import door
from bakeroll.tasks.site import open_site, operator
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
    with pytest.raises(Exit) as caught, open_site(""):
        pass

    assert caught.value.code == 5
    assert "deploy.yml has: dev, mine, prod." in str(caught.value.message)


@pytest.mark.parametrize(
    "touch", [Site.provision, lambda site: site.roller, lambda site: site.bakery], ids=["provision", "roller", "bakery"]
)
def test_nothing_is_done_in_another_account_than_the_environment_s(touch: Callable[[Site], object]) -> None:
    with mock_aws(), open_site("dev") as site, pytest.raises(SettingsError, match="belong to account 123456789012"):
        touch(site)


def test_a_table_that_is_not_there_is_told_with_the_command_that_makes_it() -> None:
    with mock_aws(), pytest.raises(Exit) as caught, open_site("prod") as site:
        site.roller.history()

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
        with pytest.raises(Exit) as caught, open_site("mine"):
            pass
        with open_site("mine", is_first=True) as site:
            tables = site.aws.dynamodb.list_tables()["TableNames"]
            roller = site.roller
            assert (roller.history(), roller.ended_rolls(), tables, roller.has_fleet()) == ([], [], [], False)
            assert site.store.get("dists/stable/InRelease", 1000) is None

    assert "mine has no fleet yet" in str(caught.value.message)
    assert "fab deploy --env=mine" in str(caught.value.message)


@pytest.mark.usefixtures("_cloud_is_up")
def test_what_a_first_roll_would_do_is_told_without_a_fleet() -> None:
    with mock_aws(), open_site("mine", is_first=True) as site:
        assert site.roller.preview(None) == "create the fleet links-mine and launch 2 × the image to be baked"


def test_while_a_lease_is_held_it_beats_and_nothing_is_sent_without_it() -> None:
    fleet = world(1, {})
    held = take(ports(fleet).table, "links-prod", Owner("me"), "deploy", fleet)

    with mock_aws(), open_site("prod") as site:
        with site.roller.beating(held):
            names = {each.name for each in threading.enumerate()}
            site.aws.ec2.describe_instances()
        assert "heartbeat" in names
        fleet.sleep(20)
        take(ports(fleet).table, "links-prod", Owner("another"), "deploy", fleet)
        with site.roller.beating(held), pytest.raises(LeaseLost):
            site.aws.ec2.describe_instances()


@pytest.mark.parametrize("kind", ["work", "defect"])
def test_what_the_toolkit_leaves_beside_deploy_yml_makes_no_tree_dirty(kind: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)

    if kind == "work":
        with mock_aws(), open_site("prod") as site:
            site.make_work()
    else:
        with pytest.raises(Exit), door():
            raise ZeroDivisionError

    assert (tmp_path / ".bakeroll").is_dir()
    told = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    assert told == "?? deploy.yml\n"

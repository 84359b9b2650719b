"""What every task opens first."""

import os
import socket
from pathlib import Path

import pytest
from invoke.exceptions import Exit
from moto import mock_aws

from bakeroll.errors import SettingsError
from bakeroll.tasks.site import opened, operator
from bakeroll.wiring import Site

SETTINGS = """\
application: links
environments:
  dev: {account: '999999999999', region: eu-west-1}
  prod: {region: eu-west-1}
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
    assert "deploy.yml has: dev, prod." in str(caught.value.message)


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

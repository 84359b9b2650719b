"""The local cloud's tasks, as far as none has to run: what they say, what they ask, and from where they work."""

import os
import subprocess
from pathlib import Path

import pytest
from invoke.context import Context
from invoke.exceptions import Exit
from pytest_mock import MockerFixture

from bakeroll.tasks import local

CLONE = Path(__file__).parents[2]
FAB = CLONE / "scripts" / "fab"


def fab(*words: str, cwd: Path = CLONE) -> str:
    done = subprocess.run([FAB, *words], cwd=cwd, env=_environment(cwd), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _environment(state: Path) -> dict[str, str]:
    return os.environ | {"BAKEROLL_LOCAL_STATE": str(state / "state"), "BAKEROLL_LOCAL_PORT": "5798"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory of a cloud that is down and holds something."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "lock").touch()
    monkeypatch.setenv("BAKEROLL_LOCAL_STATE", str(state))
    monkeypatch.setenv("BAKEROLL_LOCAL_BRIDGE", "brnone")
    return state


@pytest.mark.parametrize("words", [("local.shell", "--help"), ("local.fault", "--help"), ("--help", "local.shell")])
def test_a_task_of_the_local_cloud_shows_its_options(words: tuple[str, str]) -> None:
    assert "--" in fab(*words).partition("Options:")[2]


def test_the_local_cloud_s_tasks_work_from_a_folder_without_a_fabfile(tmp_path: Path) -> None:
    assert "The local cloud is down." in fab("local.status", cwd=tmp_path)
    assert f"There is no deploy.yml in {tmp_path}." in fab("status:env=dev", cwd=tmp_path)


def test_a_fabfile_of_the_users_own_wins(tmp_path: Path) -> None:
    (tmp_path / "fabfile.py").write_text("from invoke.tasks import task\n\n@task\ndef mine(_): ...\n")
    below = tmp_path / "below"
    below.mkdir()

    listed = fab("--list", cwd=below)

    assert "mine" in listed
    assert "local.status" not in listed


@pytest.mark.parametrize(("typed", "code"), [("no\n", 5), ("", 5), ("reset\n", None)])
def test_a_reset_asks_for_a_word_typed_on_the_terminal(
    state: Path, mocker: MockerFixture, typed: str, code: int | None
) -> None:
    mocker.patch("bakeroll.console.progress.is_interactive", return_value=True)
    mocker.patch("sys.stdin.readline", return_value=typed)
    reset = mocker.patch("bakeroll.local.reset", autospec=True)

    ended = _code_of(lambda: local.reset(Context()))

    assert ended == code
    assert reset.called == (code is None)


def test_a_reset_without_a_terminal_needs_the_word_beforehand(state: Path, mocker: MockerFixture) -> None:
    reset = mocker.patch("bakeroll.local.reset", autospec=True)

    assert _code_of(lambda: local.reset(Context())) == 5
    assert not reset.called
    assert _code_of(lambda: local.reset(Context(), yes=True)) is None
    assert reset.called


def test_a_cloud_that_has_nothing_is_reset_without_a_word(state: Path, mocker: MockerFixture) -> None:
    reset = mocker.patch("bakeroll.local.reset", autospec=True)
    (state / "lock").unlink()

    assert _code_of(lambda: local.reset(Context())) is None
    assert reset.called


def _code_of(task: object) -> int | None:
    assert callable(task)
    try:
        task()
    except Exit as ended:
        return int(ended.code)
    return None

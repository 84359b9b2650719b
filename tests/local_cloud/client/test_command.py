"""The command: what it is told, what it says to people and to programs, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_cloud import __main__ as command
from local_cloud.client import asking, faults, shell
from local_cloud.config import Config

ODD = ("-x", "--clear", "a b", "'", "“", "=", "x=y", b"\\udcff".decode("unicode_escape"), "\n")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud that is down."""
    monkeypatch.setenv("BAKEROLL_LOCAL_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("BAKEROLL_LOCAL_BRIDGE", "brnone")
    monkeypatch.setenv("BAKEROLL_LOCAL_PORT", "1025")
    monkeypatch.delenv("BAKEROLL_LOCAL_COMMAND", raising=False)


def said_to_a_program(*words: str) -> tuple[int, list[dict[str, Any]]]:
    reading, writing = os.pipe()
    code = command.main([f"--report={writing}", *words])
    os.close(writing)
    with os.fdopen(reading) as said:
        return code, [json.loads(line) for line in said]


def test_people_are_told_what_failed_and_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["status"]) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "The local cloud is down.\n  python -m local_cloud up\n"


def test_programs_are_told_what_failed_part_by_part_in_their_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEROLL_LOCAL_COMMAND", "fab local.")

    code, said = said_to_a_program("status")

    failed = {
        "failed": "The local cloud is down.",
        "left": "",
        "next_step": "fab local.up",
        "log": None,
        "exit_code": 1,
    }
    assert (code, said) == (1, [failed])


def test_what_the_daemon_says_is_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asking, "status", lambda _: {"pid": 7})

    assert command.main(["status"]) == 0
    assert json.loads(capsys.readouterr().out) == {"pid": 7}
    assert said_to_a_program("status") == (0, [{"result": {"pid": 7}}])


def test_a_reset_that_would_delete_something_needs_the_word(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lock").touch()

    assert said_to_a_program("reset", "--dry-run") == (0, [{"result": {"deletes": [str(tmp_path / "state")]}}])
    code, said = said_to_a_program("reset")

    assert code == 5
    assert said[0]["next_step"] == "Confirm it: python -m local_cloud reset --yes"
    assert (tmp_path / "state" / "lock").exists()


def test_what_the_system_refuses_and_what_nobody_foresaw_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Config) -> None:
        raise PermissionError(13, "Permission denied", "/var/lib/bakeroll/lock")

    monkeypatch.setattr(asking, "status", refuse)
    assert said_to_a_program("status") == (1, [{"refused": [13, "Permission denied", "/var/lib/bakeroll/lock"]}])

    monkeypatch.setattr(asking, "status", lambda _: os.environ["NOTHING"])
    code, said = said_to_a_program("status")
    assert code == 1
    assert "KeyError" in said[0]["broken"]


@pytest.mark.parametrize("odd", ODD)
def test_whatever_a_value_is_it_arrives_as_it_was_given(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[object] = []
    monkeypatch.setattr(faults, "inflict", lambda _, kind, **asked: arrived.extend([kind, asked["image"]]))
    monkeypatch.setattr(shell, "step_in", lambda _, *given: len(arrived.__iadd__(given)))

    command.main(["fault", f"--image={odd}", "--", odd])
    code = command.main(["shell", f"--command={odd}", "--", odd])

    assert arrived == [odd, odd, odd, odd]
    assert code == len(arrived)


def test_a_command_that_is_interrupted_ends_without_a_word(tmp_path: Path) -> None:
    log = tmp_path / "state" / "daemon.log"
    log.parent.mkdir()
    log.write_text("a line\n")
    following = subprocess.Popen(
        [sys.executable, "-m", "local_cloud", "logs", "--follow"],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout
    assert following.stdout.readline() == "a line\n"

    following.terminate()

    assert following.communicate(timeout=10) == ("", "")
    assert following.returncode == 130


def test_who_follows_a_log_for_a_program_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "daemon.log").write_text("a line\n")
    reading, writing = os.pipe()
    following = subprocess.Popen(
        [sys.executable, "-m", "local_cloud", f"--report={writing}", "logs", "--follow"],
        cwd=Path(__file__).parents[3],
        pass_fds=[writing],
    )
    os.close(writing)
    assert json.loads(os.read(reading, 1000)) == {"line": "a line"}

    os.close(reading)

    assert following.wait(10) == 0

"""The door that every failure leaves by, and how little `fab --list` loads."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from bakeroll.errors import LeaseHeld
from bakeroll.tasks.door import door

HEAVY = ["boto3", "botocore", "moto", "rich", "pydantic", "debian", "jinja2"]


def test_listing_the_tasks_loads_nothing_heavy() -> None:
    code = f"import bakeroll.tasks, sys; print([name for name in {HEAVY!r} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"


def test_a_failure_is_told_to_people_and_to_machines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as caught, door(is_json=True):
        raise LeaseHeld("links-dev is being rolled.", next_step="fab status")

    assert (caught.value.message, caught.value.code) == ("✗ links-dev is being rolled.\n  fab status", 4)
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["what"], error["exit_code"], error["log"]) == ("links-dev is being rolled.", 4, None)


def test_without_json_standard_output_holds_nothing_of_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit), door():
        raise LeaseHeld("links-dev is being rolled.")

    assert capsys.readouterr().out == ""


def test_an_interruption_ends_with_130() -> None:
    with pytest.raises(Exit) as caught, door():
        raise KeyboardInterrupt

    assert caught.value.code == 130


def test_a_defect_is_written_down_and_shows_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Exit) as caught, door():
        raise ZeroDivisionError("division by zero")

    assert "Traceback" not in str(caught.value.message)
    assert "Traceback" in next((tmp_path / ".bakeroll" / "logs").iterdir()).read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_what_standard_output_cannot_hold_is_told_by_its_number(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding))

    with pytest.raises(Exit), door(is_json=True):
        raise LeaseHeld("no version “\udc80”")

    assert json.loads(held.getvalue())["error"]["what"] == "no version “\ufffd”"

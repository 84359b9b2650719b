"""The set of actions is closed: who adds one is told by mypy each place that has to know it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[3]
ROOM = "bakeroll/roll"
ACTIONS = f"{ROOM}/state/actions.py"
UNKNOWN = "class Unknown:\n    pass\n\n\n"


@pytest.mark.slow
def test_an_action_that_a_place_does_not_know_fails_type_checking(tmp_path: Path) -> None:
    more = (
        (HERE / ACTIONS).read_text().replace("Action: TypeAlias = (", f"{UNKNOWN}Action: TypeAlias = (\n    Unknown |")
    )
    (tmp_path / "actions.py").write_text(more)
    mypy: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--cache-dir",
        tmp_path,
        "--shadow-file",
        ACTIONS,
        tmp_path / "actions.py",
    ]

    found = subprocess.run([*mypy, ROOM], cwd=HERE, capture_output=True, text=True, check=False)

    places = re.findall(rf'^{ROOM}/(\S+)\.py:\d+: error: .*"Unknown"  \[exhaustive-match\]$', found.stdout, re.M)
    assert sorted(places) == ["foresee/steps", "run/pending_changes", "run/perform", "run/progress"], found.stdout

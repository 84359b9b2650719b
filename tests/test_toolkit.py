"""Where the toolkit's own files lie, and which version it says it is. tests/wheel has the same of a wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bakeroll import toolkit

CLONE = Path(__file__).parents[1]


def said(folder: Path, what: str) -> str:
    """What a toolkit that lies in `folder` says."""
    command = [sys.executable, "-c", f"import bakeroll; from bakeroll import toolkit; print({what})"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(folder)}
    )
    return done.stdout.strip()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package in a folder of its own, as a clone has it."""
    (tmp_path / "bakeroll").mkdir()
    for name in ("__init__.py", "toolkit.py"):
        shutil.copy(CLONE / "bakeroll" / name, tmp_path / "bakeroll" / name)
    return tmp_path


def commit(folder: Path, tag: str = "") -> str:
    """The short hash of a first commit in `folder`."""
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=Begin"], check=True)
    if tag:
        subprocess.run([*git, "tag", tag], check=True)
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_in_a_clone_the_files_lie_beside_the_package() -> None:
    assert toolkit.folder() == CLONE


def test_a_clone_is_of_the_version_that_git_describes(copied: Path) -> None:
    commit(copied, tag="v1.2.0")

    assert said(copied, "bakeroll.__version__") == "1.2.0"


def test_a_clone_without_a_tag_is_of_its_commit(copied: Path) -> None:
    short = commit(copied)

    assert said(copied, "bakeroll.__version__") == short


def test_a_copied_folder_says_that_its_version_is_unknown_whatever_repository_lies_around_it(copied: Path) -> None:
    inner = copied / "vendor"
    inner.mkdir()
    (copied / "bakeroll").rename(inner / "bakeroll")
    commit(copied, tag="v7.0")

    assert said(inner, "bakeroll.__version__") == toolkit.UNKNOWN


def test_the_variables_of_a_git_hook_lead_to_no_other_repository(
    copied: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    commit(other, tag="v7.0")
    commit(copied, tag="v1.2.0")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))

    assert toolkit.described(copied) == "1.2.0"


def test_nothing_else_is_found_by_asking_the_package_for_it(copied: Path) -> None:
    assert said(copied, "hasattr(bakeroll, 'version')") == "False"

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeroll.process import run

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


class Repository:
    """A real Git repository whose clock stands in 2026 and moves a minute with each commit."""

    def __init__(self, path: Path) -> None:
        self.path, self.commits = path, 0
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        time = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"2026-11-21T03:{self.commits:02}:00Z")
        return run(["git", "-C", str(self.path), *arguments], env={**IDENTITY, **time}).strip()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, subject: str = "Change", **files: str) -> str:
        self.commits += 1
        self.write(files or {"count": str(self.commits)})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str) -> None:
        self.git("tag", name)


@pytest.fixture
def make_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Repository]:
    for name in [each for each in os.environ if each.startswith("GIT_")]:
        monkeypatch.delenv(name)

    def make(name: str) -> Repository:
        return Repository(tmp_path / name)

    return make


@pytest.fixture
def repository(make_repository: Callable[[str], Repository]) -> Repository:
    return make_repository("repository")

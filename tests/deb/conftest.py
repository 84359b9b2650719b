import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeroll import settings
from bakeroll.deb import source
from bakeroll.deb.build import build
from bakeroll.events import Event
from bakeroll.process import run
from bakeroll.release import Package
from bakeroll.settings import EnvironmentSettings

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


# The least that our templates package: a module, no dependency, no network.
SMALL = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["flit_core==3.12.0"]\nbuild-backend = "flit_core.buildapi"\n'
        '[project]\nname = "small"\nversion = "0"\ndescription = "small"\n[project.scripts]\nsmall = "small:main"\n'
    ),
    "small.py": 'def main() -> None:\n    print("small")\n',
    "requirements.txt": "",
    "deploy.yml": "application: small\nenvironments:\n  local: {cloud: local}\n",
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


class Builder:
    """Builds what a repository holds, into one folder."""

    def __init__(self, repository: Repository, output: Path) -> None:
        self.repository, self.output = repository, output
        self.events: list[Event] = []

    @property
    def environment(self) -> EnvironmentSettings:
        return settings.load(self.repository.path, "local")

    def build(self, environment: EnvironmentSettings | None = None) -> Package:
        found = source.read_revision(self.repository.path, is_dirty_allowed=False, run=run)
        version = source.read_version(self.repository.path, found, run=run)
        return build(
            environment or self.environment, found, version, output=self.output, run=run, report=self.events.append
        )

    def is_built(self) -> bool:
        """Whether the last call built, and did not find, the package."""
        return any(event.kind == "detail" for event in self.events)


def unpacked(package: Package, folder: Path) -> Path:
    run(["dpkg-deb", "--extract", str(package.path), str(folder)])
    return folder


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


@pytest.fixture
def small(repository: Repository, tmp_path: Path) -> Builder:
    repository.commit(**SMALL)
    repository.tag("v1.0")
    return Builder(repository, tmp_path / "out")

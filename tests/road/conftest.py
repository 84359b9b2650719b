"""A local cloud of the tests' own, a user's repository of the example application, and `fab` run in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.aws.iam import FREE, actions_of
from tests.road.fleets import SIZE

TOOLKIT = Path(__file__).parents[2]
FAB = TOOLKIT / ".venv" / "bin" / "fab"

OLD, NEW = "8.0.0-1", "9.0.0-1"
LOCAL: Mapping[str, Any] = {
    "cloud": "local",
    "repository": {"suite": "local"},
}
"""What deploy.yml says of any environment in the local cloud."""
CALLED: dict[str, set[str]] = defaultdict(set)
"""By task, what the local cloud carried out while it ran, in the words of IAM policies."""
POLICIES = {"bake": "baker", **dict.fromkeys(("roll", "rollback", "status", "history", "plan", "doctor"), "roller")}
"""By task, the policy of docs/iam that who runs it has."""
EVERY_TASKS = {"autoscaling:DescribeAutoScalingGroups"}
"""Every task looks whether the local cloud has the fleet."""


@cache
def permitted(policy: str) -> set[str]:
    return actions_of(TOOLKIT / "docs" / "iam" / f"{policy}.json") | FREE | EVERY_TASKS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest goes first, so that no worker of pytest-xdist waits for it alone at the end."""
    longest = Path(__file__).with_name("test_strategies.py")
    items.sort(key=lambda item: item.path != longest)


@dataclass(frozen=True)
class Ended:
    """How a `fab` ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Repository:
    """A user's repository, and `fab` in it."""

    path: Path
    environment: dict[str, str]
    commits: int = 0
    _files: list[Path] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True, env=self.environment
        ).stdout

    def commit(self, subject: str = "Change a line") -> str:
        """Commit what stands in the folder, and one changed line at least; the new commit's short hash."""
        self.commits += 1
        (self.path / "links" / "note.txt").write_text(f"{self.commits}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "--short=7", "HEAD").strip()

    def settle(self, **changes: Any) -> None:
        """Have the environment that is in force so in deploy.yml, besides what it is there."""
        path = self.path / "deploy.yml"
        settings = yaml.safe_load(path.read_text())
        settings["environments"].setdefault(self.environment["BAKEROLL_ENV"], {}).update(changes)
        path.write_text(yaml.safe_dump(settings, sort_keys=False))

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    @contextmanager
    def changed(self, name: str, old: str, new: str, *, count: int = -1) -> Iterator[str]:
        """For the length of the block a commit in which `old` is `new` in a file; then one that puts it back."""
        text = (self.path / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new, count))
        yield self.commit(f"Break {name}")
        self.write(name, text)
        self.commit(f"Mend {name}")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [FAB, *arguments],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def fab(self, *arguments: str, environment: dict[str, str] | None = None) -> Ended:
        before = self.calls()
        done = subprocess.run(
            [FAB, *arguments],
            cwd=self.path,
            env=self.environment | (environment or {}),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        task = arguments[0].partition(":")[0]
        called = {call for call, count in self.calls().items() if count != before.get(call, 0)}
        CALLED[task] |= called
        assert task not in POLICIES or called <= permitted(POLICIES[task]), called - permitted(POLICIES[task])
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def calls(self) -> Mapping[str, int]:
        """How often the local cloud carried out what since it is up; nothing where it is down."""
        try:
            url = f"http://127.0.0.1:{self.environment['BAKEROLL_LOCAL_PORT']}/bakeroll/calls"
            with urllib.request.urlopen(url, timeout=10) as answer:
                found: dict[str, int] = json.load(answer)["counts"]
                return found
        except OSError:
            return {}

    def deploy(self, *arguments: str) -> Ended:
        ended = self.fab("deploy", *arguments)
        assert ended.code == 0, ended.said
        return ended

    def status(self) -> dict[str, Any]:
        ended = self.fab("status", "--json")
        assert ended.code == 0, ended.said
        found: dict[str, Any] = json.loads(ended.out)
        return found

    @cached_property
    def url(self) -> str:
        """The load balancer's, which outlives every release."""
        url: str = self.status()["url"]
        return url

    def newest(self) -> str:
        """The version of the commit that is checked out."""
        described = self.git("describe", "--tags", "--long", "--abbrev=7").strip()
        tag, distance, commit = described.removeprefix("v").rsplit("-", 2)
        return f"{tag}-1" if distance == "0" else f"{tag}+{distance}.{commit}-1"

    def served(self, requests: int = 60) -> tuple[Counter[str], Counter[str]]:
        """Which versions, and which instances, answer so many requests through the load balancer."""
        versions: Counter[str] = Counter()
        instances: Counter[str] = Counter()
        for _ in range(requests):
            with urllib.request.urlopen(f"{self.url}/version", timeout=10) as answer:  # noqa: S310 - our own balancer's
                body = json.load(answer)
            versions[body["version"]] += 1
            instances[body["instance"]] += 1
        return versions, instances

    @contextmanager
    def load(self, seconds: float = 120, without: str = "") -> Iterator[dict[str, Any]]:
        """A load on the balancer for as long as the block lasts; its result is in the dict afterwards."""
        host = self.url.removeprefix("http://").rstrip("/")
        name, _, port = host.partition(":")
        result: dict[str, Any] = {}
        generator = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "load.py", name, port or "80", str(seconds), without],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield result
        finally:
            generator.send_signal(signal.SIGTERM)
            result.update(json.loads(generator.communicate(timeout=30)[0]))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[dict[str, str]]:
    """The environment variables of a local cloud that is down, and is taken down at the end.

    Each worker of pytest-xdist has its own.
    """
    number = int(worker_id.removeprefix("gw")) if worker_id != "master" else 0
    state = tmp_path_factory.mktemp("cloud")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAKEROLL_"))}
    environment |= {
        "BAKEROLL_ENV": "local",
        "BAKEROLL_LOCAL_STATE": str(state),
        "BAKEROLL_LOCAL_BRIDGE": f"brroad{number}",
        "BAKEROLL_LOCAL_NETWORK": f"10.{130 + number}.0.0/16",
        "BAKEROLL_LOCAL_PORT": str(5730 + number),
        "NO_COLOR": "1",
    }
    yield environment
    subprocess.run([FAB, "local.reset", "--yes"], cwd=TOOLKIT, env=environment, check=True, timeout=120)


@pytest.fixture(scope="session")
def links(cloud: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The example application as a repository of its own, its first version tagged, not yet deployed."""
    return example(tmp_path_factory.mktemp("links") / "links", cloud, "v1.0.0")


def example(path: Path, environment: dict[str, str], tag: str) -> Repository:
    """A copy of the example application in a new repository, its first commit tagged."""
    shutil.copytree(TOOLKIT / "examples" / "links", path, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    settings = path / "deploy.yml"
    text = settings.read_text().replace("in_service_timeout: 60", "in_service_timeout: 20")
    settings.write_text(text.replace("command: gunicorn", "command: gunicorn --env LINKS_SLOW=1"))
    repository = Repository(path, environment)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("config", "user.name", "Ada")
    repository.git("config", "user.email", "ada@example.invalid")
    repository.commit("Keep short links")
    repository.git("tag", tag)
    return repository


@pytest.fixture
def serving(links: Repository) -> Repository:
    """The repository, its newest commit deployed and serving."""
    links.deploy()
    return links


@pytest.fixture(scope="session")
def baked(cloud: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The example with two versions baked; the first one serves a fleet of four."""
    environment = cloud | {"BAKEROLL_ENV": "four"}
    repository = example(tmp_path_factory.mktemp("strategies") / "links", environment, "v8.0.0")
    repository.settle(**LOCAL, local={"desired": SIZE, "maximum": 2 * SIZE, "deregistration_delay": 2})
    repository.commit("Have a fleet of four")
    repository.git("tag", "--force", "v8.0.0")
    repository.deploy()
    repository.commit("Change a line")
    repository.git("tag", "v9.0.0")
    ended = repository.fab("bake")
    assert ended.code == 0, ended.said
    return repository

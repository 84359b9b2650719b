"""Applications as a stranger would bring them, packaged and deployed by the README's words alone.

Each folder of tests/applications is a user's whole repository. What each needed stands in docs/packaging.md.
"""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.road.conftest import TOOLKIT, Repository
from tests.road.watch import Aws

APPLICATIONS = {
    "httpbin": "./opt/httpbin/lib/python3.11/site-packages/httpbin/core.py",
    "notes": "./opt/notes/lib/python3.11/site-packages/notes/static/notes.css",
    "prices": "./opt/prices/lib/python3.11/site-packages/uvloop/loop.cpython-311-x86_64-linux-gnu.so",
    "clock": "./usr/bin/clock",
    "greeter": "./opt/greeter/node_modules/ms/index.js",
}
"""By name, a file that its package brings."""
AT_ONCE = 2


@pytest.fixture(scope="module")
def strangers(cloud: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Repository]:
    """The applications, each a repository with one commit, tagged."""
    folder = tmp_path_factory.mktemp("strangers")
    return {name: stranger(folder / name, cloud) for name in APPLICATIONS}


def stranger(path: Path, environment: dict[str, str]) -> Repository:
    shutil.copytree(TOOLKIT / "tests" / "applications" / path.name, path)
    repository = Repository(path, environment)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("config", "user.name", "Ada")
    repository.git("config", "user.email", "ada@example.invalid")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Begin")
    repository.git("tag", "v1.0")
    return repository


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_of_any_kind_becomes_a_package(strangers: Mapping[str, Repository], name: str) -> None:
    ended = strangers[name].fab("package")

    assert ended.code == 0, ended.said
    made = next((strangers[name].path / ".bakeroll" / "packages").glob("*/*.deb"))
    listed = subprocess.run(["dpkg-deb", "--contents", made], capture_output=True, text=True, check=True).stdout
    files = {line.split(maxsplit=5)[5].partition(" -> ")[0] for line in listed.splitlines()}
    assert {APPLICATIONS[name], f"./lib/systemd/system/{name}.service"} <= files


@pytest.fixture
def deployed(strangers: Mapping[str, Repository], cloud: dict[str, str]) -> Iterator[Mapping[str, str]]:
    """The addresses of the applications, deployed; the fleets are gone afterwards, so that others have the machine."""
    first, *rest = strangers.values()
    first.deploy()  # with the base image of all
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(Repository.deploy, rest))
    yield {name: each.status()["url"] for name, each in strangers.items()}
    aws = Aws(cloud)
    for name in strangers:
        aws.asg.delete_auto_scaling_group(AutoScalingGroupName=f"{name}-local", ForceDelete=True)


def asked(url: str, body: Mapping[str, Any] | None = None) -> Any:
    sent = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, sent, {"Content-Type": "application/json"})  # noqa: S310 - our own balancer's
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        text = answer.read().decode()
    return json.loads(text) if text[:1] in "{[" else text


@pytest.mark.machine
def test_applications_of_every_kind_serve_through_their_load_balancers(deployed: Mapping[str, str]) -> None:
    versions = {name: asked(f"{url}/version")["version"] for name, url in deployed.items()}

    assert versions == dict.fromkeys(APPLICATIONS, "1.0-1")
    assert asked(f"{deployed['httpbin']}/get?a=b")["args"] == {"a": "b"}
    assert asked(f"{deployed['notes']}/static/notes.css") == "body { font-family: serif }\n"
    assert asked(f"{deployed['notes']}/notes") == {"notes": ["migrated"]}
    assert asked(f"{deployed['prices']}/sum", {"prices": [1.5, 2.25]}) == {"sum": 3.75}
    assert asked(f"{deployed['prices']}/health")["compiled"].endswith("-x86_64-linux-gnu.so")
    assert len(asked(f"{deployed['clock']}/")["id"]) == 36
    assert asked(f"{deployed['greeter']}/")["hello"] == "world"

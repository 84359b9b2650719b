"""Bad input and the end of things: a clear error, the right exit code, and a next run that works."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.road.conftest import Repository

pytestmark = pytest.mark.machine

STAGES = ["package", "publish", "bake", "roll"]


def lines_until(process: subprocess.Popen[str], stage: str) -> str:
    """What the process prints until its first line of `stage`."""
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if line.split()[1:2] == [stage]:
            return seen
    raise AssertionError(f"no line of {stage}:\n{seen}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_deploy_cut_off_in_each_stage_in_turn_leaves_nothing_that_stops_the_next(
    serving: Repository, number: signal.Signals
) -> None:
    old = serving.status()["release"]["version"]
    commit = serving.commit()

    for stage in STAGES:
        process = serving.start("deploy")
        lines_until(process, stage)
        # Ctrl-C reaches the whole process group, as from a terminal; a kill only the one that is killed.
        os.killpg(process.pid, number) if number == signal.SIGINT else process.kill()
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == (130 if number == signal.SIGINT else -9), (stage, rest)
        assert "Traceback" not in rest
        assert set(serving.served()[0]) <= {old, serving.newest()}, stage

    serving.deploy()
    assert commit in serving.status()["release"]["version"]
    versions, instances = serving.served()
    assert versions == {serving.newest(): 60}
    assert len(instances) == 2


def test_failing_tests_of_the_application_stop_the_deploy_before_anything_is_baked(serving: Repository) -> None:
    before = serving.status()

    with serving.changed("tests/test_web.py", "assert ", "assert 0 and "):
        ended = serving.fab("deploy")

    assert ended.code == 1
    assert "tests" in ended.said
    assert serving.status() == before


def test_an_application_that_never_answers_its_health_check_is_rolled_back(serving: Repository) -> None:
    before = serving.status()

    with serving.changed("links/web.py", '"/health"', '"/elsewhere"'), serving.load() as load:
        ended = serving.fab("deploy", environment={"DEB_BUILD_OPTIONS": "nocheck"})

    assert ended.code == 3, ended.said
    assert serving.status() == before
    assert load["failed"] == 0, load["first_failures"]


def test_a_dirty_tree_is_refused_unless_asked_for_and_marked(serving: Repository) -> None:
    serving.write("links/note.txt", "dirty\n")

    refused = serving.fab("package")
    asked_for = serving.fab("package", "--dirty")
    serving.git("checkout", "--quiet", "links/note.txt")

    assert refused.code == 1
    assert "links/note.txt" in refused.said
    assert "--dirty" in refused.said
    assert asked_for.code == 0
    assert "+dirty" in asked_for.said


def test_a_folder_that_is_no_repository_is_told_so(links: Repository, tmp_path: Path) -> None:
    (tmp_path / "deploy.yml").write_text((links.path / "deploy.yml").read_text())
    (tmp_path / "fabfile.py").write_text((links.path / "fabfile.py").read_text())

    ended = Repository(tmp_path, links.environment).fab("package")

    assert ended.code == 1
    assert "not in a Git repository" in ended.said


def test_a_repository_without_a_commit_is_told_so(links: Repository, tmp_path: Path) -> None:
    (tmp_path / "deploy.yml").write_text((links.path / "deploy.yml").read_text())
    (tmp_path / "fabfile.py").write_text((links.path / "fabfile.py").read_text())
    empty = Repository(tmp_path, links.environment)
    empty.git("init", "--quiet")

    ended = empty.fab("package")

    assert ended.code == 1
    assert "no commit" in ended.said


def test_a_missing_deploy_yml_is_told_so(links: Repository, tmp_path: Path) -> None:
    (tmp_path / "fabfile.py").write_text((links.path / "fabfile.py").read_text())

    ended = Repository(tmp_path, links.environment).fab("deploy")

    assert ended.code == 1
    assert "There is no deploy.yml" in ended.said


def test_an_unknown_environment_is_told_with_the_nearest(links: Repository) -> None:
    ended = links.fab("deploy:env=loacl")

    assert ended.code == 1
    assert "Did you mean “local”?" in ended.said


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_told_so_and_the_next_run_works(serving: Repository) -> None:
    commit = serving.commit()
    with tmpfs(serving.path / ".bakeroll", "64k"):
        ended = serving.fab("deploy")

    assert ended.code == 1
    assert "full" in ended.said or "No space left" in ended.said
    serving.deploy()
    assert commit in serving.status()["release"]["version"]


def test_a_port_in_use_is_told_before_anything_is_changed(links: Repository, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 5694)):
        ended = links.fab(
            "local.up",
            environment={
                "BAKEROLL_LOCAL_STATE": str(tmp_path),
                "BAKEROLL_LOCAL_PORT": "5694",
                "BAKEROLL_LOCAL_BRIDGE": "brport0",
                "BAKEROLL_LOCAL_NETWORK": "10.94.0.0/16",
            },
        )

    assert ended.code == 1
    assert "5694" in ended.said
    assert "BAKEROLL_LOCAL_PORT" in ended.said


def test_a_killed_cloud_is_swept_and_goes_on(serving: Repository) -> None:
    before = serving.status()["release"]
    pid = int(serving.fab("local.status", "--json").out.partition('"pid": ')[2].split(",")[0])
    os.kill(pid, signal.SIGKILL)

    serving.deploy()

    assert serving.status()["release"] == before
    assert serving.served()[0] == {before["version"]: 60}

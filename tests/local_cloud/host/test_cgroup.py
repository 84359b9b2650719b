"""A cloud's processes, found while its machines come and go."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud.host import cgroup


def machine(cloud: Path, name: str, processes: str) -> Path:
    """A machine's directory, with its processes one level deeper, as systemd keeps them."""
    scope = cloud / name / "init.scope"
    scope.mkdir(parents=True)
    (scope / "cgroup.procs").write_text(processes)
    return scope


@contextmanager
def coming_and_going(cloud: Path) -> Iterator[None]:
    """Another thread makes and removes machines until the block ends."""
    ended = threading.Event()

    def churn() -> None:
        while not ended.is_set():
            scopes = [machine(cloud, f"i-{number}", "7\n") for number in range(20)]
            for scope in scopes:
                (scope / "cgroup.procs").unlink()
                scope.rmdir()
                scope.parent.rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_the_processes_of_all_machines_are_found(tmp_path: Path) -> None:
    machine(tmp_path, "i-1", "11\n12\n")
    deeper = machine(tmp_path, "i-2", "21\n")

    assert sorted(cgroup.processes(tmp_path)) == [11, 12, 21]
    assert cgroup.holding(tmp_path, 21) == deeper
    assert cgroup.processes(tmp_path / "none") == []


def test_a_machine_that_ends_while_processes_are_looked_for_is_no_error(tmp_path: Path) -> None:
    stays = machine(tmp_path, "i-stays", "1\n")

    with coming_and_going(tmp_path):
        for _ in range(300):
            assert 1 in cgroup.processes(tmp_path)
            assert cgroup.holding(tmp_path, 1) == stays

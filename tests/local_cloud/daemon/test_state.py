import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.daemon.state import State
from local_cloud.hooks.groups import Groups
from local_cloud.scaling.refresh import Refresh


class Stored:
    """Like moto's object of S3: its value in a buffer that cannot be pickled, and a lock."""

    def __init__(self, value: bytes) -> None:
        self.__setstate__({"value": value, "name": "object"})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({key: value for key, value in state.items() if key != "value"})
        self._value_buffer: list[bytes] = [state["value"]]
        self.lock = threading.Lock()

    @property
    def value(self) -> bytes:
        return self._value_buffer[0]


class Chain:
    def __init__(self, before: "Chain | None") -> None:
        self.before = before


@pytest.fixture
def world() -> dict[str, Any]:
    return {}


@pytest.fixture
def state(tmp_path: Path, world: dict[str, Any]) -> Iterator[State]:
    state = State(tmp_path, lambda: world, Stored)
    assert state.load() is None
    state.start()
    yield state
    with state._condition:
        state._stopped = True
        state._condition.notify_all()


def test_what_is_saved_is_read_back(state: State, world: dict[str, Any], tmp_path: Path) -> None:
    world["bucket"] = [Stored(b"one"), Stored(os.urandom(100_000))]
    state.save()

    kept = State(tmp_path, dict, Stored).load()

    assert [each.value for each in kept["bucket"]] == [each.value for each in world["bucket"]]
    assert kept["bucket"][0].name == "object"


def test_a_state_is_read_that_was_written_when_the_local_cloud_was_part_of_the_toolkit(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"value")
    named = {"cbakeroll.local.refresh\nRefresh\n.": Refresh, "cbakeroll.local.autoscaling_hooks\nGroups\n.": Groups}

    for text, found in named.items():
        (tmp_path / "state.pickle").write_text(text)
        assert State(tmp_path, dict, Stored).load() is found
    (tmp_path / "state.pickle").write_text(f"cbakeroll.local.state\n_read\n(V{tmp_path}/kept\ntR.")
    assert State(tmp_path, dict, Stored).load() == b"value"


def test_an_objects_value_is_written_once_and_goes_with_the_object(
    state: State, world: dict[str, Any], tmp_path: Path
) -> None:
    world["bucket"] = [Stored(b"one"), Stored(b"one"), Stored(b"two")]
    state.save()
    assert len(list((tmp_path / "objects").iterdir())) == 2
    first = {path: path.stat().st_ino for path in (tmp_path / "objects").iterdir()}

    del world["bucket"][2]
    state.save()

    (left,) = (tmp_path / "objects").iterdir()
    assert first[left] == left.stat().st_ino


def test_long_chains_of_objects_are_kept(state: State, world: dict[str, Any], tmp_path: Path) -> None:
    for _ in range(20_000):
        world["last"] = Chain(world.get("last"))

    state.save()

    assert (tmp_path / "state.pickle").stat().st_size > 20_000


def test_a_disk_that_cannot_be_written_is_told_and_got_over(
    state: State, world: dict[str, Any], tmp_path: Path
) -> None:
    world["kept"] = 1
    state.save()
    (tmp_path / "state.draft").mkdir()  # stands in the way as a full disk does

    with pytest.raises(OSError, match="state"):
        state.save()
    assert state.failure
    assert State(tmp_path, dict, Stored).load() == {"kept": 1}

    (tmp_path / "state.draft").rmdir()
    state.save()
    assert not state.failure


def test_what_cannot_be_kept_is_told_and_keeps_nobody_waiting(state: State, world: dict[str, Any]) -> None:
    world["lock"] = threading.Lock()
    with pytest.raises(OSError, match="cannot pickle"):
        state.save()

    del world["lock"]
    state.save()


def test_a_world_that_changes_meanwhile_is_read_again(tmp_path: Path) -> None:
    attempts: list[int] = []

    def collect() -> dict[str, int]:
        attempts.append(1)
        if len(attempts) < 3:
            raise RuntimeError("dictionary changed size during iteration")
        return {"attempts": len(attempts)}

    state = State(tmp_path, collect, Stored)
    state.load()
    state.start()

    state.stop()

    assert State(tmp_path, dict, Stored).load() == {"attempts": 3}

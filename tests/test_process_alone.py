"""A lock that one process or thread holds at a time."""

from pathlib import Path

import pytest

from bakeroll.process import alone


def test_who_has_to_wait_is_told_so_at_once_and_may_give_up(tmp_path: Path) -> None:
    told = list[float]()

    def give_up(seconds: float) -> None:
        told.append(seconds)
        raise InterruptedError

    with alone(tmp_path / "lock"), pytest.raises(InterruptedError), alone(tmp_path / "lock", give_up):
        pass

    assert told == [0]


def test_a_lock_that_was_given_back_is_not_waited_for(tmp_path: Path) -> None:
    told = list[float]()
    with alone(tmp_path / "lock"):
        pass

    with alone(tmp_path / "lock", told.append):
        pass

    assert told == []

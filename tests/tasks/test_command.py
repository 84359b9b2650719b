"""What the tasks share: a fleet that is followed until nobody rolls it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bakeroll.tasks.command import follow_status


def found(state: str, roll: dict[str, Any] | None) -> dict[str, Any]:
    return {"state": state, "roll": roll}


def rolling(heard: str, *, cut_off: bool = False) -> dict[str, Any]:
    return {"heard": heard, "is_cut_off": cut_off}


def lines(what: dict[str, Any], _: object) -> Iterator[str]:
    yield what["state"]


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        pytest.param([found("whole", None)], "whole\n", id="nobody rolls it"),
        pytest.param(
            [found("a", rolling("1")), found("a", rolling("2")), found("b", rolling("3")), found("whole", None)],
            "a\nb\nwhole\n",
            id="each change once, a heartbeat is none",
        ),
        pytest.param([found("a", rolling("1", cut_off=True))], "a\n", id="a roll that was cut off is not waited for"),
    ],
)
def test_a_fleet_is_followed_until_nobody_rolls_it(
    looks: list[dict[str, Any]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    left = iter(looks)

    follow_status(lambda: next(left), lines, is_json=False, sleep=slept.append)

    assert capsys.readouterr().out == said
    assert len(slept) == len(looks) - 1


def test_as_json_each_change_is_an_object_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    left = iter([found("a", rolling("1")), found("whole", None)])

    follow_status(lambda: next(left), lines, is_json=True, sleep=lambda _: None)

    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["a", "whole"]

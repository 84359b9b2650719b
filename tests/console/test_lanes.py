"""The lanes of a roll on a terminal."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from bakeroll.console.lanes import TimedScene, drawn, fitting, timed
from bakeroll.console.progress import progress
from bakeroll.events import Event, Lane, Scene

SERVES = Lane("i-0f3a", "eu-west-1a", "in service", "1.4.0+3", is_new=True)
SICK = Lane("i-07be", "eu-west-1c", "unhealthy", "1.4.0+3", "Target.ResponseCodeMismatch 503", is_new=True)
BOOTS = Lane("i-0aa2", "eu-west-1a", "booting", "1.4.0+3", is_new=True)
OLD = tuple(Lane(f"i-000{n}", "eu-west-1a", "in service", "1.4.0-1") for n in range(4))
DRAINS = Lane("i-0004", "eu-west-1b", "draining", "1.4.0-1")
NOW = TimedScene(
    Scene("links-dev", (SERVES, SICK, BOOTS, *OLD), in_service=5, floor=4, desired=4, awaited="i-07be unhealthy"),
    {"i-0f3a": 0, "i-07be": 88, "i-0aa2": 91},
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(it: TimedScene = NOW, width: int = 90, height: int = 20, now: float = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True)
    console.print(drawn(it, now, width, height))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_each_new_instance_has_a_line_and_the_old_that_serve_have_one_together() -> None:
    assert screen() == [
        "    i-0f3a  eu-west-1a  in service      1.4.0+3",
        "    i-07be  eu-west-1c  unhealthy 12 s  Target.ResponseCodeMismatch 503",
        "    i-0aa2  eu-west-1a  booting 9 s     1.4.0+3",
        "    old   4 in service   floor 4   ████████░░░░   serving 5 of 4",
        "    waiting for i-07be unhealthy",
    ]


def test_an_old_one_that_drains_has_a_line_and_one_that_is_gone_has_none() -> None:
    gone = Lane("i-0005", "eu-west-1a", "gone", "1.4.0-1")
    it = timed(Scene("links-dev", (DRAINS, gone), in_service=0, floor=1, desired=1), 100)

    assert screen(it, now=101) == [
        "    i-0004  eu-west-1b  draining 1 s    1.4.0-1",
        "    old   1 gone   floor 1   ░░░░░░░░░░░░   serving 0 of 1",
    ]


def test_seconds_count_from_the_scene_in_which_the_state_was_new() -> None:
    first = timed(Scene("links-dev", (BOOTS, SICK), 0, 0, 2), 10)
    healed = Lane(**{name: getattr(SICK, name) for name in ("id", "zone", "release", "is_new")}, state="in service")

    then = timed(Scene("links-dev", (BOOTS, healed), 1, 0, 2), 14, first)

    assert then.since == {"i-0aa2": 10, "i-07be": 14}


@pytest.mark.parametrize("height", [3, 4, 5])
def test_what_does_not_fit_is_summed_up_and_what_is_least_settled_stays(height: int) -> None:
    lines = screen(height=height)

    assert len(lines) == height
    assert lines[-2].startswith("    old")
    assert any("i-07be" in line for line in lines[:-2]) == (height > 3)


def test_the_rest_is_counted_by_state() -> None:
    assert screen(height=4)[:2] == [
        "    i-07be  eu-west-1c  unhealthy 12 s  Target.ResponseCodeMismatch 503",
        "    and 1 in service, 1 booting",
    ]


def test_a_thousand_lanes_fit_as_well() -> None:
    lanes = [Lane(f"i-{n}", "a", "booting", "2", is_new=True) for n in range(1000)]

    assert len(fitting(lanes, 20)) == 19


@pytest.mark.parametrize("width", [40, 45, 59, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_ids_are_whole(width: int) -> None:
    lines = screen(width=width)

    assert max(map(len, lines)) <= width
    assert len(lines) == 5
    assert lines[1].startswith("    i-07be  ")


def test_colour_is_not_needed_and_not_given_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()

    Console(file=stream, width=90, force_terminal=True).print(drawn(NOW, 100, 90, 20))

    assert "unhealthy 12 s" in stream.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", stream.getvalue())


def test_on_a_terminal_the_lanes_stand_below_the_roll_and_go_when_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with progress(terminal) as report:
        report(Event("roll", "links-dev: 4 × ami-1 to ami-2"))
        report(Event("roll", "", "scene", NOW.scene))
        report(Event("roll", "i-0f3a in service (1 of 4)"))
        while_it_runs = terminal.getvalue()
        report(Event("roll", "4 in service, 4 retired", "done"))

    assert "Target.ResponseCodeMismatch 503" in while_it_runs
    assert "i-07be" not in terminal.getvalue().splitlines()[-1]
    assert "✓" in terminal.getvalue()


def test_where_the_roll_is_stands_below_what_it_waits_for() -> None:
    doing = replace(NOW, scene=replace(NOW.scene, doing="canary: 1 of 4 watched for 35 of 300 s"))

    assert screen(doing)[-2:] == ["    waiting for i-07be unhealthy", "    canary: 1 of 4 watched for 35 of 300 s"]


def test_a_wait_is_a_line_of_a_log_and_a_terminal_keeps_no_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        with progress(stream) as report:
            report(Event("roll", "resumed"))
            report(Event("roll", "waiting: i-0f3a booting for 3 s; times out at 14:06:21", "wait"))
            report(Event("roll", "", "scene", NOW.scene))

    assert "waiting: i-0f3a booting for 3 s" in log.getvalue()
    assert "waiting: i-0f3a" not in terminal.getvalue()
    assert "resumed" in terminal.getvalue()


def test_off_a_terminal_a_scene_prints_nothing() -> None:
    stream = io.StringIO()
    with progress(stream, verbose=True) as report:
        report(Event("roll", "", "scene", NOW.scene))

    assert stream.getvalue() == ""

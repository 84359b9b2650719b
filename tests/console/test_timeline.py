"""A roll's timeline: what is kept, what stands in the file, and where it goes."""

import os
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bakeroll.console import timeline
from bakeroll.console.chart import lanes, page
from bakeroll.console.failure import text_of
from bakeroll.console.recording import Recording
from bakeroll.console.timeline import TIMELINES_KEPT, record_timeline
from bakeroll.errors import RolledBack
from bakeroll.events import Event, Lane, LaneState, Scene
from bakeroll.release import Release

STARTED = datetime(2026, 11, 26, 14, 2, 11, tzinfo=UTC)
RELEASE = Release("links", "dev", "2.0-1", "ami-2", "1c9e2a7f", "ops@<build>", STARTED)


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> datetime:
        return STARTED

    def monotonic(self) -> float:
        self.time += 1
        return self.time


def scene(*states: LaneState, note: str = "") -> Event:
    found = tuple(Lane(f"i-{n}", "a", state, "2.0-1", note, is_new=True) for n, state in enumerate(states))
    return Event("roll", "", "scene", Scene("links-dev", found, states.count("in service"), 1, 1))


def rolled(folder: Path, *events: Event, error: BaseException | None = None, heard: list[Event] | None = None) -> Any:
    clock = Clock()
    listener = heard.append if heard is not None else lambda _: None
    with record_timeline(listener, folder, RELEASE, now=clock.now, monotonic=clock.monotonic) as report:
        for event in events:
            report(event)
        if error:
            raise error
    return report


DONE = Event("roll", "1 in service, 1 retired", "done")


def test_a_lane_is_kept_from_change_to_change_and_ends_when_it_is_seen_no_more(tmp_path: Path) -> None:
    found = rolled(tmp_path, scene("booting", "booting"), scene("booting", "booting"), scene("in service"), DONE)

    assert [(at, lane.state) for at, lane in found.recording.lanes["i-0"]] == [(1, "booting"), (3, "in service")]
    assert [(at, lane.state) for at, lane in found.recording.lanes["i-1"]] == [(1, "booting"), (3, "gone")]
    assert found.recording.capacity == [(1, (0, 1)), (3, (1, 1))]


def test_the_file_is_named_after_environment_and_time_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    found = rolled(tmp_path / "rolls", scene("in service"), DONE)

    assert [each.name for each in (tmp_path / "rolls").iterdir()] == ["dev-20261126T140211.html"]
    assert found.path == tmp_path / "rolls" / "dev-20261126T140211.html"
    assert found.path.stat().st_mode & 0o077 == 0


def test_it_says_how_the_roll_ended_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = rolled(tmp_path, scene("in service"), DONE).path.read_text()

    assert "✓ 1 in service, 1 retired" in text
    assert not any(each in text for each in ("<script", "http://", "https://", "src=", "url("))


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    text = rolled(tmp_path, scene("unhealthy", note='<b onclick="x">'), DONE).path.read_text()

    assert "<b onclick" not in text
    assert "ops@&lt;build&gt;" in text


def test_a_roll_that_failed_leaves_one_and_its_failure_says_where(tmp_path: Path) -> None:
    with pytest.raises(RolledBack) as caught:
        rolled(tmp_path, scene("unhealthy"), error=RolledBack("i-0 was not in service", next_step="Try again"))

    assert f"Timeline: {caught.value.timeline}" in text_of(caught.value)
    assert "✗ Rolled back: i-0 was not in service" in next(tmp_path.iterdir()).read_text()


def test_a_roll_that_was_interrupted_leaves_one_as_well(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        rolled(tmp_path, scene("booting"), error=KeyboardInterrupt())

    assert caught.value.__notes__ == [f"Timeline: {next(tmp_path.iterdir())}"]


def test_a_roll_that_showed_nothing_leaves_none(tmp_path: Path) -> None:
    assert rolled(tmp_path / "rolls", DONE).path is None
    assert not (tmp_path / "rolls").exists()


def test_a_full_disk_is_told_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    heard: list[Event] = []
    monkeypatch.setattr(timeline, "_write", full)

    assert rolled(tmp_path, scene("in service"), DONE, heard=heard).path is None
    assert heard[-1].kind == "note"
    assert heard[-1].text.endswith("No space left on device")


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for number in range(TIMELINES_KEPT + 3):
        (tmp_path / f"dev-{number}.html").write_text("")
        os.utime(tmp_path / f"dev-{number}.html", (number, number))

    rolled(tmp_path, scene("in service"), DONE)

    assert len(list(tmp_path.iterdir())) == TIMELINES_KEPT
    assert not (tmp_path / "dev-3.html").exists()
    assert (tmp_path / "dev-4.html").exists()


def recording(count: int) -> Recording:
    found = Recording(RELEASE, STARTED, ending="Interrupted")
    stages: list[tuple[float, LaneState]] = [(0, "launching"), (2, "booting"), (9, "in service")]
    for at, state in stages:
        event = scene(*[state] * count)
        assert event.scene
        found.add(event.scene, at)
    found.seconds = 10
    return found


@pytest.mark.parametrize("count", [1, 200])
def test_the_page_holds_every_lane_within_its_width(count: int) -> None:
    found = list(lanes(recording(count)))

    assert len(found) == count
    assert all(sum(bar.width for bar in row.bars) == pytest.approx(100) for row in found)
    HTMLParser().feed(page(recording(count)))


def test_a_launch_that_became_an_instance_has_no_lane(tmp_path: Path) -> None:
    found = Recording(RELEASE, STARTED, seconds=2)
    found.add(Scene("links-dev", (Lane("launch 1", "a", "launching", "2"),), 0, 1, 1), 0)
    found.add(Scene("links-dev", (Lane("i-0", "a", "booting", "2"),), 0, 1, 1), 1)

    assert [row.lane.id for row in lanes(found)] == ["i-0"]

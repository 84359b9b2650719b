"""Progress in a log, and to nobody."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bakeroll.console.progress import lines, progress
from bakeroll.events import Event


class Gone(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def ticking() -> Iterator[datetime]:
    at = datetime(2026, 1, 1, 14, 1, tzinfo=UTC)
    while True:
        yield at
        at += timedelta(seconds=2)


def told(*events: Event) -> list[str]:
    stream, clock = io.StringIO(), ticking()
    report = lines(stream, lambda: next(clock))
    for event in events:
        report(event)
    return stream.getvalue().splitlines()


def test_a_stage_s_time_runs_from_the_end_of_the_one_before() -> None:
    assert told(
        Event("release", "links 1.0 → dev", "heading"),
        Event("package", "building links 1.0"),
        Event("package", "links_1.0.deb, 0.7 MB", "done"),
        Event("publish", "s3://apt", "done"),
    ) == [
        "14:01:02 release   links 1.0 → dev",
        "14:01:04 package   building links 1.0",
        "14:01:06 package   links_1.0.deb, 0.7 MB   4.0 s",
        "14:01:08 publish   s3://apt   2.0 s",
    ]


def test_what_would_be_done_took_no_time() -> None:
    assert told(Event("bake", "would take ami-1", "plan")) == ["14:01:02 bake      would take ami-1"]


def test_a_reader_that_goes_away_ends_the_telling_and_not_the_work() -> None:
    report = lines(Gone(), datetime.now)

    report(Event("roll", "i-1 in service"))
    report(Event("roll", "i-2 in service"))


def test_a_stream_that_the_shell_closed_is_told_nothing() -> None:
    with progress(None) as report:
        report(Event("roll", "i-1 in service"))


def test_a_tool_s_own_output_is_left_out_unless_asked_for() -> None:
    quiet, full = io.StringIO(), io.StringIO()
    for stream, verbose in ((quiet, False), (full, True)):
        with progress(stream, verbose=verbose) as report:
            report(Event("bake", "amazon-ebs: …", "detail"))

    assert quiet.getvalue() == ""
    assert "amazon-ebs" in full.getvalue()

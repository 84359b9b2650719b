"""The layout of a roll's timeline, computed from its recording. Pure.

Positions are in percent of the page's width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import get_args

from bakeroll.console.recording import Changes, Recording, T
from bakeroll.console.times import seconds, whole_seconds
from bakeroll.events import Lane, LaneState

TEMPLATE = Path(__file__).with_name("timeline.html.j2")
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
TICKS = 8
LABELLED = 7.0
"""The width, in percent, from which a bar has room for the name of its state."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time. `title` is its tooltip, `label` the text in it."""

    left: float
    width: float
    label: str
    title: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One lane: its last state, and its bars."""

    lane: Lane
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time with one capacity. Heights are in percent of the highest capacity."""

    left: float
    width: float
    in_service: int
    floor: int
    height: float
    floor_height: float
    title: str


def page(recording: Recording) -> str:
    """The HTML page. It refers to no other file."""
    from jinja2 import Environment, StrictUndefined

    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    rows = list(lanes(recording))
    new, old = [row for row in rows if row.lane.is_new], [row for row in rows if not row.lane.is_new]
    return template.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        it=recording,
        release=recording.release,
        took=seconds(recording.seconds),
        groups=[(name, group) for name, group in (("New", new), ("Old", old)) if group],
        steps=list(steps(recording)),
        awaited=list(awaited(recording)),
        ticks=list(ticks(recording.seconds)),
        words=list(words(recording)),
        states=get_args(LaneState),
        least=min(count for _, (count, _) in recording.capacity),
        most=max(count for _, (count, _) in recording.capacity),
        floor=max(floor for _, (_, floor) in recording.capacity),
    )


def lanes(recording: Recording) -> Iterator[Row]:
    """The lanes in the order in which they appeared. A launch that became an instance is left out."""
    for changes in recording.lanes.values():
        states = [lane.state for _, lane in changes]
        if states != ["launching", "gone"]:
            yield Row(changes[-1][1], tuple(_bars(changes, recording.seconds)))


def _bars(changes: Changes[Lane], end: float) -> Iterator[Bar]:
    for state, stretch in groupby(_stretches(changes, end), key=lambda each: each[2].state):
        found = list(stretch)
        begin, until = found[0][0], found[-1][1]
        notes = "; ".join(dict.fromkeys(lane.note for _, _, lane in found if lane.note))
        title = f"{found[0][2].id} {state} {seconds(until - begin)}" + (f": {notes}" if notes else "")
        yield _bar(begin, until, end, state, title, state)


def awaited(recording: Recording) -> Iterator[Bar]:
    """What the roll waited for, and when."""
    for begin, until, what in _stretches(recording.awaited, recording.seconds):
        if what:
            yield _bar(begin, until, recording.seconds, what, f"{seconds(until - begin)}: {what}")


def steps(recording: Recording) -> Iterator[Step]:
    """The capacity over time."""
    top = max(1, *(max(pair) for _, pair in recording.capacity))
    for begin, until, (count, floor) in _stretches(recording.capacity, recording.seconds):
        where = _bar(begin, until, recording.seconds, "", "")
        title = f"{count} in service, floor {floor}, from {seconds(begin)} to {seconds(until)}"
        yield Step(where.left, where.width, count, floor, 100 * count / top, 100 * floor / top, title)


def ticks(whole: float) -> Iterator[tuple[float, str]]:
    """The marks of the time axis, at round seconds.

    >>> [label for _, label in ticks(58)]
    ['0 s', '10 s', '20 s', '30 s', '40 s', '50 s']
    """
    step = next((each for each in STEPS if whole / each < TICKS), STEPS[-1])
    for at in range(0, int(whole) + 1, step):
        yield _percent(at, whole), whole_seconds(at)


def words(recording: Recording) -> Iterator[tuple[str, str, str]]:
    """The same as a table, ordered by time: when, which instance, what happened."""
    events = [(at, "", text) for at, text in recording.said if text]
    for changes in recording.lanes.values():
        events += [(at, lane.id, lane.state + (f": {lane.note}" if lane.note else "")) for at, lane in changes]
    for at, who, what in sorted(events, key=lambda each: each[0]):
        yield seconds(at), who, what


def _stretches(changes: Changes[T], end: float) -> Iterator[tuple[float, float, T]]:
    ends = [*(at for at, _ in changes[1:]), end]
    yield from ((begin, until, value) for (begin, value), until in zip(changes, ends, strict=True))


def _bar(begin: float, until: float, whole: float, label: str, title: str, state: str = "") -> Bar:
    left, right = _percent(begin, whole), _percent(until, whole)
    return Bar(left, right - left, label if right - left >= LABELLED else "", title, state)


def _percent(at: float, whole: float) -> float:
    return round(100 * min(1.0, at / whole), 3) if whole > 0 else 0.0

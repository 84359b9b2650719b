"""The lanes of a roll on a terminal: a line for each instance that changes, and one for the old ones that serve. Pure.

`timed` adds to a scene the time since which each lane is in its state. `drawn` is what rich shows at one moment.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeroll.console.times import whole_seconds
from bakeroll.events import Lane, LaneState, Scene

if TYPE_CHECKING:
    from rich.console import RenderableType

STYLES: Mapping[LaneState, str] = {
    "unhealthy": "bold red",
    "launching": "blue",
    "booting": "blue",
    "proving": "cyan",
    "draining": "yellow",
    "in service": "green",
    "standing by": "magenta",
    "gone": "dim",
}
"""If not all lanes fit, those in the first of these states are shown."""
SETTLED: frozenset[LaneState] = frozenset({"in service", "standing by", "gone"})
"""States whose duration is not shown."""
NARROW = 60
BAR = 12
STATE_WIDTH = 14


@dataclass(frozen=True, slots=True)
class TimedScene:
    """A scene, and the monotonic second since which each of its lanes is in its state."""

    scene: Scene
    since: Mapping[str, float]


def timed(scene: Scene, now: float, before: TimedScene | None = None) -> TimedScene:
    """The scene with its times. A lane whose state did not change since `before` keeps its time."""
    states = {each.id: each.state for each in before.scene.lanes} if before else {}
    since = before.since if before else {}
    times = {each.id: since[each.id] if states.get(each.id) == each.state else now for each in scene.lanes}
    return TimedScene(scene, times)


def moving(scene: Scene) -> list[Lane]:
    """The lanes that get their own line: all new ones, and the old ones that are not settled."""
    return [each for each in scene.lanes if each.is_new or each.state not in SETTLED]


def fitting(lanes: Sequence[Lane], at_most: int) -> list[Lane]:
    """The lanes that fit, in their order: the least settled ones if there is not room for all.

    One line is left free for a summary of the others.
    """
    if len(lanes) <= at_most:
        return list(lanes)
    order = list(STYLES)
    kept = sorted(lanes, key=lambda each: order.index(each.state))[: max(0, at_most - 1)]
    return [each for each in lanes if each in kept]


def summed(lanes: Sequence[Lane]) -> str:
    """How many lanes there are in each state.

    >>> summed([Lane("i-1", "a", "booting", "1"), Lane("i-2", "a", "booting", "1"), Lane("i-3", "a", "gone", "1")])
    '2 booting, 1 gone'
    """
    return ", ".join(f"{count} {state}" for state, count in Counter(each.state for each in lanes).items())


def bar(scene: Scene) -> str:
    """The share that is in service, of all instances that exist or are desired.

    >>> bar(Scene("links", (), in_service=6, floor=4, desired=8))
    '█████████░░░'
    """
    whole = max(scene.desired, sum(each.state != "gone" for each in scene.lanes), 1)
    full = BAR * scene.in_service // whole
    return "█" * full + "░" * (BAR - full)


def serving(scene: Scene, *, is_narrow: bool = False) -> str:
    """The old lanes without their own line, and the capacity."""
    old = [each for each in scene.lanes if not each.is_new and each.state in SETTLED]
    drawn_bar = [] if is_narrow else [bar(scene)]
    capacity = [f"floor {scene.floor}", *drawn_bar, f"serving {scene.in_service} of {scene.desired}"]
    return "   ".join(["old", summed(old) or "none in service", *capacity])


def drawn(it: TimedScene, now: float, width: int, height: int) -> "RenderableType":
    """The lanes in columns, cut to the width, in at most `height` lines. Lanes that do not fit are summed up."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    lanes, is_narrow = moving(it.scene), width < NARROW
    awaited = f"waiting for {it.scene.awaited}" if it.scene.awaited else ""
    below = [each for each in (serving(it.scene, is_narrow=is_narrow), awaited, it.scene.doing) if each]
    shown = fitting(lanes, height - len(below))
    if hidden := [each for each in lanes if each not in shown]:
        below.insert(0, f"and {summed(hidden)}" if shown else summed(hidden))
    lines = [Text(each, no_wrap=True, overflow="ellipsis") for each in below]
    return Padding(Group(_table(it, shown, now, is_narrow=is_narrow), *lines), (0, 0, 0, 4))


def _table(it: TimedScene, lanes: Sequence[Lane], now: float, *, is_narrow: bool) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    longest = max((len(each.id) for each in lanes), default=0)
    for width in (longest, STATE_WIDTH, 0) if is_narrow else (longest, 0, STATE_WIDTH, 0):
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=width)
    for each in lanes:
        zone = [] if is_narrow else [each.zone]
        state = Text(_state(each, now - it.since[each.id]), STYLES[each.state])
        table.add_row(each.id, *zone, state, Text(each.note or each.release))
    return table


def _state(lane: Lane, count: float) -> str:
    return lane.state if lane.state in SETTLED else f"{lane.state} {whole_seconds(count)}"

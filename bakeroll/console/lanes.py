"""The lanes of a roll on a terminal: a line for each instance that moves, and one for the old that serve.

`seen` follows the scenes and knows since when each lane is in its state; `drawn` is what rich shows of a moment.
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
"""Where not all lanes fit, those of the first states are shown."""
SETTLED: frozenset[LaneState] = frozenset({"in service", "standing by", "gone"})
"""How long a lane has been in one of these is of no interest."""
NARROW = 60
BAR = 12
STATE_WIDTH = 14


@dataclass(frozen=True, slots=True)
class Seen:
    """A scene, and since when (monotonic seconds) each of its lanes is in its state."""

    scene: Scene
    since: Mapping[str, float]


def seen(scene: Scene, now: float, before: Seen | None = None) -> Seen:
    """The scene after another: a lane whose state is as it was has been in it since then."""
    states = {each.id: each.state for each in before.scene.lanes} if before else {}
    since = before.since if before else {}
    return Seen(scene, {each.id: since[each.id] if states.get(each.id) == each.state else now for each in scene.lanes})


def moving(scene: Scene) -> list[Lane]:
    """The lanes that have a line of their own: the new, and the old that neither serve nor are settled otherwise."""
    return [each for each in scene.lanes if each.is_new or each.state not in SETTLED]


def fitting(lanes: Sequence[Lane], at_most: int) -> list[Lane]:
    """The least settled, in their order, where not all have room; a line is left for those that have none."""
    if len(lanes) <= at_most:
        return list(lanes)
    order = list(STYLES)
    kept = sorted(lanes, key=lambda each: order.index(each.state))[: max(0, at_most - 1)]
    return [each for each in lanes if each in kept]


def summed(lanes: Sequence[Lane]) -> str:
    """How many there are of each state.

    >>> summed([Lane("i-1", "a", "booting", "1"), Lane("i-2", "a", "booting", "1"), Lane("i-3", "a", "gone", "1")])
    '2 booting, 1 gone'
    """
    return ", ".join(f"{count} {state}" for state, count in Counter(each.state for each in lanes).items())


def bar(scene: Scene) -> str:
    """What is in service, of all that is there or wanted.

    >>> bar(Scene("links", (), in_service=6, floor=4, desired=8))
    '█████████░░░'
    """
    whole = max(scene.desired, sum(each.state != "gone" for each in scene.lanes), 1)
    full = BAR * scene.in_service // whole
    return "█" * full + "░" * (BAR - full)


def serving(scene: Scene, *, is_narrow: bool = False) -> str:
    """The old that have no line of their own, and the capacity."""
    old = [each for each in scene.lanes if not each.is_new and each.state in SETTLED]
    drawn_bar = [] if is_narrow else [bar(scene)]
    capacity = [f"floor {scene.floor}", *drawn_bar, f"serving {scene.in_service} of {scene.desired}"]
    return "   ".join(["old", summed(old) or "none in service", *capacity])


def drawn(it: Seen, now: float, width: int, height: int) -> "RenderableType":
    """The lanes in columns, cut to the width, in at most so many lines; what does not fit is summed up."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    lanes, is_narrow = moving(it.scene), width < NARROW
    awaited = f"waits for {it.scene.awaited}" if it.scene.awaited else ""
    below = [each for each in (serving(it.scene, is_narrow=is_narrow), awaited, it.scene.doing) if each]
    shown = fitting(lanes, height - len(below))
    if hidden := [each for each in lanes if each not in shown]:
        below.insert(0, f"and {summed(hidden)}" if shown else summed(hidden))
    lines = [Text(each, no_wrap=True, overflow="ellipsis") for each in below]
    return Padding(Group(_table(it, shown, now, is_narrow=is_narrow), *lines), (0, 0, 0, 4))


def _table(it: Seen, lanes: Sequence[Lane], now: float, *, is_narrow: bool) -> "RenderableType":
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

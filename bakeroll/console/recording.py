"""The recording of a roll: what changed, and when. Plain data with no input or output.

`timeline` fills a recording while the roll runs and writes the page. `chart` reads it and places its parts on the page.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from bakeroll.events import Lane, Scene
from bakeroll.release import Release

T = TypeVar("T")
Changes = list[tuple[float, T]]
"""Values, each with the second since which it held."""


@dataclass(slots=True)
class Recording:
    """What changed, in seconds since `started`. `ending` says how the roll ended, `is_well` whether it succeeded."""

    release: Release
    started: datetime
    fleet: str = ""
    seconds: float = 0
    lanes: dict[str, Changes[Lane]] = field(default_factory=dict)
    capacity: Changes[tuple[int, int]] = field(default_factory=list)
    awaited: Changes[str] = field(default_factory=list)
    said: Changes[str] = field(default_factory=list)
    ending: str = ""
    is_well: bool = False

    def add(self, scene: Scene, at: float) -> None:
        """Add what is new in a scene. A lane that the scene no longer has is gone."""
        self.fleet = scene.fleet
        _append_change(self.capacity, (scene.in_service, scene.floor), at)
        _append_change(self.awaited, scene.awaited, at)
        there = {each.id for each in scene.lanes}
        left = [changes[-1][1] for name, changes in self.lanes.items() if name not in there]
        for lane in (*scene.lanes, *(replace(each, state="gone", note="") for each in left)):
            _append_change(self.lanes.setdefault(lane.id, []), lane, at)


def _append_change(changes: Changes[T], value: T, at: float) -> None:
    if not changes or changes[-1][1] != value:
        changes.append((at, value))

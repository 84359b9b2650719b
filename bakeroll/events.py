"""What happens, told while it happens. Rooms report; the console shows.

Each text is made printable, in one line, when it is put into words here: so neither a screen, a log nor a timeline has
what a console, a balancer or a commit slips in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bakeroll.wording import one_line

Stage = Literal["cloud", "package", "publish", "bake", "roll", "release"]
LaneState = Literal["launching", "booting", "proving", "in service", "unhealthy", "draining", "standing by", "gone"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One instance of a fleet that is being rolled, at one moment; a launch without an instance yet is one, too.

    `release` is what it runs (a version, else an image); `note` why it is in that state, or not in service yet;
    `is_new` where the roll brings it.
    """

    id: str
    zone: str
    state: LaneState
    release: str
    note: str = ""
    is_new: bool = False

    def __post_init__(self) -> None:
        _make_printable(self, "release", "note")


@dataclass(frozen=True, slots=True)
class Scene:
    """A roll at one moment: its lanes, the capacity `in_service` against its `floor`, and what is `awaited`.

    `desired` is the capacity that others ask for, without what the roll has added to it; `doing` where the roll is.
    """

    fleet: str
    lanes: tuple[Lane, ...]
    in_service: int
    floor: int
    desired: int
    awaited: str = ""
    doing: str = ""

    def __post_init__(self) -> None:
        _make_printable(self, "awaited", "doing")


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state in one stage, as a sentence without its full stop.

    `progress` lines are redrawn in place on a terminal and printed once each in a log; `detail` lines
    (a tool's own output) are shown nowhere but under `--verbose`; `done` closes the stage; a `heading` stands
    above all stages and stays; a `plan` is what a dry run says of a stage; a `note` stays and closes nothing;
    a `wait` is printed in a log, and not drawn on a terminal, where the scene goes on telling what is awaited;
    a `scene`, reported at each turn of a roll, is drawn on a terminal, and printed nowhere.
    """

    stage: Stage
    text: str
    kind: Literal["progress", "detail", "done", "heading", "plan", "note", "wait", "scene"] = "progress"
    scene: Scene | None = None

    def __post_init__(self) -> None:
        _make_printable(self, "text")


def _make_printable(told: Lane | Scene | Event, *names: str) -> None:
    for each in names:
        object.__setattr__(told, each, one_line(getattr(told, each)))  # it is frozen, and was made just now


Report = Callable[[Event], None]

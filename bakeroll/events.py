"""What happens, reported while it happens. Rooms report events and the console shows them.

Each text is made printable and put on one line when an object is created here. So no screen, log or timeline receives
control characters from a console, a balancer or a commit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bakeroll.wording import one_line

Stage = Literal["cloud", "package", "publish", "bake", "roll", "release"]
LaneState = Literal["launching", "booting", "proving", "in service", "unhealthy", "draining", "standing by", "gone"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One instance of a fleet during a roll, at one moment. A launch that has no instance yet is a lane too.

    `release` is what it runs (a version, else an image). `note` says why it is in its state or not yet in service.
    `is_new` marks an instance that the roll launches.
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
    """A roll at one moment: its lanes, the capacity `in_service`, its `floor`, and what is `awaited`.

    `desired` is the desired capacity without what the roll has added to it. `doing` is the roll's current step.
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
    """A change of state in one stage, as a sentence without a full stop. The kinds:

    `progress` is redrawn in place on a terminal, and is one line in a log. `detail` is a tool's own output and appears
    only with `--verbose`. `done` closes the stage. `heading` comes before all stages and stays. `plan` is what a dry
    run says about a stage. `note` stays and closes nothing. `wait` is a line in a log; a terminal shows the scene
    instead. `scene` comes at each turn of a roll, and only a terminal draws it.
    """

    stage: Stage
    text: str
    kind: Literal["progress", "detail", "done", "heading", "plan", "note", "wait", "scene"] = "progress"
    scene: Scene | None = None

    def __post_init__(self) -> None:
        _make_printable(self, "text")


def _make_printable(new: Lane | Scene | Event, *names: str) -> None:
    for each in names:
        object.__setattr__(new, each, one_line(getattr(new, each)))  # frozen, but created just now


Report = Callable[[Event], None]

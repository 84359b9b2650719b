"""What happens, told while it happens. Rooms report; the console shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["cloud", "package", "publish", "bake", "roll", "release"]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state in one stage, as a sentence without its full stop.

    `progress` lines are redrawn in place on a terminal and printed once each in a log; `detail` lines
    (a tool's own output) are shown nowhere but under `--verbose`; `done` closes the stage; a `heading` stands
    above all stages and stays; a `plan` is what a dry run says of a stage.
    """

    stage: Stage
    text: str
    kind: Literal["progress", "detail", "done", "heading", "plan"] = "progress"


Report = Callable[[Event], None]

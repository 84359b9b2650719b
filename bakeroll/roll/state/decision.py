"""What a turn of a roll decides: to act, to wait or to end."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bakeroll.roll.state.actions import Action
from bakeroll.roll.state.record import Ending, Record


@dataclass(frozen=True, slots=True)
class Act:
    """Write `record`, then carry out the `actions` in their order."""

    record: Record
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """An action that was carried out, and the record of the roll at that time."""

    action: Action
    record: Record


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for `what`. `why` is the reason. `since` and the deadline `until` are in monotonic seconds."""

    what: str
    why: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The roll cannot reach its goal. `why` is the reason. The console of `instance` shows more."""

    why: str
    instance: str = ""
    ending: Ending = "failed"


@dataclass(frozen=True, slots=True)
class Done:
    """The roll has reached its goal and restored everything else."""


@dataclass(frozen=True, slots=True)
class Paused:
    """`by` paused the roll until somebody resumes it, or until `until`. `at` identifies the pause."""

    by: str
    at: str
    until: datetime


Decision: TypeAlias = Act | Wait | Failed | Done

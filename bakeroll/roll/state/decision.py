"""What a turn of a roll comes to: something to do, something to wait for, or the end."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bakeroll.roll.state.actions import Action
from bakeroll.roll.state.record import Ending, Record


@dataclass(frozen=True, slots=True)
class Act:
    """Write `record` down, then do the `actions` in their order."""

    record: Record
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """An action that was carried out, and the record that it was carried out under."""

    action: Action
    record: Record


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do but to wait for `what`, because of `why`, until `until` (monotonic seconds) at most."""

    what: str
    why: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The goal is not reached, because; `instance` has the console that tells more."""

    why: str
    instance: str = ""
    ending: Ending = "failed"


@dataclass(frozen=True, slots=True)
class Done:
    """The goal is reached and everything is put back."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Somebody asked that nothing is done until it is resumed, or until `until`; `at` tells one pause from another."""

    by: str
    at: str
    until: datetime


Decision: TypeAlias = Act | Wait | Failed | Done

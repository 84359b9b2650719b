"""What somebody asks of a roll that another process leads: to pause, or to abort. One document beside the record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from bakeroll.errors import RollFailed
from bakeroll.roll.ports import Table
from bakeroll.roll.state.form import Form, Line, Moment
from bakeroll.roll.store.cell import Cell

What = Literal["pause", "abort", "none"]
LONGEST_PAUSE = timedelta(days=1)
ATTEMPTS = 20
"""Each that fails is somebody else's word that was written."""


@dataclass(frozen=True, slots=True)
class Request:
    """`roll` is the id of the roll that is meant: no later one heeds it. `at` and `until` (of a pause) are ISO 8601."""

    what: What
    roll: str
    by: Line
    at: Moment
    until: Moment | Literal[""] = ""

    def is_over(self, now: datetime) -> bool:
        return bool(self.until) and now >= datetime.fromisoformat(self.until)


def _bounded(request: Request) -> Request:
    if request.until and datetime.fromisoformat(request.until) - datetime.fromisoformat(request.at) > LONGEST_PAUSE:
        raise ValueError(f"a pause of {LONGEST_PAUSE.days} day at most")
    return request


FORM: Form[Request] = Form(Annotated[Request, AfterValidator(_bounded)])


class Requests:
    """The request of one fleet."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._cell = Cell(table, f"fleet#{fleet}", "request")

    def read(self, roll: str) -> Request | None:
        """What is asked of this roll; None where nothing is. Raises DocumentUnreadable."""
        stored = self._cell.read()
        found = FORM.read(stored) if stored else None
        return found if found and found.roll == roll and found.what != "none" else None

    def write(self, request: Request) -> None:
        """Ask. What somebody asked meanwhile is replaced, and what cannot be read too: the last word counts."""
        for _ in range(ATTEMPTS):
            there = self._cell.read()
            if not self._cell.write(FORM.written(request)):
                return
        raise RollFailed(
            f"{there.item if there else 'The request'} could not be written over in {ATTEMPTS} attempts.",
            left="Nothing is asked of the roll.",
        )

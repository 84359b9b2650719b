"""Requests to a roll that another process leads: to pause or to abort. They are one document beside the record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from bakeroll.document import Document
from bakeroll.errors import RollFailed
from bakeroll.roll.ports import Table
from bakeroll.roll.state.form import Form, Line, Moment
from bakeroll.roll.store.shared_document import SharedDocument

What = Literal["pause", "abort", "none"]
LONGEST_PAUSE = timedelta(days=1)
ATTEMPTS = 20
"""An attempt fails if another process wrote a request in the meantime."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the roll with this id. Later rolls ignore it. `at` and `until` (of a pause) are in ISO 8601."""

    what: What
    roll: str
    by: Line
    at: Moment
    until: Moment | Literal[""] = ""

    def is_over(self, now: datetime) -> bool:
        """Whether the pause has expired."""
        return bool(self.until) and now >= datetime.fromisoformat(self.until)


def _bounded(request: Request) -> Request:
    if request.until and datetime.fromisoformat(request.until) - datetime.fromisoformat(request.at) > LONGEST_PAUSE:
        raise ValueError(f"a pause of {LONGEST_PAUSE.days} day at most")
    return request


FORM: Form[Request] = Form(Annotated[Request, AfterValidator(_bounded)])


class Requests:
    """The request of one fleet."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._document = SharedDocument(table, f"fleet#{fleet}", "request")

    def read(self, roll: str) -> Request | None:
        """The request to this roll, or None. Raises DocumentUnreadable."""
        stored = self._document.read()
        found = FORM.read(stored) if stored else None
        return found if found and found.roll == roll and found.what != "none" else None

    def write(self, request: Request) -> None:
        """Write the request over any earlier one, even over one that cannot be read: the last request counts."""
        current: Document | None = None
        for _ in range(ATTEMPTS):
            current = self._document.read()
            if not self._document.write(FORM.written(request)):
                return
        raise RollFailed(
            f"{current.item if current else 'The request'} could not be overwritten in {ATTEMPTS} attempts.",
            left="The roll did not receive the request.",
        )

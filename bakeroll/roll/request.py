"""What somebody asks of a roll that another process leads: to pause, or to abort. One document beside the record."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from bakeroll.roll.cell import Cell
from bakeroll.roll.ports import Table

What = Literal["pause", "abort", "none"]


@dataclass(frozen=True, slots=True)
class Request:
    """`roll` is the id of the roll that is meant: no later one heeds it. `at` and `until` (of a pause) are ISO 8601."""

    what: What
    roll: str
    by: str
    at: str
    until: str = ""

    def is_over(self, now: datetime) -> bool:
        return bool(self.until) and now >= datetime.fromisoformat(self.until)


class Requests:
    """The request of one fleet."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._cell = Cell(table, f"fleet#{fleet}", "request")

    def read(self, roll: str) -> Request | None:
        """What is asked of this roll; None where nothing is."""
        stored = self._cell.read()
        found = decoded(json.loads(stored.body)) if stored else None
        return found if found and found.roll == roll and found.what != "none" else None

    def write(self, request: Request) -> None:
        """Ask. What somebody asked meanwhile is replaced: the last word counts."""
        self._cell.read()
        while self._cell.write(json.dumps(asdict(request))):
            self._cell.read()


def decoded(raw: Mapping[str, str]) -> Request:
    return Request(**raw)  # type: ignore[arg-type]

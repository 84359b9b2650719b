"""Where the record of a fleet's roll is kept, and in which form: the second; the first is still read."""

from bakeroll.errors import RollFailed
from bakeroll.roll.ports import Table
from bakeroll.roll.state.form import Form
from bakeroll.roll.state.record import Record
from bakeroll.roll.store import first_format
from bakeroll.roll.store.cell import Cell

FORM: Form[Record] = Form(Record, number=2, older={1: first_format.read})


class Records:
    """The record of one fleet, written only where nobody else wrote since this process read it."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._cell = Cell(table, f"fleet#{fleet}", "roll")

    def read(self) -> Record | None:
        """The record of the roll that has not ended, or whose old instances stand by; None where there is none.

        Raises DocumentUnreadable.
        """
        record = self.last()
        return record if record and record.stage != "closed" else None

    def last(self) -> Record | None:
        """The same, also of a roll that has ended: what it registered by address may have ended since."""
        stored = self._cell.read()
        return FORM.read(stored) if stored else None

    def write(self, record: Record) -> None:
        if self._cell.write(FORM.written(record)):
            raise RollFailed(
                f"The record of {record.fleet}'s roll was written by somebody else.",
                left="This roll stopped and changes nothing more.",
            )

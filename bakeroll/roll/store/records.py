"""Where the record of a fleet's roll is kept."""

from bakeroll.errors import RollFailed
from bakeroll.roll.ports import Table
from bakeroll.roll.state.record import FORM, Record
from bakeroll.roll.store.cell import Cell


class Records:
    """The record of one fleet, written only where nobody else wrote since this process read it."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._cell = Cell(table, f"fleet#{fleet}", "roll")

    def read(self) -> Record | None:
        """The record of the roll that has not ended, or whose old instances stand by; None where there is none.

        Raises DocumentUnreadable.
        """
        stored = self._cell.read()
        record = FORM.read(stored) if stored else None
        return record if record and record.stage != "closed" else None

    def write(self, record: Record) -> None:
        if self._cell.write(FORM.written(record)):
            raise RollFailed(
                f"The record of {record.fleet}'s roll was written by somebody else.",
                left="This roll stopped and changes nothing more.",
            )

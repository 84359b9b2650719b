"""Reads and writes the record of a fleet's roll. It is written in the second format. The first is still read."""

from bakeroll.errors import RollFailed
from bakeroll.roll.ports import Table
from bakeroll.roll.state.form import Form
from bakeroll.roll.state.record import Record
from bakeroll.roll.store import first_format
from bakeroll.roll.store.shared_document import SharedDocument

FORM: Form[Record] = Form(Record, number=2, older={1: first_format.read})


def unfinished(last: Record | None) -> Record | None:
    """The record of the last roll if it has not ended, or if its old instances are still in Standby."""
    return last if last and last.stage != "closed" else None


class Records:
    """The record of one fleet. This process writes it only if nobody else wrote it since this process read it."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._document = SharedDocument(table, f"fleet#{fleet}", "roll")

    def read(self) -> Record | None:
        """The record of the last roll if it is unfinished, else None. Raises DocumentUnreadable."""
        return unfinished(self.read_last())

    def read_last(self) -> Record | None:
        """The record of the last roll, even of one that has ended: its registered addresses are still needed."""
        stored = self._document.read()
        return FORM.read(stored) if stored else None

    def write(self, record: Record) -> None:
        """Write the record. Raises RollFailed if another process wrote it in the meantime."""
        if self._document.write(FORM.written(record)):
            raise RollFailed(
                f"Another process wrote the record of {record.fleet}'s roll.",
                left="This roll stopped and changes nothing more.",
            )

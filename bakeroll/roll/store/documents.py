"""What the table says of a fleet, as far as it can be read: for those who tell of it and change nothing.

A roll reads its documents one by one, and refuses where it does not understand one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bakeroll.errors import DocumentUnreadable
from bakeroll.roll.ports import Table
from bakeroll.roll.state.record import Record
from bakeroll.roll.store import lease
from bakeroll.roll.store.lease import Holding
from bakeroll.roll.store.records import Records
from bakeroll.roll.store.requests import Request, Requests

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Documents:
    """None also where a document is among the `unreadable`, each of which says which it is, and why."""

    record: Record | None
    holding: Holding | None
    request: Request | None = None
    unreadable: tuple[DocumentUnreadable, ...] = ()


def readable_record(table: Table, fleet: str) -> Record | None:
    """The record of the fleet; None also where it cannot be read."""
    try:
        return Records(table, fleet).read()
    except DocumentUnreadable:
        return None


def documents(table: Table, fleet: str) -> Documents:
    """The record and the lease of the fleet, and what is asked of the roll of that record."""
    unreadable: list[DocumentUnreadable] = []

    def read(document: Callable[[], T]) -> T | None:
        try:
            return document()
        except DocumentUnreadable as error:
            unreadable.append(error)
            return None

    record = read(Records(table, fleet).read)
    held = read(lambda: lease.holding(table, fleet))
    request = read(lambda: Requests(table, fleet).read(record.id if record else ""))
    return Documents(record, held, request, tuple(unreadable))

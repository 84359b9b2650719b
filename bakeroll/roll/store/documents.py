"""The documents of a fleet for readers that change nothing, such as `status` and `doctor`.

They get what can be read, and the reason why the rest cannot. A roll reads its documents one by one and refuses to go
on if it cannot read one of them.
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
    """The documents of a fleet. A document is also None if it cannot be read: `unreadable` says which and why."""

    record: Record | None
    holding: Holding | None
    request: Request | None = None
    unreadable: tuple[DocumentUnreadable, ...] = ()


def read_readable_record(table: Table, fleet: str) -> Record | None:
    """The record of the fleet. None also if it cannot be read."""
    try:
        return Records(table, fleet).read()
    except DocumentUnreadable:
        return None


def read_documents(table: Table, fleet: str) -> Documents:
    """The record and the lease of the fleet, and the request to the roll of that record."""
    unreadable: list[DocumentUnreadable] = []

    def read(document: Callable[[], T]) -> T | None:
        try:
            return document()
        except DocumentUnreadable as error:
            unreadable.append(error)
            return None

    record = read(Records(table, fleet).read)
    held = read(lambda: lease.read_holding(table, fleet))
    request = read(lambda: Requests(table, fleet).read(record.id if record else ""))
    return Documents(record, held, request, tuple(unreadable))

"""One document that several processes write, each only over what it knows."""

import uuid

from bakeroll.document import Document
from bakeroll.roll.ports import Table


class Cell:
    """A document, and the token of the write that this process knows of.

    A write whose answer was lost may have been done: its token is kept, and the next write goes over it.
    """

    def __init__(self, table: Table, pk: str, sk: str, known: Document | None = None) -> None:
        self._table, self._pk, self._sk = table, pk, sk
        self._token = known.token if known else None
        self._unsure: set[str] = set()

    def read(self) -> Document | None:
        found = self._table.get(self._pk, self._sk)
        self._token = found.token if found else None
        return found

    def write(self, body: str) -> Document | None:
        """None where it was written; otherwise what another process wrote meanwhile."""
        new = Document(body, uuid.uuid4().hex)
        mine = frozenset(self._unsure)
        self._unsure.add(new.token)
        there = self._table.put(self._pk, self._sk, new, over=self._token)
        if there and there.token in mine:
            there = self._table.put(self._pk, self._sk, new, over=there.token)
        if there is None:
            self._token, self._unsure = new.token, set()
        return there

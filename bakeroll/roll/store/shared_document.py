"""A document that several processes write. Each overwrites only what it has read or written itself."""

import uuid

from bakeroll.document import Document
from bakeroll.roll.ports import Table


class SharedDocument:
    """A document of the table, and the token of the last write that this process knows.

    A write without an answer may have happened. This remembers its token, so that the next write may overwrite it.
    """

    def __init__(self, table: Table, pk: str, sk: str, known: Document | None = None) -> None:
        self._table, self._pk, self._sk = table, pk, sk
        self._token = known.token if known else None
        self._unsure: set[str] = set()

    def read(self) -> Document | None:
        """The document, or None if there is none. The next write may overwrite it."""
        found = self._table.get(self._pk, self._sk)
        self._token = found.token if found else None
        return found

    def write(self, body: str) -> Document | None:
        """Write the document. Returns None, or the document that another process wrote in the meantime."""
        new = Document(body, uuid.uuid4().hex)
        own_tokens = frozenset(self._unsure)
        self._unsure.add(new.token)
        current = self._table.put(self._pk, self._sk, new, over=self._token)
        if current and current.token in own_tokens:
            current = self._table.put(self._pk, self._sk, new, over=current.token)
        if current is None:
            self._token, self._unsure = new.token, set()
        return current

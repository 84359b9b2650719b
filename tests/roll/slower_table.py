"""A table where something happens around each put: it takes long, fails, or somebody else is quicker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bakeroll.document import Document
from bakeroll.roll.ports import Table


@dataclass
class SlowerTable:
    """`before` happens before a put is carried out, `after` before it is answered."""

    table: Table
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    puts: int = 0

    def get(self, pk: str, sk: str) -> Document | None:
        return self.table.get(pk, sk)

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        self.puts += 1
        self.before()
        there = self.table.put(pk, sk, new, over=over)
        self.after()
        return there

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        return self.table.newest(pk, prefix, limit)

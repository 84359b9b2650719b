"""A table in which something happens around each put: it is slow, it fails, or another process is faster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bakeroll.document import Document
from bakeroll.roll.ports import Table


@dataclass
class SlowerTable:
    """`before` runs before the put, `after` runs before its answer."""

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

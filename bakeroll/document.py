"""What the table holds. Frozen data; no input or output."""

import json
import shlex
from dataclasses import dataclass, field

from bakeroll.wording import shown


@dataclass(frozen=True, slots=True)
class Item:
    """Where a document lies: the table, and its two keys there."""

    table: str
    pk: str
    sk: str

    def __str__(self) -> str:
        return f"The item {shown(self.pk)} / {shown(self.sk)} of the table {self.table}"

    def command(self, action: str) -> str:
        """The command of AWS's own that does `action` to it."""
        key = json.dumps({"pk": {"S": self.pk}, "sk": {"S": self.sk}})
        return shlex.join(["aws", "dynamodb", action, "--table-name", self.table, "--key", key])


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the token of the write that left it; where it was read, too, `item` says where it lies.

    `body` and `token` are empty where the item has no such text.
    """

    body: str
    token: str
    item: Item = field(default=Item("?", "?", "?"), compare=False)

"""The documents in the table. Frozen data; no input or output."""

import json
import shlex
from dataclasses import dataclass, field

from bakeroll.wording import excerpt


@dataclass(frozen=True, slots=True)
class Item:
    """Where a document is stored: the table and the two keys."""

    table: str
    pk: str
    sk: str

    def __str__(self) -> str:
        return f"The item {excerpt(self.pk)} / {excerpt(self.sk)} of the table {self.table}"

    def command(self, action: str) -> str:
        """The AWS CLI command that does `action` to it."""
        key = json.dumps({"pk": {"S": self.pk}, "sk": {"S": self.sk}})
        return shlex.join(["aws", "dynamodb", action, "--table-name", self.table, "--key", key])


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the token of its last write. `item` says where a document that was read is stored.

    `body` and `token` are empty if the item has no such text.
    """

    body: str
    token: str
    item: Item = field(default=Item("?", "?", "?"), compare=False)

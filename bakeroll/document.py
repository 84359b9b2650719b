"""What the table holds. Frozen data; no input or output."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the token of the write that left it."""

    body: str
    token: str

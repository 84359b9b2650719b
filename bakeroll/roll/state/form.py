"""The form of the documents in the table: JSON that names its format and its writer.

A document holds the fields of one dataclass, and `format` and `writer`. A document without these two is older than
they are and is read as the first format. If the fields of a kind of document change their meaning, the kind gets a new
format number and readers for the older ones. A document with unknown fields is refused, because its writer relies on
them and the next write would lose them. Each kind of document has a module of its own, which defines the fields.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

import bakeroll
from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable
from bakeroll.wording import excerpt

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FIRST = 1
"""The first format number. A kind of document gets a new number if its fields change their meaning. A field that is
only new needs none: its name is unknown to older readers."""
MOST = 100_000
"""The greatest amount that a document may hold, and the greatest below zero."""
LISTED_PROBLEMS = 3
"""How many problems of a document an error lists."""

T = TypeVar("T", bound="DataclassInstance")


def is_sane(at: datetime) -> bool:
    """Whether the time has a zone and lies in years that can be converted to any zone."""
    return at.tzinfo is not None and 2000 <= at.year < 3000


def _moment(text: str) -> str:
    try:
        if is_sane(datetime.fromisoformat(text)):
            return text
    except ValueError:
        pass
    raise ValueError("a time in ISO 8601 with its zone, of this millennium")


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a text on one line, without control characters")
    return text


Line = Annotated[str, AfterValidator(_line)]
"""A text that is safe to show to people unchanged."""
Moment = Annotated[str, AfterValidator(_moment)]
"""A time in ISO 8601 with its zone."""
Count = Annotated[int, Field(ge=-MOST, le=MOST)]


class Unknown(ValueError):
    """Fields that this bakeroll does not know."""


class Form(Generic[T]):
    """The form of one kind of document. `kind` is its dataclass, which may carry annotations for pydantic.

    `number` is the format that is written. `older` has a reader for each older format, which raises what `of` raises.
    """

    def __init__(
        self, kind: Any, number: int = FIRST, older: Mapping[int, Callable[[Mapping[str, object]], T]] | None = None
    ) -> None:
        self._kind, self._number = kind, number
        self._readers = {number: self.of, **(older or {})}

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self._kind)

    def written(self, value: T) -> str:
        """The value as the body of a document."""
        return to_json(asdict(value) | {"format": self._number, "writer": bakeroll.__version__}).decode()

    def read(self, document: Document) -> T:
        """The value of a document. Raises DocumentUnreadable if it is damaged or its writer is newer."""
        try:
            raw = from_json(document.body.encode(errors="replace"), allow_inf_nan=False)
        except ValueError:
            raise _damaged(document, "it is not JSON") from None
        if not isinstance(raw, dict):
            raise _damaged(document, "it is not a JSON object")
        if not document.token:
            raise _damaged(document, "its attribute “token” is missing")
        written_in, writer = raw.pop("format", FIRST), raw.pop("writer", "")
        fields_of = self._readers.get(written_in) if isinstance(written_in, int) else None
        if fields_of is None:
            raise _newer(document, writer, f"in format {excerpt(written_in)}")
        try:
            return fields_of(raw)
        except ValidationError as error:
            problems = "; ".join(_problems(error))
            if writer in ("", bakeroll.__version__):
                raise _damaged(document, problems) from None
            raise _newer(document, writer, f"with values that this one does not accept: {problems}") from None
        except Unknown as error:
            raise _newer(document, writer, f"with fields that this one does not know: {error}") from None

    def entry(self, document: Document) -> T | DocumentUnreadable:
        """The value of a document, or why it cannot be read. For lists, whose other items are shown."""
        try:
            return self.read(document)
        except DocumentUnreadable as error:
            return error

    def of(self, raw: Mapping[str, object]) -> T:
        """The value with these fields. Raises ValueError if a field is unknown or has a wrong value."""
        value = self._adapter.validate_python(raw)
        if unknown := list(_unknown(raw, asdict(value))):
            raise Unknown(", ".join(unknown[:LISTED_PROBLEMS]))
        return value


def _problems(error: ValidationError) -> Iterator[str]:
    for each in error.errors()[:LISTED_PROBLEMS]:
        expected = str(each["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        name = f"“{excerpt('.'.join(map(str, each['loc'])))}”"
        yield f"{name} is missing" if each["type"] == "missing" else f"{name} should be {excerpt(expected)}"


def _unknown(raw: object, known: object, at: str = "") -> Iterator[str]:
    """The keys in `raw` that `known`, the value read from it, does not have."""
    if isinstance(raw, Mapping) and isinstance(known, Mapping):
        for key, value in raw.items():
            if key in known:
                yield from _unknown(value, known[key], f"{at}{excerpt(key)}.")
            else:
                yield f"{at}{excerpt(key)}"
    elif isinstance(raw, list) and isinstance(known, list | tuple):
        for value, read in zip(raw, known, strict=False):
            yield from _unknown(value, read, at)


def _newer(document: Document, writer: object, how: str) -> DocumentUnreadable:
    by = f"bakeroll {excerpt(writer)}" if writer else "another bakeroll"
    return DocumentUnreadable(
        f"{document.item} was written by {by}, {how}; this is bakeroll {bakeroll.__version__}.",
        next_step=f"Use {by} or a later version.",
    )


def _damaged(document: Document, why: str) -> DocumentUnreadable:
    item = document.item
    return DocumentUnreadable(
        f"{item} is damaged: {why}.",
        next_step=(
            f"To see it: {item.command('get-item')}\n"
            f"Repair it. If no roll of the fleet has begun, you may delete it instead: {item.command('delete-item')}"
        ),
    )

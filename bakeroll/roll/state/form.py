"""The form of the documents in the table: JSON that names its form and its writer, read only where all is understood.

A document holds the fields of one dataclass beside `format` and `writer`; one without these was written before there
were forms, and reads as the first. A kind whose fields came to mean something else has a number of its own, and says
how those before it are read. What a document has beyond the fields that are known is refused and not dropped: whoever
wrote it relies on it. Leaves to the modules of each kind of document what its fields are.
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
from bakeroll.wording import excerpt as shown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FIRST = 1
"""The number of a document's format. It grows when its fields come to mean something else; a new field alone is told by
its name."""
MOST = 100_000
TOLD = 3
"""So many things that are wrong with a document are told."""

T = TypeVar("T", bound="DataclassInstance")


def is_sane(at: datetime) -> bool:
    """With a zone, and in years that can be reckoned with in any zone."""
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
"""What is shown to people as it is."""
Moment = Annotated[str, AfterValidator(_moment)]
"""ISO 8601, with its zone."""
Count = Annotated[int, Field(ge=-MOST, le=MOST)]


class Unknown(ValueError):
    """Fields that this bakeroll has not."""


class Form(Generic[T]):
    """Of one kind of document, whose `kind` is a dataclass (or one annotated with what pydantic shall check).

    `number` is the format that is written; `older` reads the fields of those before it, and raises as `of` does.
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
        return to_json(asdict(value) | {"format": self._number, "writer": bakeroll.__version__}).decode()

    def read(self, document: Document) -> T:
        """Raises DocumentUnreadable, with the item that it is, where it is damaged or of a newer writer."""
        try:
            raw = from_json(document.body.encode(errors="replace"), allow_inf_nan=False)
        except ValueError:
            raise _damaged(document, "it holds no JSON") from None
        if not isinstance(raw, dict):
            raise _damaged(document, "it holds no JSON object")
        if not document.token:
            raise _damaged(document, "it has no attribute “token”")
        written_in, writer = raw.pop("format", FIRST), raw.pop("writer", "")
        fields_of = self._readers.get(written_in) if isinstance(written_in, int) else None
        if fields_of is None:
            raise _newer(document, writer, f"in format {shown(written_in)}")
        try:
            return fields_of(raw)
        except ValidationError as error:
            told = "; ".join(_told(error))
            if writer in ("", bakeroll.__version__):
                raise _damaged(document, told) from None
            raise _newer(document, writer, f"with what this one does not understand: {told}") from None
        except Unknown as error:
            raise _newer(document, writer, f"with what this one does not know: {error}") from None

    def entry(self, document: Document) -> T | DocumentUnreadable:
        """What is read, or why it cannot be: for lists whose other items are told all the same."""
        try:
            return self.read(document)
        except DocumentUnreadable as error:
            return error

    def of(self, raw: Mapping[str, object]) -> T:
        """What these fields are. Raises ValueError where they are not all understood."""
        value = self._adapter.validate_python(raw)
        if unknown := list(_unknown(raw, asdict(value))):
            raise Unknown(", ".join(unknown[:TOLD]))
        return value


def _told(error: ValidationError) -> Iterator[str]:
    for each in error.errors()[:TOLD]:
        said = str(each["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        name = f"“{shown('.'.join(map(str, each['loc'])))}”"
        yield f"{name} is missing" if each["type"] == "missing" else f"{name} should be {shown(said)}"


def _unknown(raw: object, known: object, at: str = "") -> Iterator[str]:
    """The keys in `raw` that what was read of it does not have."""
    if isinstance(raw, Mapping) and isinstance(known, Mapping):
        for key, value in raw.items():
            if key in known:
                yield from _unknown(value, known[key], f"{at}{shown(key)}.")
            else:
                yield f"{at}{shown(key)}"
    elif isinstance(raw, list) and isinstance(known, list | tuple):
        for value, read in zip(raw, known, strict=False):
            yield from _unknown(value, read, at)


def _newer(document: Document, writer: object, how: str) -> DocumentUnreadable:
    by = f"bakeroll {shown(writer)}" if writer else "another bakeroll"
    return DocumentUnreadable(
        f"{document.item} was written by {by}, {how}; this is bakeroll {bakeroll.__version__}.",
        next_step=f"Use {by} or a later one here, too.",
    )


def _damaged(document: Document, why: str) -> DocumentUnreadable:
    item = document.item
    return DocumentUnreadable(
        f"{item} is damaged: {why}.",
        next_step=(
            f"Look: {item.command('get-item')}\n"
            f"Put it right; or, where no roll of the fleet has begun, delete it: {item.command('delete-item')}"
        ),
    )

"""How long rolls of a fleet took, for the next one's plan."""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable
from bakeroll.roll.ports import Table
from bakeroll.roll.state.form import Count, Form

Seconds = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one roll: all of it, and from the launch of an instance to its being in service (the median); seconds."""

    at: str
    strategy: str
    instances: Count
    seconds: Seconds
    boot_seconds: Seconds


FORM: Form[Timing] = Form(Timing)


def write(table: Table, fleet: str, timing: Timing) -> None:
    table.put(_key(fleet), timing.at, Document(FORM.written(timing), uuid.uuid4().hex), over=None)


def last(table: Table, fleet: str) -> Timing | None:
    """Of the roll that ended last; None where none did, or what it wrote cannot be read: a plan can do without."""
    for each in table.newest(_key(fleet), "", 1):
        with suppress(DocumentUnreadable):
            return FORM.read(each)
    return None


def _key(fleet: str) -> str:
    return f"timings#{fleet}"

"""How long the rolls of a fleet took. The plan of the next roll uses this."""

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
    """The seconds of one roll: of all of it, and from an instance's launch until it is in service (the median)."""

    at: str
    strategy: str
    instances: Count
    seconds: Seconds
    boot_seconds: Seconds


FORM: Form[Timing] = Form(Timing)


def write(table: Table, fleet: str, timing: Timing) -> None:
    """Write the timing of a roll that ended."""
    table.put(_key(fleet), timing.at, Document(FORM.written(timing), uuid.uuid4().hex), over=None)


def read_last(table: Table, fleet: str) -> Timing | None:
    """The timing of the roll that ended last. None if there is none or it cannot be read: a plan works without it."""
    for each in table.newest(_key(fleet), "", 1):
        with suppress(DocumentUnreadable):
            return FORM.read(each)
    return None


def _key(fleet: str) -> str:
    return f"timings#{fleet}"

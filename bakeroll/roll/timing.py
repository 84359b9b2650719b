"""How long rolls of a fleet took, for the next one's plan."""

import json
import uuid
from dataclasses import asdict, dataclass

from bakeroll.document import Document
from bakeroll.roll.ports import Table


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one roll: all of it, and from the launch of an instance to its being in service (the median); seconds."""

    at: str
    strategy: str
    instances: int
    seconds: float
    boot_seconds: float


def write(table: Table, fleet: str, timing: Timing) -> None:
    table.put(_key(fleet), timing.at, Document(json.dumps(asdict(timing)), uuid.uuid4().hex), over=None)


def last(table: Table, fleet: str) -> Timing | None:
    """Of the roll that ended last; None where none did."""
    found = table.newest(_key(fleet), "", 1)
    return Timing(**json.loads(found[0].body)) if found else None


def _key(fleet: str) -> str:
    return f"timings#{fleet}"

"""Rolls that ended and whose release does not serve: how they ended, why, when, and who requested them.

Each is a document `rolls#APPLICATION#ENVIRONMENT / TIME#ID`. They are apart from the releases, because a rollback looks
only at releases that served.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable
from bakeroll.roll.ports import Table
from bakeroll.roll.state.form import Form, Line, Moment
from bakeroll.roll.state.record import Ending, Record


@dataclass(frozen=True, slots=True)
class EndedRoll:
    """A roll that ended. `by` is who requested it. `why` is one line. Times are in ISO 8601, to the second."""

    id: Line
    version: Line
    image: Line
    revision: Line
    by: Line
    began: Moment
    at: Moment
    outcome: Line
    why: Line


FORM: Form[EndedRoll] = Form(EndedRoll)


def ended(record: Record, now: datetime, *, outcome: Ending | None = None, why: str = "") -> EndedRoll:
    """The roll of this record, which ends now. `outcome` and `why` default to those of a roll that backed out."""
    began, back_out = datetime.fromisoformat(record.started_at), record.back_out
    return EndedRoll(
        id=record.id,
        version=record.intended.version,
        image=record.intended.image,
        revision=record.intended.release.get("revision", ""),
        by=record.intended.release.get("released_by", ""),
        began=began.astimezone(UTC).isoformat(timespec="seconds"),
        at=now.astimezone(UTC).isoformat(timespec="seconds"),
        outcome=outcome or (back_out.ending if back_out else "failed"),
        why=(why or (back_out.why if back_out else "")).partition("\n")[0],
    )


def write(table: Table, application: str, environment: str, roll: EndedRoll) -> None:
    """Write the roll. A second write, by the process that continues after a crash, changes nothing."""
    document = Document(FORM.written(roll), uuid.uuid4().hex)
    table.put(_key(application, environment), f"{roll.began}#{roll.id}", document, over=None)


def read_ended_rolls(
    table: Table, application: str, environment: str, limit: int = 100
) -> Sequence[EndedRoll | DocumentUnreadable]:
    """The rolls, the newest first. An error replaces each one that cannot be read."""
    return [FORM.entry(each) for each in table.newest(_key(application, environment), "", limit)]


def _key(application: str, environment: str) -> str:
    return f"rolls#{application}#{environment}"

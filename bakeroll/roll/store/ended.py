"""Rolls that ended without their release serving: how, why, by whom, when.

Each is a document of its own, `rolls#APPLICATION#ENVIRONMENT / TIME#ID`, beside the releases and not among them: what
looks for a release to go back to counts only those that served.
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
    """`by` is who asked for it; `why` is one line; times are ISO 8601, to the second."""

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
    """The roll of this record, which ends now; how and why, the record of one that backed out knows itself."""
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
    """Keep it. Written twice, by who went on with it after a crash, it stands there once."""
    document = Document(FORM.written(roll), uuid.uuid4().hex)
    table.put(_key(application, environment), f"{roll.began}#{roll.id}", document, over=None)


def ended_rolls(
    table: Table, application: str, environment: str, limit: int = 100
) -> Sequence[EndedRoll | DocumentUnreadable]:
    """The newest first; why, in the place of what cannot be read."""
    return [FORM.entry(each) for each in table.newest(_key(application, environment), "", limit)]


def _key(application: str, environment: str) -> str:
    return f"rolls#{application}#{environment}"

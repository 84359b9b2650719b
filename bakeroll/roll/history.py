"""The history of releases: what was rolled out, when and by whom.

A release is a document of its own, `releases#APPLICATION#ENVIRONMENT / TIME`, where the time is that at which it was
asked for, so that a roll that goes on after a crash writes the same one. Its `released_at` is since when it serves.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from pydantic import AfterValidator

from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable, RollFailed
from bakeroll.release import Release
from bakeroll.roll.form import Form, is_sane
from bakeroll.roll.ports import Table


def _sane(release: Release) -> Release:
    if not is_sane(release.released_at):
        raise ValueError("released at a time with its zone, of this millennium")
    if not all(each.isprintable() for each in release_document(release).values()):
        raise ValueError("texts on one line, without control characters")
    return release


FORM: Form[Release] = Form(Annotated[Release, AfterValidator(_sane)])


def release_document(release: Release) -> dict[str, str]:
    return asdict(release) | {"released_at": release.released_at.isoformat()}


def release_of(raw: Mapping[str, str]) -> Release:
    """The release that a record holds. Raises RollFailed for a record that is older than that."""
    if not raw:
        raise RollFailed(
            "The record of the roll does not tell its release whole: an older bakeroll wrote it.",
            next_step="Roll to that version, or to another: fab roll, with the same --env and a --version",
        )
    return FORM.of(raw)


def write_release(table: Table, release: Release, asked_at: str) -> None:
    """Add a release that serves now to the history; `asked_at` is ISO 8601. Written twice it stands there once."""
    new = Document(FORM.written(release), uuid.uuid4().hex)
    table.put(_history_key(release.application, release.environment), f"{asked_at}#{release.version}", new, over=None)


def entries(table: Table, application: str, environment: str, limit: int = 100) -> list[Release | DocumentUnreadable]:
    """The releases, that which began to serve last before the others; why, in the place of what cannot be read."""
    found = [FORM.entry(each) for each in table.newest(_history_key(application, environment), "", limit)]
    releases = [each for each in found if isinstance(each, Release)]
    newest_first = iter(sorted(releases, key=lambda each: each.released_at, reverse=True))
    return [next(newest_first) if isinstance(each, Release) else each for each in found]


def history(table: Table, application: str, environment: str, limit: int = 100) -> list[Release]:
    """The releases that can be read, the newest first."""
    return [each for each in entries(table, application, environment, limit) if isinstance(each, Release)]


def _history_key(application: str, environment: str) -> str:
    return f"releases#{application}#{environment}"

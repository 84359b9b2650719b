"""The history of releases: what was rolled out, when and by whom.

A release is a document of its own, `releases#APPLICATION#ENVIRONMENT / TIME`, where the time is that at which it was
asked for, so that a roll that goes on after a crash writes the same one. Its `released_at` is since when it serves.
"""

import uuid

from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable
from bakeroll.release import Release
from bakeroll.roll.ports import Table
from bakeroll.roll.state.release_form import FORM


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

"""The history of releases: what was rolled out, when and by whom.

Each release is a document `releases#APPLICATION#ENVIRONMENT / TIME`. The time is that of the request, so that a roll
that continues after a crash writes the same document. The release serves since its `released_at`.
"""

import uuid

from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable
from bakeroll.release import Release
from bakeroll.roll.ports import Table
from bakeroll.roll.state.release_form import FORM


def write_release(table: Table, release: Release, requested_at: str) -> None:
    """Add a release that serves now to the history. A second write changes nothing.

    `requested_at` is in ISO 8601.
    """
    new = Document(FORM.written(release), uuid.uuid4().hex)
    table.put(
        _history_key(release.application, release.environment), f"{requested_at}#{release.version}", new, over=None
    )


def read_entries(
    table: Table, application: str, environment: str, limit: int = 100
) -> list[Release | DocumentUnreadable]:
    """The releases, the last to serve first. An error replaces each one that cannot be read."""
    found = [FORM.entry(each) for each in table.newest(_history_key(application, environment), "", limit)]
    releases = [each for each in found if isinstance(each, Release)]
    newest_first = iter(sorted(releases, key=lambda each: each.released_at, reverse=True))
    return [next(newest_first) if isinstance(each, Release) else each for each in found]


def read_releases(table: Table, application: str, environment: str, limit: int = 100) -> list[Release]:
    """The releases that can be read, the last to serve first."""
    return [each for each in read_entries(table, application, environment, limit) if isinstance(each, Release)]


def _history_key(application: str, environment: str) -> str:
    return f"releases#{application}#{environment}"

"""The history of releases: what was rolled out, when and by whom.

A release is a document of its own, `releases#APPLICATION#ENVIRONMENT / TIME`, where the time is that at which it was
asked for, so that a roll that goes on after a crash writes the same one. Its `released_at` is since when it serves.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from bakeroll.document import Document
from bakeroll.release import Release
from bakeroll.roll.ports import Table


def release_document(release: Release) -> dict[str, str]:
    return asdict(release) | {"released_at": release.released_at.isoformat()}


def release_of(raw: Mapping[str, str]) -> Release:
    return Release(**{**raw, "released_at": datetime.fromisoformat(raw["released_at"])})  # type: ignore[arg-type]


def write_release(table: Table, release: Release, asked_at: str) -> None:
    """Add a release that serves now to the history; `asked_at` is ISO 8601. Written twice it stands there once."""
    body = json.dumps(release_document(release), sort_keys=True)
    sk = f"{asked_at}#{release.version}"
    table.put(_history_key(release.application, release.environment), sk, Document(body, uuid.uuid4().hex), over=None)


def history(table: Table, application: str, environment: str, limit: int = 100) -> list[Release]:
    """The releases of an application in an environment, the newest first: that which began to serve last."""
    found = table.newest(_history_key(application, environment), "", limit)
    releases = [release_of(json.loads(each.body)) for each in found]
    return sorted(releases, key=lambda each: each.released_at, reverse=True)


def _history_key(application: str, environment: str) -> str:
    return f"releases#{application}#{environment}"

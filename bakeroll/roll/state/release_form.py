"""The form of a release in the record of its roll and in the history."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from pydantic import AfterValidator

from bakeroll.errors import RollFailed
from bakeroll.release import Release
from bakeroll.roll.state.form import Form, is_sane


def _sane(release: Release) -> Release:
    if not is_sane(release.released_at):
        raise ValueError("released at a time with its zone, of this millennium")
    if not all(each.isprintable() for each in release_document(release).values()):
        raise ValueError("texts on one line, without control characters")
    return release


FORM: Form[Release] = Form(Annotated[Release, AfterValidator(_sane)])


def release_document(release: Release) -> dict[str, str]:
    """The fields of a release as texts."""
    return asdict(release) | {"released_at": release.released_at.isoformat()}


def release_of(raw: Mapping[str, str]) -> Release:
    """The release that a record holds. Raises RollFailed if an older bakeroll wrote the record without it."""
    if not raw:
        raise RollFailed(
            "The record of the roll does not hold the whole release. An older bakeroll wrote the record.",
            next_step="Roll to that version or to another one: run fab roll with the same --env and a --version",
        )
    return FORM.of(raw)

"""What `status`, `history` and the end of a deploy print for a person: plain columns, no wrapping."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as aligned columns, two spaces between.

    >>> list(columns([["a", "bb"], ["ccc", "d"]]))
    ['a    bb', 'ccc  d']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def status_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The release that serves and each instance, from the object that `status --json` prints."""
    release = found["release"]
    if release:
        yield f"{found['application']} {release['version']} serves {found['environment']}.   {found['url']}"
        yield f"image {release['image']}, commit {release['revision'][:7]}, since {release['at']} by {release['by']}"
    else:
        yield f"{found['application']} has no release in {found['environment']} yet.   {found['url'] or ''}".rstrip()
    yield from columns(
        [
            [each["id"], each["zone"], each["image"], each["version"] or "?", each["state"]]
            for each in found["instances"]
        ]
    )


def history_lines(releases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line per release, the newest first."""
    if not releases:
        yield "No release yet."
    yield from columns(
        [[each["at"], each["version"], each["image"], each["revision"][:7], each["by"]] for each in releases]
    )


def outcome_lines(outcome: Mapping[str, Any]) -> Iterator[str]:
    """The end of a deploy: what serves, where, what each stage took, the way back."""
    stages = outcome["seconds"]
    if stages:
        yield "   ".join(f"{stage} {seconds:.1f} s" for stage, seconds in stages.items())
    release = outcome["release"]
    yield f"{outcome['application']} {release['version']} serves {outcome['environment']}.   {outcome['url']}"
    if outcome["before"]:
        yield f"Back: fab rollback --env={outcome['environment']}   (to {outcome['before']})"


def local_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The local cloud: its instances, images and load balancers."""
    yield f"The local cloud is up: {found['endpoint']} (process {found['pid']})"
    for kind in ("instances", "images", "load_balancers"):
        rows = [[str(value) for value in each.values()] for each in found.get(kind, [])]
        yield f"{kind.replace('_', ' ')}: {len(rows) or 'none'}"
        yield from (f"  {line}" for line in columns(rows))

"""The timeline of a roll: recorded while it runs, and written as one HTML file when it ends.

`Recorder` passes events on to a report and records them. `record_timeline` wraps a roll in a recorder and writes the
file, however the roll ends. `recording` holds the data, `chart` places it on the page, `timeline.html.j2` draws it.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bakeroll.console.chart import page
from bakeroll.console.recording import Recording
from bakeroll.errors import BakerollError, RolledBack
from bakeroll.events import Event, Report
from bakeroll.release import Release
from bakeroll.wording import printable

TIMELINES_KEPT = 50
"""How many timelines stay: the newest ones."""


@dataclass(slots=True)
class Recorder:
    """A report that records what passes through it. `path` is the written file, None if there is none."""

    report: Report
    recording: Recording
    monotonic: Callable[[], float]
    begun: float
    path: Path | None = None

    def __call__(self, event: Event) -> None:
        at = self.monotonic() - self.begun
        if event.scene:
            self.recording.add(event.scene, at)
        elif event.kind != "detail":
            self.recording.said.append((at, event.text))
        self.report(event)

    def end(self, error: BaseException | None) -> None:
        self.recording.seconds = self.monotonic() - self.begun
        self.recording.is_well = error is None
        self.recording.ending = printable(_ending(error)) or self.recording.said[-1][1]

    def write(self, folder: Path) -> None:
        """Write the file if any instance was recorded. A file that cannot be written is reported, not raised."""
        recording = self.recording
        if not recording.lanes:
            return
        name = f"{recording.release.environment}-{recording.started:%Y%m%dT%H%M%S}.html"
        try:
            _write(folder / name, page(recording))
            _sweep(folder)
        except OSError as error:
            self.report(Event("roll", f"could not write the timeline to {folder}: {error.strerror}", "note"))
        else:
            self.path = _relative_to_here(folder / name)


@contextmanager
def record_timeline(
    report: Report, folder: Path, release: Release, *, now: Callable[[], datetime], monotonic: Callable[[], float]
) -> Iterator[Recorder]:
    """Give a report for a roll, and write its timeline to `folder` when the block ends.

    An error that ends the block is given the path of the timeline.
    """
    recorder = Recorder(report, Recording(release, now()), monotonic, monotonic())
    try:
        yield recorder
    except BaseException as error:
        recorder.end(error)
        recorder.write(folder)
        if recorder.path and isinstance(error, BakerollError):
            error.timeline = recorder.path
        elif recorder.path:
            error.add_note(f"Timeline: {recorder.path}")
        raise
    recorder.end(None)
    recorder.write(folder)


def _ending(error: BaseException | None) -> str:
    match error:
        case None:
            return ""
        case RolledBack():
            return f"Rolled back: {error.what}"
        case KeyboardInterrupt():
            return "Interrupted"
        case BakerollError():
            return f"Failed: {error.what}"
        case _:
            return f"Failed: {type(error).__name__}: {error}"


def _write(path: Path, text: str) -> None:
    """Write the whole file or nothing. Only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)
    finally:
        with suppress(OSError):
            Path(part).unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    newest = sorted(folder.glob("*.html"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in newest[TIMELINES_KEPT:]:
        old.unlink(missing_ok=True)


def _relative_to_here(path: Path) -> Path:
    """The path relative to the current folder, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path

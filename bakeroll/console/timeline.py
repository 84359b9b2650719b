"""A roll afterwards: what its lanes did, kept while it was told, and drawn as one HTML file.

`Recorder` stands before a report and keeps the moments at which something changed; `kept` is a roll's time with
one, and leaves the file, however the roll ended. `chart` says what stands where on the page, `timeline.html.j2`
how it looks.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bakeroll.errors import BakerollError, RolledBack
from bakeroll.events import Event, Lane, Report, Scene
from bakeroll.release import Release
from bakeroll.wording import printable

KEPT = 50
"""So many timelines stay, the newest."""

T = TypeVar("T")
Changes = list[tuple[float, T]]
"""Values, each with the second since which it held."""


@dataclass(slots=True)
class Recording:
    """What changed when, in seconds since `started`; `ending` says how it ended, `is_well` whether well."""

    release: Release
    started: datetime
    fleet: str = ""
    seconds: float = 0
    lanes: dict[str, Changes[Lane]] = field(default_factory=dict)
    capacity: Changes[tuple[int, int]] = field(default_factory=list)
    awaited: Changes[str] = field(default_factory=list)
    said: Changes[str] = field(default_factory=list)
    ending: str = ""
    is_well: bool = False

    def see(self, scene: Scene, at: float) -> None:
        """Keep what is new of a scene. A lane that it has no more is gone."""
        self.fleet = scene.fleet
        _changed(self.capacity, (scene.in_service, scene.floor), at)
        _changed(self.awaited, scene.awaited, at)
        there = {each.id for each in scene.lanes}
        left = [changes[-1][1] for name, changes in self.lanes.items() if name not in there]
        for lane in (*scene.lanes, *(replace(each, state="gone", note="") for each in left)):
            _changed(self.lanes.setdefault(lane.id, []), lane, at)


def _changed(changes: Changes[T], value: T, at: float) -> None:
    if not changes or changes[-1][1] != value:
        changes.append((at, value))


@dataclass(slots=True)
class Recorder:
    """A report that keeps what passes; `path` is where it was written, None where it was not."""

    report: Report
    recording: Recording
    monotonic: Callable[[], float]
    begun: float
    path: Path | None = None

    def __call__(self, event: Event) -> None:
        at = self.monotonic() - self.begun
        if event.scene:
            self.recording.see(event.scene, at)
        elif event.kind != "detail":
            self.recording.said.append((at, event.text))
        self.report(event)

    def end(self, error: BaseException | None) -> None:
        self.recording.seconds = self.monotonic() - self.begun
        self.recording.is_well = error is None
        self.recording.ending = printable(_ending(error)) or self.recording.said[-1][1]

    def write(self, folder: Path) -> None:
        """Write the file, where there was anything to see. What keeps it from being written is only told."""
        from bakeroll.console.chart import page

        recording = self.recording
        if not recording.lanes:
            return
        name = f"{recording.release.environment}-{recording.started:%Y%m%dT%H%M%S}.html"
        try:
            _write(folder / name, page(recording))
            _sweep(folder)
        except OSError as error:
            self.report(Event("roll", f"its timeline could not be written to {folder}: {error.strerror}", "note"))
        else:
            self.path = _shown(folder / name)


@contextmanager
def kept(
    report: Report, folder: Path, release: Release, *, now: Callable[[], datetime], monotonic: Callable[[], float]
) -> Iterator[Recorder]:
    """A report to roll with. Its timeline is in `folder` when the block ends; a failure is told where."""
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
    """All of it or nothing, readable by its owner alone."""
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
    for old in newest[KEPT:]:
        old.unlink(missing_ok=True)


def _shown(path: Path) -> Path:
    """As short as it can be from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path

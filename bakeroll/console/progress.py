"""Progress: redrawn in place on a terminal, one line per change of state elsewhere.

A stage's time runs from the end of the stage before, so that the times add up to the whole.
If a stream is closed or its reader has gone, the output ends and the work continues.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from bakeroll.console.times import seconds
from bakeroll.events import Event, Report

if TYPE_CHECKING:
    from rich.console import RenderableType


@contextmanager
def progress(stream: TextIO | None, *, verbose: bool = False) -> Iterator[Report]:
    """Give a report function for the block. `verbose` also shows the tools' own output.

    `stream` is None if the shell closed it.
    """
    if stream is None:
        yield lambda _: None
    elif stream.isatty() and os.environ.get("TERM") != "dumb":
        with _redrawn(stream) as report:
            yield _filtered(report, verbose=verbose)
    else:
        yield _filtered(lines(stream, datetime.now), verbose=verbose)


def _filtered(report: Report, *, verbose: bool) -> Report:
    return lambda event: report(event) if verbose or event.kind != "detail" else None


def lines(stream: TextIO, now: Callable[[], datetime]) -> Report:
    """A report that prints a line with a time per event, for logs. The end of a stage says how long it took."""
    last, is_open = now(), True

    def report(event: Event) -> None:
        nonlocal last, is_open
        if event.kind == "scene":
            return
        at = now()
        took = ""
        if event.kind == "done":
            took, last = f"   {seconds((at - last).total_seconds())}", at
        elif event.kind == "heading":
            last = at
        if is_open:
            try:
                print(f"{at:%H:%M:%S} {event.stage:<9} {event.text}{took}", file=stream, flush=True)
            except OSError:
                is_open = False  # `| head -1` or a full disk must not stop a running roll

    return report


@contextmanager
def _redrawn(stream: TextIO) -> Iterator[Report]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    from bakeroll.console import lanes

    console = Console(file=stream, highlight=False)
    spinner = Spinner("dots")
    begun = time.monotonic()
    running: Event | None = None
    scene: lanes.TimedScene | None = None

    def line(mark: "RenderableType", event: Event) -> "RenderableType":
        return _line(mark, event, "" if event.kind in ("plan", "note") else seconds(time.monotonic() - begun))

    def drawn() -> "RenderableType":
        event, it = running, scene  # rich draws from its own thread
        head = line(spinner, event) if event else Text()
        if it is None:
            return head
        room = console.height - len(console.render_lines(head)) - 1  # rich leaves the cursor below
        return Group(head, lanes.drawn(it, time.monotonic(), console.width, room))

    live = Live(console=console, transient=True, refresh_per_second=8, get_renderable=drawn)

    def report(event: Event) -> None:
        nonlocal begun, running, scene
        if event.scene:
            scene = lanes.timed(event.scene, time.monotonic(), scene)
        elif event.kind == "progress":
            running = event
            live.start()
            live.refresh()
        elif event.kind == "wait":
            return
        elif event.kind == "detail":
            console.print(Text(f"  {event.text}", style="dim"), soft_wrap=True)
        elif event.kind == "note":
            console.print(line(Text("!"), event))
        else:
            running, scene = None, None
            live.stop()
            mark = Text("·") if event.kind == "plan" else Text("✓", "green")
            console.print(Text(f"{event.text}\n") if event.kind == "heading" else line(mark, event))
            begun = time.monotonic()

    try:
        yield _until_closed(report)
    finally:
        live.stop()


def _line(mark: "RenderableType", event: Event, took: str) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(expand=True)
    for width in (2, 10):
        row.add_column(width=width)
    row.add_column(ratio=1, overflow="fold")
    row.add_column(justify="right", min_width=9, no_wrap=True)
    row.add_row(mark, event.stage, Text(event.text), Text(took, "dim"))
    return row


def _until_closed(report: Report) -> Report:
    """The same report, until the terminal has gone (EIO)."""
    is_open = True

    def guarded(event: Event) -> None:
        nonlocal is_open
        if is_open:
            try:
                report(event)
            except OSError:
                is_open = False

    return guarded


def is_interactive(stream: TextIO | None) -> bool:
    """Whether a person can be asked on `stream`."""
    return bool(sys.stdin and sys.stdin.isatty() and stream and stream.isatty())


def ask(question: str, stream: TextIO) -> str:
    """Ask a person on `stream` and return the answer. It is empty if they end the input."""
    print(question, end=" ", file=stream, flush=True)
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer:
            print(file=stream, flush=True)  # Ctrl-C and Ctrl-D do not end the line
    return answer.strip()

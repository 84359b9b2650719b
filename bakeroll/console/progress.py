"""Progress, shown while it happens: redrawn on a terminal, a line per change of state elsewhere."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

from bakeroll.events import Event, Report


@contextmanager
def progress(stream: TextIO, *, verbose: bool = False) -> Iterator[Report]:
    """A report function for as long as the block lasts; `verbose` shows the tools' own output as well."""
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        with _redrawn(stream) as report:
            yield _sieve(report, verbose=verbose)
    else:
        yield _sieve(lines(stream, datetime.now), verbose=verbose)


def _sieve(report: Report, *, verbose: bool) -> Report:
    return lambda event: report(event) if verbose or event.kind != "detail" else None


def lines(stream: TextIO, now: Callable[[], datetime]) -> Report:
    """A timestamped line per event, for logs."""

    def report(event: Event) -> None:
        print(f"{now():%H:%M:%S} {event.stage:<9} {event.text}", file=stream, flush=True)

    return report


@contextmanager
def _redrawn(stream: TextIO) -> Iterator[Report]:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    begun: dict[str, float] = {}

    def line(mark: str, event: Event, style: str) -> Text:
        seconds = time.monotonic() - begun.setdefault(event.stage, time.monotonic())
        timing = f"{seconds:.1f} s"
        room = max(console.width - 14 - len(timing) - 4, 20)
        text = event.text if len(event.text) <= room else event.text[: room - 1] + "…"
        return Text.assemble((mark, style), f" {event.stage:<9} {text:<{room}} ", (timing, "dim"))

    with console.status("") as status:

        def report(event: Event) -> None:
            if event.kind == "progress":
                status.update(line("", event, ""))
            elif event.kind == "done":
                console.print(line("✓", event, "green"))
                status.update("")
            else:
                console.print(Text(f"  {event.text}", style="dim"))

        yield report


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()

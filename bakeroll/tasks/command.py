"""What the tasks share of the command line: their help, the word that some ask for, and how an outcome is told."""

import json as json_text
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from invoke.tasks import task as _task

from bakeroll.wording import all_printable, one_line, printable

if TYPE_CHECKING:
    from bakeroll.wiring import Site

PATIENCE = 3600.0
"""Seconds that another that rolls the fleet is waited for, where waiting is asked for."""
LOOKS_SECONDS = 2.0
# Only long flags: the short ones that Invoke would choose are no mnemonics (-b for --verbose).
task = partial(_task, auto_shortflags=False)

HELP = {
    "env": "the environment of deploy.yml (default: BAKEROLL_ENV)",
    "version": "a version, Git tag, branch or commit; by default the commit that is checked out",
    "dirty": "build the working tree with its uncommitted changes, and mark the version so",
    "dry_run": "say what would be done, and change nothing",
    "verbose": "show what Packer, Ansible and the build print as well",
    "json": "print one JSON object on standard output, people's text on standard error",
    "yes": "do not ask for the environment's name",
    "to": "the version to go back to (default: the one before)",
    "wait": "where another rolls the fleet, wait until that has ended",
    "follow": "look again and again, until the roll has ended",
    "minutes": "how long at most; then the roll stops where it stands",
    "fix": "mend what can be mended",
    "steps": "list the calls that it will take",
}


def help_of(*names: str) -> dict[str, str]:
    """The help of these parameters, for @task."""
    return {name.replace("_", "-"): HELP[name] for name in names}


def confirmation(site: "Site", *, is_json: bool, is_given: bool) -> Callable[[str], None]:
    """What asks for the environment's name where its settings say so; it raises ConfirmationNeeded.

    At once where it is wanted and there is nobody to ask.
    """
    environment = site.environment
    stream = sys.stderr if is_json else sys.stdout
    if is_given or not environment.confirm:
        return lambda _: None
    _must_have_somebody(environment.name, stream)

    def confirm(what: str) -> None:
        told = f"This changes {environment.fleet}, {site.where()}:\n{what}"
        _must_be_typed(environment.name, told, "Type the environment’s name to go on:", stream)

    return confirm


def must_be_said(word: str, what: str) -> None:
    """Tell a person `what` is about to happen; ConfirmationNeeded unless `word` is typed."""
    _must_have_somebody("This", sys.stdout)
    _must_be_typed(word, what, f"Type {word} to go on:", sys.stdout)


def _must_have_somebody(who: str, stream: TextIO) -> None:
    from bakeroll.console.progress import is_interactive
    from bakeroll.errors import ConfirmationNeeded

    if not is_interactive(stream):
        raise ConfirmationNeeded(
            f"{who} wants a word before anything changes, and there is nobody to ask.",
            left="Nothing was changed.",
            next_step="Say it beforehand: --yes",
        )


def _must_be_typed(word: str, what: str, question: str, stream: TextIO) -> None:
    from bakeroll.console.progress import asked
    from bakeroll.errors import ConfirmationNeeded

    print(printable(what), file=stream)
    answer = asked(question, stream)
    if answer != word:
        raise ConfirmationNeeded(
            f"That is not “{word}”." if answer else f"Nobody said “{word}”.", left="Nothing was changed."
        )


def tell(outcome: dict[str, Any] | None, *, is_json: bool) -> None:
    """The outcome; of a dry run, where there is none, an empty object."""
    from bakeroll.console.tables import outcome_lines

    if outcome is not None or is_json:
        printed(outcome or {}, outcome_lines, is_json=is_json)


Lines = Callable[[dict[str, Any], datetime], Iterable[str]]


def printed(found: dict[str, Any], lines: Lines, *, is_json: bool) -> None:
    """Print what was found, as one JSON object or as people's lines."""
    print(_text(found, lines, is_json=is_json, indent=2), flush=True)


def _text(found: dict[str, Any], lines: Lines, *, is_json: bool, indent: int | None = None) -> str:
    """What AWS, Git or an instance said in it is printable here, as JSON and as lines."""
    clean = all_printable(found)
    if is_json:
        return json_text.dumps(clean, indent=indent, ensure_ascii=False)
    return "\n".join(one_line(each) for each in lines(clean, datetime.now(UTC)))


def followed(
    look: Callable[[], dict[str, Any]],
    lines: Lines,
    *,
    is_json: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Print what is found whenever it has changed, until nobody rolls the fleet; with `is_json` an object a line."""
    last = None
    while True:
        found = look()
        heeded = {**found, "roll": {**found["roll"], "heard": ""} if found["roll"] else None}
        if heeded != last:
            print(_text(found, lines, is_json=is_json), flush=True)
        if not found["roll"] or found["roll"]["is_cut_off"]:
            return
        last = heeded
        sleep(LOOKS_SECONDS)

"""What the tasks share on the command line: help texts, confirmation, and printing of results."""

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

LONGEST_WAIT_SECONDS = 3600.0
"""How long `--wait` waits while somebody else rolls the fleet."""
FOLLOW_SECONDS = 2.0
# Only long flags: the short ones that Invoke would choose are misleading (-b for --verbose).
task = partial(_task, auto_shortflags=False)

HELP = {
    "env": "the environment in deploy.yml (default: BAKEROLL_ENV)",
    "version": "a version, Git tag, branch or commit (default: the checked-out commit)",
    "dirty": "build the working tree with its uncommitted changes, and mark the version as dirty",
    "dry_run": "show what the task would do, and change nothing",
    "verbose": "also show the output of Packer, Ansible and the build",
    "json": "print one JSON object on standard output, and text for people on standard error",
    "yes": "do not ask for the environment's name",
    "to": "the version to go back to (default: the previous one)",
    "wait": "if somebody else is rolling the fleet, wait until that roll ends",
    "follow": "print the status at each change, until the roll ends",
    "minutes": "the longest pause; after it the roll stops and keeps what it has done",
    "fix": "repair what can be repaired",
    "steps": "list each call that the roll makes",
}


def help_of(*names: str) -> dict[str, str]:
    """The help of these parameters, for @task."""
    return {name.replace("_", "-"): HELP[name] for name in names}


def confirmation(site: "Site", *, is_json: bool, is_given: bool) -> Callable[[str], None]:
    """The function that asks for the environment's name, if its settings require that.

    The function raises ConfirmationNeeded if the operator does not type it. If there is no terminal to ask on,
    ConfirmationNeeded is raised at once.
    """
    environment = site.environment
    stream = sys.stderr if is_json else sys.stdout
    if is_given or not environment.confirm:
        return lambda _: None
    _require_terminal(environment.name, stream)

    def confirm(what: str) -> None:
        change = f"This changes {environment.fleet}, {site.where()}:\n{what}"
        _require_answer(environment.name, change, "Type the environment’s name to continue:", stream)

    return confirm


def require_word(word: str, what: str) -> None:
    """Show `what` is about to happen. Raise ConfirmationNeeded unless the person types `word`."""
    _require_terminal("This task", sys.stdout)
    _require_answer(word, what, f"Type {word} to continue:", sys.stdout)


def _require_terminal(who: str, stream: TextIO) -> None:
    from bakeroll.console.progress import is_interactive
    from bakeroll.errors import ConfirmationNeeded

    if not is_interactive(stream):
        raise ConfirmationNeeded(
            f"{who} needs confirmation and there is no terminal.",
            left="Nothing was changed.",
            next_step="Pass --yes.",
        )


def _require_answer(word: str, what: str, question: str, stream: TextIO) -> None:
    from bakeroll.console.progress import ask
    from bakeroll.errors import ConfirmationNeeded

    print(printable(what), file=stream)
    answer = ask(question, stream)
    if answer != word:
        raise ConfirmationNeeded(
            f"The answer was not “{word}”." if answer else f"There was no answer; it had to be “{word}”.",
            left="Nothing was changed.",
        )


def print_outcome(outcome: dict[str, Any] | None, *, is_json: bool) -> None:
    """Print the outcome of a roll. A dry run has none; with `is_json` it prints an empty object."""
    from bakeroll.console.tables import outcome_lines

    if outcome is not None or is_json:
        print_result(outcome or {}, outcome_lines, is_json=is_json)


Lines = Callable[[dict[str, Any], datetime], Iterable[str]]


def print_result(found: dict[str, Any], lines: Lines, *, is_json: bool) -> None:
    """Print a result as JSON, or as lines for people."""
    print(_text(found, lines, is_json=is_json, indent=2), flush=True)


def _text(found: dict[str, Any], lines: Lines, *, is_json: bool, indent: int | None = None) -> str:
    """The result as JSON or lines. Text from AWS, Git or an instance is made printable here."""
    clean = all_printable(found)
    if is_json:
        return json_text.dumps(clean, indent=indent, ensure_ascii=False)
    return "\n".join(one_line(each) for each in lines(clean, datetime.now(UTC)))


def follow_status(
    read_status: Callable[[], dict[str, Any]],
    lines: Lines,
    *,
    is_json: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Print the status whenever it changes, until no roll runs. With `is_json`, one object per line."""
    last = None
    while True:
        found = read_status()
        compared = {**found, "roll": {**found["roll"], "heard": ""} if found["roll"] else None}
        if compared != last:
            print(_text(found, lines, is_json=is_json), flush=True)
        if not found["roll"] or found["roll"]["is_cut_off"]:
            return
        last = compared
        sleep(FOLLOW_SECONDS)

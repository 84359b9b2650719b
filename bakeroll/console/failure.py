"""A failure, told: what failed, what was left, the log, the next command; printable, whatever was quoted in it."""

import re
from typing import Any

from bakeroll.errors import BakerollError
from bakeroll.wording import all_printable, printable

# A line that holds a whole file, or an argument as long as one, hides what is wrong with it.
_TOO_LONG = re.compile(r"^(.{300}).{500,}(.{200})$", re.MULTILINE)


def told(error: BakerollError) -> str:
    """The lines for a person, without a traceback.

    >>> print(told(BakerollError("roll: i-1 died.", left="The old ones serve.", next_step="Try: fab roll")))
    ✗ roll: i-1 died.
      The old ones serve.
      Try: fab roll
    """
    first, *rest = _cut(printable(error.what)).split("\n")
    below = [*rest, *_cut(printable(error.left)).splitlines()]
    if error.log:
        below.append(f"The whole log: {error.log}")
    if error.timeline:
        below.append(f"Timeline: {error.timeline}")
    below += _cut(printable(error.next_step)).splitlines()
    return "\n".join([f"✗ {first}", *(f"  {line}" for line in below)])


def object_of(error: BakerollError) -> dict[str, Any]:
    """The object that `--json` prints in place of a result."""
    told = {
        "what": _cut(error.what),
        "left": _cut(error.left),
        "next_step": _cut(error.next_step),
        "log": str(error.log) if error.log else None,
        "timeline": str(error.timeline) if error.timeline else None,
        "exit_code": error.exit_code,
    }
    return {"error": all_printable(told)}


def _cut(text: str) -> str:
    """The text with what is in the middle of an endless line left out."""
    return _TOO_LONG.sub(lambda line: f"{line[1]} … {line[2]}", text)

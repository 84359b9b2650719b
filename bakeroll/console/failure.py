"""A failure as text or JSON: what failed, what was left, the log, the next command. All of it is printable."""

import re
from typing import Any

from bakeroll.errors import BakerollError
from bakeroll.wording import all_printable, printable

# A line as long as a file hides what is wrong.
_TOO_LONG = re.compile(r"^(.{300}).{500,}(.{200})$", re.MULTILINE)


def text_of(error: BakerollError) -> str:
    """The lines for a person, without a traceback.

    >>> print(text_of(BakerollError("roll: i-1 died.", left="The old ones serve.", next_step="Try: fab roll")))
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
    fields = {
        "what": _cut(error.what),
        "left": _cut(error.left),
        "next_step": _cut(error.next_step),
        "log": str(error.log) if error.log else None,
        "timeline": str(error.timeline) if error.timeline else None,
        "exit_code": error.exit_code,
    }
    return {"error": all_printable(fields)}


def _cut(text: str) -> str:
    """The text, with the middle of very long lines left out."""
    return _TOO_LONG.sub(lambda line: f"{line[1]} … {line[2]}", text)

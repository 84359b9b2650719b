"""A failure, told: what failed, what was left, the log, the next command; printable, whatever was quoted in it."""

from typing import Any

from bakeroll.errors import BakerollError
from bakeroll.wording import all_printable, printable


def told(error: BakerollError) -> str:
    """The lines for a person, without a traceback.

    >>> print(told(BakerollError("roll: i-1 died.", left="The old ones serve.", next_step="Try: fab roll")))
    ✗ roll: i-1 died.
      The old ones serve.
      Try: fab roll
    """
    first, *rest = printable(error.what).split("\n")
    below = [*rest, *printable(error.left).splitlines()]
    if error.log:
        below.append(f"The whole log: {error.log}")
    if error.timeline:
        below.append(f"Timeline: {error.timeline}")
    below += printable(error.next_step).splitlines()
    return "\n".join([f"✗ {first}", *(f"  {line}" for line in below)])


def object_of(error: BakerollError) -> dict[str, Any]:
    """The object that `--json` prints in place of a result."""
    told = {
        "what": error.what,
        "left": error.left,
        "next_step": error.next_step,
        "log": str(error.log) if error.log else None,
        "timeline": str(error.timeline) if error.timeline else None,
        "exit_code": error.exit_code,
    }
    return {"error": all_printable(told)}

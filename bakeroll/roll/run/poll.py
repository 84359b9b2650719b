"""How often a roll looks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Poll:
    """Seconds between observations: `first`, then half as much more each time, `longest` at most."""

    first: float = 0.2
    longest: float = 0.2


QUICK = Poll()

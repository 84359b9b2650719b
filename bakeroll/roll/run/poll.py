"""How often a roll observes its fleet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Poll:
    """Seconds between observations: `first`, then half as much again each time, `longest` at most."""

    first: float = 0.2
    longest: float = 0.2


QUICK = Poll()

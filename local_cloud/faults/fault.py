"""Faults on demand: what may be asked for, and how a request for one is read. Pure.

What a fault does to a call, a launch or an instance is decided in in_force.py.
"""

import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

INSTANCE_FAULTS = {
    "unhealthy": "no answer of its services gets through, though it runs",
    "late": "unhealthy for the first AFTER seconds",
    "flaps": "healthy and unhealthy in turns of AFTER seconds",
    "dies": "its machine is killed after AFTER seconds",
}
CUTTING_OFF = ("unhealthy", "late", "flaps")
CALL_FAULTS = {
    "throttled": "refused with the service's own error of throttling",
    "failing": "refused with the service's own internal error",
    "slow": "carried out AFTER seconds late",
    "lost": "carried out, and the connection closed without an answer",
}
NO_CAPACITY, STALE = "no-capacity", "stale"
KINDS = {
    **INSTANCE_FAULTS,
    **CALL_FAULTS,
    NO_CAPACITY: "launches are refused with InsufficientInstanceCapacity",
    STALE: "Describe calls answer as things were up to AFTER seconds ago",
}
_FOR_A_WHILE = ("times", "seconds", "chance", "seed")
_TAKES = {
    **dict.fromkeys(INSTANCE_FAULTS, ("instance", "image", "after", *_FOR_A_WHILE)),
    **dict.fromkeys(CALL_FAULTS, ("action", *_FOR_A_WHILE)),
    "unhealthy": ("instance", "image", *_FOR_A_WHILE),
    "slow": ("action", "after", *_FOR_A_WHILE),
    NO_CAPACITY: ("zone", "instance_type", *_FOR_A_WHILE),
    STALE: ("action", "after", "seconds"),
}
_NEEDS_AFTER = ("late", "flaps", "slow", STALE)
_STALE_ACTIONS = "Describe*"
_NAMED = 5
_WORD = 200
"""Characters that are compared: it takes time by their square."""


class Refused(ValueError):
    """No such fault can be had; the message says why and what could be."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it was asked for.

    `action` is an action's name or a pattern of names, with its service or without (`RunInstances`, `ec2:*`).
    Without `instance` a fault of instances strikes those launched from then on (of `image`). `times` ends it
    after that many strikes, `seconds` after that many seconds. `chance` is the probability that a call or a launch is
    struck, by a generator seeded with `seed`. `after` is in seconds; the kind says of what.
    """

    kind: str
    action: str = "*"
    instance: str = ""
    image: str = ""
    zone: str = ""
    instance_type: str = ""
    times: int | None = None
    seconds: float | None = None
    after: float = 0
    chance: float = 1
    seed: int = 0

    @property
    def words(self) -> str:
        """What it was asked for with, in the words of the command line."""
        given = ((each.name, getattr(self, each.name), each.default) for each in fields(self)[1:])
        told = [f"--{name.replace('_', '-')}={_plain(value)}" for name, value, default in given if value != default]
        return " ".join((self.kind, *told))


def fault_of(asked: Mapping[str, Any]) -> Fault:
    """The fault that `asked` describes: its kind and the fields that this kind takes, numbers as numbers or text.

    What is empty counts as not given. Raises Refused.
    """
    given = {name: value for name, value in asked.items() if value not in ("", None)}
    kind = given.pop("kind", "")
    if kind not in KINDS:
        raise Refused(f"There is no fault “{kind}”.{did_you_mean(str(kind), KINDS)} There are: {', '.join(KINDS)}.")
    takes = _TAKES[kind]
    for name in given:
        if name not in takes:
            near = did_you_mean(name, takes)
            raise Refused(f"The fault “{kind}” takes no “{name}”.{near} It takes: {', '.join(takes)}.")
    read: dict[str, Any] = {name: _READERS[name](name, value) for name, value in given.items()}
    fault = Fault(kind, **({"action": _STALE_ACTIONS} if kind == STALE else {}) | read)
    _must_make_sense(fault, given)
    return fault


def must_be_there(fault: Fault, known: Mapping[str, Collection[str]]) -> None:
    """Refuse a fault that names what is not in `known` (names by field): it would wait for ever."""
    for field, names in known.items():
        value = getattr(fault, field)
        if value and not any(fnmatchcase(name, value.rpartition(":")[2]) for name in names):
            word = value.rpartition(":")[2]
            raise Refused(f"There is no {field} “{value}” here.{did_you_mean(word, names)} {nearest(word, names)}")


def nearest(word: str, known: Collection[str]) -> str:
    """What there is instead of `word`: a few, the nearest first."""
    few = difflib.get_close_matches(word[:_WORD], known, n=_NAMED, cutoff=0)
    more = f", and {len(known) - len(few)} more" if len(known) > len(few) else ""
    return f"There are: {', '.join(few) or 'none'}{more}."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names the known word nearest to this one; empty if none is near."""
    near = difflib.get_close_matches(word[:_WORD], list(known), n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


def _must_make_sense(fault: Fault, given: Mapping[str, Any]) -> None:
    if fault.kind in _NEEDS_AFTER and not fault.after:
        raise Refused(f"The fault “{fault.kind}” needs “after”, in seconds: {KINDS[fault.kind]}.")
    if fault.instance and (more := [name for name in ("image", "times", "chance", "seed") if name in given]):
        raise Refused(f"An instance that is named needs no “{more[0]}”: those are for instances yet to be launched.")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(f"“{name}” must be text, not {value!r}.")
    return value


def _count(name: str, value: Any) -> int:
    number = _number(name, value)
    if number != int(number) or (number < 1 and name == "times"):
        raise Refused(f"“{name}” must be a whole number{' of at least 1' if name == 'times' else ''}, not “{value}”.")
    return int(number)


def _duration(name: str, value: Any) -> float:
    number = _number(name, value)
    if number <= 0 and (name, number) != ("after", 0):
        raise Refused(f"“{name}” must be seconds, more than none, not “{value}”.")
    return number


def _chance(name: str, value: Any) -> float:
    number = _number(name, value)
    if not 0 < number <= 1:
        raise Refused(f"“{name}” must be more than 0 and at most 1, not “{value}”.")
    return number


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise Refused(f"“{name}” must be a number, not “{value}”.")
    return number


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_READERS = {
    **dict.fromkeys(("action", "instance", "image", "zone", "instance_type"), _text),
    **dict.fromkeys(("times", "seed"), _count),
    **dict.fromkeys(("seconds", "after"), _duration),
    "chance": _chance,
}

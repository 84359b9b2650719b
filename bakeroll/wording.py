"""How text is put for people and for the records: what came from outside made printable; counts and moments in words.

Owns what a terminal may be sent of a text that somebody else wrote: a commit's subject, an instance's console, an
answer of AWS's. Pure. Whoever prints, writes JSON or writes a record asks it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # a cursor's movement, a colour
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\r\n]*(?:\x07|\x1b\\|\x9c)?"  # a title, a link, and their like, with their text
    r"|\x1b[ -/]*[0-~]"
)
"""What a terminal takes as a command (ECMA-48, chapters 5 and 8), all of it."""
_LINE_BREAKS = re.compile("\r*\n|\r+|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""The control characters, and those that turn the direction of the text that follows them (Unicode UAX #9)."""
_HALVES = re.compile("[\ud800-\udfff]")
"""Bytes that were no UTF-8, as Python keeps them: no stream can encode them."""


LONGEST_SHOWN = 100


def printable(text: str) -> str:
    r"""The text with no control character but the newline: whatever it holds, it moves no cursor and sets no title.

    >>> printable("\x1b[31mred\x1b[0m\x1b]0;title\x07\r\nnext\tone\u202e")
    'red\nnext one'
    """
    if text.isprintable():
        return text
    lines = _LINE_BREAKS.sub("\n", _ESCAPES.sub("", text))
    return _HALVES.sub("\ufffd", _UNPRINTABLE.sub("", lines.replace("\t", " ")))


def one_line(text: str) -> str:
    r"""The same in one line.

    >>> one_line("refused\r\n\r\nby i-1\n")
    'refused by i-1'
    """
    return " ".join(line for line in printable(text).split("\n") if line)


def all_printable(found: Any) -> Any:
    """An object as JSON has it, with each text in it printable."""
    match found:
        case str():
            return printable(found)
        case Mapping():
            return {all_printable(key): all_printable(value) for key, value in found.items()}
        case list() | tuple():
            return [all_printable(each) for each in found]
        case _:
            return found


def moment(at: datetime, now: datetime) -> str:
    """A time of day in the zone of `now`, with its date where that is not today's.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC))
    '09:00:00'
    >>> moment(datetime(2025, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC))
    '2025-01-01 09:00'
    """
    there = at.astimezone(now.tzinfo)
    return f"{there:%H:%M:%S}" if there.date() == now.date() else f"{there:%Y-%m-%d %H:%M}"


def to_the_second(time: str) -> str:
    """A time in ISO 8601 without fractions of a second; what is no time, and empty, stays as it is.

    >>> to_the_second("2026-01-01T09:00:00.123456+00:00")
    '2026-01-01T09:00:00+00:00'
    """
    return re.sub(r"[.,]\d+", "", time, count=1)


def counted(number: int, noun: str, ending: str = "s") -> str:
    """A number of things.

    >>> counted(1, "instance"), counted(2, "API call")
    ('1 instance', '2 API calls')
    """
    return f"{number} {noun}{'' if number == 1 else ending}"


def shown(value: object) -> str:
    r"""A value from outside for a sentence: short, on one line, and nothing in it that a terminal would obey.

    >>> shown("a" + chr(27) + "b")
    'a\x1bb'
    """
    text = str(value)
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in cut)

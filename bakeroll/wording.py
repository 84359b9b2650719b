"""How text is written for people and records: text from outside made printable, counts and times in words. Pure.

Owns what a terminal may receive of a text that somebody else wrote: a commit's subject, an instance's console, an
answer from AWS. Everything that prints, writes JSON or writes a record uses it.
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
"""Every sequence that a terminal takes as a command (ECMA-48, chapters 5 and 8)."""
_LINE_BREAKS = re.compile("\r*\n|\r+|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""The control characters, and the characters that change the direction of the text after them (Unicode UAX #9)."""
_HALVES = re.compile("[\ud800-\udfff]")
"""Bytes that are not UTF-8, as Python keeps them. No stream can encode them."""

LONGEST_EXCERPT = 100


def printable(text: str) -> str:
    r"""The text without control characters other than newlines. It moves no cursor and sets no title.

    >>> printable("\x1b[31mred\x1b[0m\x1b]0;title\x07\r\nnext\tone\u202e")
    'red\nnext one'
    """
    if text.isprintable():
        return text
    lines = _LINE_BREAKS.sub("\n", _ESCAPES.sub("", text))
    return _HALVES.sub("\ufffd", _UNPRINTABLE.sub("", lines.replace("\t", " ")))


def one_line(text: str) -> str:
    r"""The printable text on one line.

    >>> one_line("refused\r\n\r\nby i-1\n")
    'refused by i-1'
    """
    return " ".join(line for line in printable(text).split("\n") if line)


def all_printable(found: Any) -> Any:
    """A JSON object with every text in it made printable."""
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
    """A time in the zone of `now`, with its date if it is not today.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC))
    '09:00:00'
    >>> moment(datetime(2025, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC))
    '2025-01-01 09:00'
    """
    there = at.astimezone(now.tzinfo)
    return f"{there:%H:%M:%S}" if there.date() == now.date() else f"{there:%Y-%m-%d %H:%M}"


def to_the_second(time: str) -> str:
    """An ISO 8601 time without fractions of a second. Any other text is returned as it is.

    >>> to_the_second("2026-01-01T09:00:00.123456+00:00")
    '2026-01-01T09:00:00+00:00'
    """
    return re.sub(r"[.,]\d+", "", time, count=1)


def counted(number: int, noun: str, ending: str = "s") -> str:
    """A number with its noun.

    >>> counted(1, "instance"), counted(2, "API call")
    ('1 instance', '2 API calls')
    """
    return f"{number} {noun}{'' if number == 1 else ending}"


def excerpt(value: object) -> str:
    r"""A value from outside, to quote in a sentence: short, on one line, without terminal commands.

    >>> excerpt("a" + chr(27) + "b")
    'a\x1bb'
    """
    text = str(value)
    cut = text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in cut)

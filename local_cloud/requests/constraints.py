"""What AWS's own description of a request says against one: what is missing, of another type, or out of bounds. Pure.

The descriptions are botocore's, by way of moto (`moto.core.utils.get_service_model`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

_ENOUGH = 10
_SHOWN = 100
_JAVAS_ASTRAL, _OURS = "\\uD800\\uDC00-\\uDBFF\\uDFFF", "\\U00010000-\\U0010FFFF"
# The wire's types. What else there is (blobs, timestamps) comes as text or a number, and moto reads it.
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 + 1,
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 + 1,
    "structure": lambda value: isinstance(value, Mapping),
    "map": lambda value: isinstance(value, Mapping),
    "list": lambda value: isinstance(value, list),
}
# Whatever is made so many times at once takes memory by it. AWS has a quota for each; none is as high.
_A_NUMBER_OF = re.compile(r"(?!Min|Max)\w*(Count|Quantity)$|Quantity$")
_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Complaint:
    """`name` is the parameter's path, as in `TagSpecifications[0].ResourceType`; `rule` completes “Member must …”."""

    kind: Literal["missing", "type", "value"]
    name: str
    rule: str
    value: str = ""


def complaints(shape: Any, given: Any) -> list[Complaint]:
    """What is wrong with what was `given` for a shape; the first few."""
    found: list[Complaint] = []
    _look(shape, given, "", found)
    return found


def _look(shape: Any, given: Any, name: str, found: list[Complaint]) -> None:
    # No generators: however deep a request is, one of these calls within another takes none of the thread's stack.
    if len(found) >= _ENOUGH or getattr(shape, "is_document_type", False):
        return
    if not _TYPES.get(shape.type_name, lambda _: True)(given):
        found.append(Complaint("type", name, f"be of type {shape.type_name}", _shown(given)))
    elif shape.type_name == "structure":
        _look_at_members(shape, given, name, found)
    else:
        found += [Complaint("value", name, rule, _shown(given)) for rule in _broken(shape, given, name)]
        if shape.type_name == "list":
            for index, each in enumerate(given):
                _look(shape.member, each, f"{name}[{index}]", found)
        elif shape.type_name == "map":
            for key in given:
                _look(shape.value, given[key], f"{name}.{key}", found)


def _look_at_members(shape: Any, given: Mapping[str, Any], name: str, found: list[Complaint]) -> None:
    missing = (f"{name}.{each}".lstrip(".") for each in shape.required_members if given.get(each) is None)
    found += [Complaint("missing", each, "not be null") for each in missing]
    for member, of in shape.members.items():
        if (value := given.get(member)) is not None:
            _look(of, value, f"{name}.{member}".lstrip("."), found)


def _broken(shape: Any, given: Any, name: str) -> list[str]:
    """The rules of the shape that what was given breaks."""
    rules, is_number = shape.metadata, isinstance(given, (int, float))
    size, what = (given, "value") if is_number else (len(given) if hasattr(given, "__len__") else 0, "length")
    broken = []
    if size < rules.get("min", size):
        broken.append(f"have {what} greater than or equal to {rules['min']}")
    if size > (most := rules.get("max", _AT_MOST if is_number and _A_NUMBER_OF.fullmatch(_last(name)) else size)):
        broken.append(f"have {what} less than or equal to {most}")
    if isinstance(given, str) and rules.get("enum") and given not in rules["enum"]:
        broken.append(f"satisfy enum value set: [{', '.join(rules['enum'][:20])}]")
    if isinstance(given, str) and (pattern := _pattern(rules.get("pattern", ""))) and not pattern.fullmatch(given):
        broken.append(f"satisfy regular expression pattern: {rules['pattern']}")
    return broken


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of AWS's, which are Java's: characters beyond 16 bits are pairs there. None where Python has none."""
    try:
        return re.compile(text.replace(_JAVAS_ASTRAL, _OURS)) if text else None
    except re.error:
        return None


def _last(name: str) -> str:
    return re.sub(r"\[\d+\]$", "", name).rpartition(".")[2]


def _shown(given: Any) -> str:
    text = str(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

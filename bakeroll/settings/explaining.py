"""The message for a mistake in deploy.yml: the line, the key, what it must be, the nearest known name. Pure."""

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

from bakeroll.settings.kinds import PATTERNS
from bakeroll.settings.models import (
    BakeSettings,
    Canary,
    Check,
    Environment,
    LocalFleet,
    Metric,
    PackageSettings,
    Policy,
    Refresh,
    RepositorySettings,
    Section,
    Settings,
    SourceAmi,
)
from bakeroll.settings.reading import FILE, Keys, named
from bakeroll.wording import excerpt


def explained(error: Any, tree: yaml.Node | None) -> str:
    """The message for one of pydantic's errors."""
    location = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        section, known = _section(location[:-1])
        hint = did_you_mean(str(location[-1]), known)
        return located(tree, location, f"“{excerpt(location[-1])}” is no setting of {section}.{hint}")
    if error["type"] == "missing":
        return located(tree, location, f"“{location[-1]}” is missing.")
    return located(tree, location, f"{named(location)} is {_quoted(error['input'])}; it must be {_wanted(error)}.")


def located(tree: yaml.Node | None, location: Keys, sentence: str) -> str:
    """A sentence about `location`, with its line in the file, or the line of the nearest section that is there."""
    return f"{FILE}, line {_line(tree, location)}: {sentence}"


def _quoted(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"“{excerpt(value)}”"


WANTED = {
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_too_long": "a text of at most {max_length} characters",
    "string_unicode": "a text without surrogates (halves of characters)",
    "too_long": "a list or mapping of at most {max_length} entries",
    "too_short": "a list or mapping of at least {min_length} entries",
}


def _wanted(error: Any) -> str:
    """What a value must be, from pydantic's name of the error."""
    kind, context, message = error["type"], error.get("ctx", {}), str(error["msg"])
    if kind in WANTED:
        return WANTED[kind].format(**context)
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if kind == "string_type":
        return "a text; put it in quotation marks" if error["input"] is not None else "a text"
    return message.removeprefix("Value error, ").removeprefix("Input should be ")


def _line(node: yaml.Node | None, location: Keys) -> int:
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            pair = pairs[-1] if pairs else None  # a merge key's entries come before the mapping's own
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _section(location: Keys) -> tuple[str, Mapping[str, Any]]:
    """A section's name for a sentence, and its known keys."""
    models: dict[str, tuple[str, type[Section]]] = {
        "package": ("package", PackageSettings),
        "repository": ("repository", RepositorySettings),
        "bake": ("bake", BakeSettings),
        "source_ami": ("bake.source_ami", SourceAmi),
        "policy": ("a roll policy", Policy),
        "canary": ("a canary", Canary),
        "checks": ("a check", Check),
        "metric": ("a metric", Metric),
        "refresh": ("an instance refresh", Refresh),
        "local": ("a local fleet", LocalFleet),
    }
    if not location:
        return FILE, Settings.model_fields
    if len(location) == 2 and location[0] == "environments":
        return "an environment", Environment.model_fields
    name, model = models[next(str(part) for part in reversed(location) if isinstance(part, str))]
    return name, model.model_fields


def did_you_mean(word: str, known: Mapping[str, Any]) -> str:
    """A sentence with the nearest known word; empty where none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean “{near[0]}”?" if near else ""

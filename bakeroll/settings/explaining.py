"""What is said of a mistake in deploy.yml: the line, the key, what it must be, the nearest known name. Pure."""

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

from bakeroll.settings.models import (
    PATTERNS,
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

FILE = "deploy.yml"


def explained(error: Any, tree: yaml.Node | None) -> str:
    location = error["loc"]
    where = f"{FILE}, line {_line(tree, location)}: "
    if error["type"] == "extra_forbidden":
        section, known = _section(location[:-1])
        return f"{where}“{location[-1]}” is no setting of {section}.{did_you_mean(str(location[-1]), known)}"
    if error["type"] == "missing":
        return f"{where}“{location[-1]}” is missing."
    named = ".".join(str(part) for part in location if part != "[key]" and not str(part).startswith("constrained-"))
    return f"{where}“{named}” is {_shown(error['input'])}; it must be {_wanted(error)}."


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"“{value}”"


def _wanted(error: Any) -> str:
    """What a value should have been, from pydantic's name of the error."""
    match error["type"].split("_"):
        case ["dict" | "model", *_]:
            return "a mapping of keys to values"
        case ["tuple" | "list", *_]:
            return "a list"
        case ["int", *_]:
            return "a whole number" + (" or a share such as 50%" if "constrained-int" in error["loc"] else "")
        case ["float", *_]:
            return "a number"
        case ["bool", *_]:
            return "true or false"
        case ["string", "pattern", *_]:
            return PATTERNS.get(error["ctx"]["pattern"], f"like {error['ctx']['pattern']}")
        case ["value", "error"]:
            return str(error["msg"]).removeprefix("Value error, ")
        case ["string", "type"]:
            return "a text; put it in quotation marks" if error["input"] is not None else "a text"
    said = str(error["msg"])
    return said.removeprefix("Input should be ").removeprefix("Value should be ") if " should " in said else said


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _section(location: tuple[int | str, ...]) -> tuple[str, Mapping[str, Any]]:
    """How a section is called in a sentence, and the keys that it knows."""
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
    near = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean “{near[0]}”?" if near else ""

"""Reads the YAML of deploy.yml, within limits that are checked before any value is built.

Owns the limits, and which parts of YAML are refused. Leaves the shape of the file to `models`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bakeroll.errors import SettingsError
from bakeroll.wording import excerpt

FILE = "deploy.yml"

LARGEST = 64 * 1024
"""Bytes of the file."""
DEEPEST = 16
"""Levels of mappings and lists; ours has 7."""
MOST_VALUES = 10_000
"""Keys and values. One that aliases or merge keys repeat counts each time."""
LONGEST_NUMBER = 100

_PREFIX = "tag:yaml.org,2002:"
_MERGE = f"{_PREFIX}merge"
_NUMBERS = (f"{_PREFIX}int", f"{_PREFIX}float")
_TAGS: dict[type[yaml.Node], frozenset[str]] = {
    yaml.ScalarNode: frozenset(f"{_PREFIX}{each}" for each in ("str", "int", "float", "bool", "null")),
    yaml.SequenceNode: frozenset({f"{_PREFIX}seq"}),
    yaml.MappingNode: frozenset({f"{_PREFIX}map"}),
}

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A document and its YAML nodes, which know their lines."""

    document: Any
    tree: yaml.Node | None


@dataclass(frozen=True, slots=True)
class Extent:
    """How many values a node holds, and how many levels deep."""

    values: int
    depth: int


def text_of(path: Path) -> str:
    """The text of the file. Raises SettingsError if it cannot be read, is too large, or is not UTF-8."""
    if path.exists() and not path.is_file():
        raise SettingsError(f"{path} is no file.")  # reading a pipe might never end
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise SettingsError(
            f"There is no {FILE} in {path.parent}.", next_step="Run fab in the folder of your application's deploy.yml"
        ) from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(content) > LARGEST:
        raise SettingsError(f"{path} is too large: it may have at most {LARGEST // 1024} KiB.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(f"{FILE}, line {line}: not UTF-8: {error.reason}.") from None


def read(text: str) -> Read:
    """The document in `text`. SettingsError names the line, and the key if there is one.

    It also refuses duplicate keys, aliases and merge keys that repeat too much, deep nesting, and all tags except
    YAML's own for texts, numbers, true and false, null, mappings and lists. A date is a text.
    """
    if len(text) > LARGEST:
        raise SettingsError(f"{FILE} is too large: it may have at most {LARGEST // 1024} KiB.")
    loader = None
    try:
        loader = _Loader(text)
        tree = loader.get_single_node()
        if tree is not None:
            _measured(tree, (), {})
        return Read(loader.construct_document(tree) if tree is not None else None, tree)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        at = f" in {named(loader.way)}" if loader and loader.way else ""
        raise SettingsError(f"{FILE}, line {line}: not YAML{at}: {error.problem}.") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        key = re.findall(r"([\w-]+)[\"']?:", before)[-1:]
        at = f" in {named(tuple(key))}" if key else ""
        what = _named(error.character)
        raise SettingsError(f"{FILE}, line {before.count(chr(10)) + 1}: not YAML{at}: it holds {what}.") from None


def named(path: Keys) -> str:
    """A key for a sentence, with its path. An empty path is the file itself."""
    return f"“{'.'.join(excerpt(part) for part in path)}”" if path else FILE


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without the tags that no setting has, and with a limited depth."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own name and form
        first: [(tag, pattern) for tag, pattern in resolvers if tag in (*_TAGS[yaml.ScalarNode], _MERGE)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._path: list[str | int] = []

    @property
    def way(self) -> Keys:
        """The path of the node that is being read."""
        return tuple(each for each in self._path if each != "")

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._path.append(index.value if isinstance(index, yaml.ScalarNode) else index if index is not None else "")
        if len(self._path) > DEEPEST:
            raise _refused(self.get_mark(), f"{named(self.way[:3])} goes more than {DEEPEST} levels deep")
        node = super().compose_node(parent, index)
        self._path.pop()
        return node


def _measured(node: yaml.Node, path: Keys, known: dict[int, Extent | None]) -> Extent:
    """Check that `node` may become values. A node that an alias repeats counts each time and is checked once."""
    if id(node) in known:
        extent = known[id(node)]
        if extent is None:
            raise _refused(node.start_mark, f"{named(path)} contains itself")
        return extent
    known[id(node)] = None
    _refuse_tag(node, path)
    if isinstance(node, yaml.ScalarNode):
        _refuse_scalar(node, path)
        extent = Extent(1, 0)
    else:
        below = [_measured(child, at, known) for child, at in _children(node, path)]
        extent = Extent(1 + sum(each.values for each in below), 1 + max((each.depth for each in below), default=0))
    if extent.values > MOST_VALUES:
        raise _refused(node.start_mark, f"{named(path)} repeats too much: more than {MOST_VALUES} values")
    if extent.depth > DEEPEST:
        raise _refused(node.start_mark, f"{named(path)} goes more than {DEEPEST} levels deep")
    known[id(node)] = extent
    return extent


def _children(node: yaml.Node, path: Keys) -> Iterator[tuple[yaml.Node, Keys]]:
    if isinstance(node, yaml.SequenceNode):
        yield from ((child, (*path, number)) for number, child in enumerate(node.value))
    elif isinstance(node, yaml.MappingNode):
        _refuse_keys(node, path)
        yield from ((child, (*path, key.value)) for key, child in node.value)


def _refuse_keys(node: yaml.MappingNode, path: Keys) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if key.tag not in (f"{_PREFIX}str", _MERGE):
            what = f"“{excerpt(key.value)}”" if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            raise _refused(
                key.start_mark, f"{named(path)} has {what} as a key: it must be a text; put it in quotation marks"
            )
        if key.value in lines:
            first = f"first in line {lines[key.value]}"
            raise _refused(key.start_mark, f"{named((*path, key.value))} appears twice, {first}")
        lines[key.value] = key.start_mark.line + 1


def _refuse_scalar(node: yaml.ScalarNode, path: Keys) -> None:
    if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
        raise _refused(node.start_mark, f"{named(path)} is a number of {len(node.value)} characters")
    try:
        yaml.SafeLoader("").construct_object(node)
    except (ValueError, LookupError, AttributeError):
        kind = node.tag.removeprefix(_PREFIX)
        raise _refused(node.start_mark, f"{named(path)} is “{excerpt(node.value)}”, which is no {kind}") from None


def _refuse_tag(node: yaml.Node, path: Keys) -> None:
    if node.tag not in _TAGS[type(node)]:
        raise _refused(node.start_mark, f"{named(path)} has the tag “{excerpt(node.tag)}”, which no setting has")


def _refused(mark: yaml.Mark | None, what: str) -> SettingsError:
    line = mark.line + 1 if mark else 1
    return SettingsError(f"{FILE}, line {line}: {what}.")


def _named(character: str | int | bytes) -> str:
    code = character if isinstance(character, int) else ord(character[:1])
    return f"the control character U+{code:04X}" if code < 0xA0 else f"the character U+{code:04X}"

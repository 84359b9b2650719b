"""Packer's HCL, rendered by Jinja2. Pure but for reading the templates.

What decides the image's content stands in the rendered text, which is part of the recipe. What differs
from one bake to the next (names, tags, the endpoint) comes in as Packer variables, from a JSON file.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeroll.bake.recipe import Kind
from bakeroll.errors import BakeError

MODERN = (1, 7)
"""The first Packer with plugins of their own (`required_plugins`); Debian 12's 1.6.6 has them built in."""

PLUGINS_FILE = "plugins.pkr.hcl"

Literal = str | int | bool | Sequence[str]


def render(kind: Kind, layers: Sequence[Path], values: Mapping[str, Literal]) -> dict[str, str]:
    """The HCL files of one bake by name. `layers` hold packer/ folders, later over earlier.

    Whatever a template prints with {{ }} comes out as an HCL literal, quoted and escaped.
    Raises BakeError for a value that a template names and nobody gives, or a template that is not Jinja2.
    """
    import jinja2  # 40 ms that only a bake should pay

    environment = jinja2.Environment(  # noqa: S701  what is printed is escaped by `hcl`, for HCL
        loader=jinja2.FileSystemLoader([layer / "packer" for layer in reversed(layers)]),
        undefined=jinja2.StrictUndefined,
        finalize=hcl,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ["builder.pkr.hcl", f"{kind}.pkr.hcl", *([PLUGINS_FILE] if values["modern"] else [])]
    try:
        return {name: environment.get_template(f"{name}.j2").render(values) for name in names}
    except jinja2.TemplateError as error:
        where = f"packer/{getattr(error, 'name', None) or f'{kind}.pkr.hcl.j2'}"
        raise BakeError(f"{where} cannot be rendered: {error}.") from None


def hcl(value: Literal) -> str:
    """`value` as an HCL literal that cannot end its string or begin a template within it."""
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_quoted(each) for each in value)}]"
    return str(value)  # what Jinja2 found nothing for; StrictUndefined says so


def variables(values: Mapping[str, str | Mapping[str, str]]) -> str:
    """The text of a `*.auto.pkrvars.json` file."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def is_modern(version: str) -> bool:
    """Whether a Packer of `version` keeps its builders in plugins."""
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= MODERN


def _quoted(text: str) -> str:
    if "{{" in text:
        # Packer reads {{ }} in a builder's strings as a template of its own, whatever HCL makes of it.
        raise BakeError(f"“{text}” cannot be given to Packer: it holds {{{{.")
    escaped = "".join(_escaped(character) for character in text)
    return '"' + escaped.replace("${", r"\u0024{").replace("%{", r"\u0025{") + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"

"""Packer's HCL, rendered by Jinja2. Pure, except that it reads the templates.

The rendered text holds what decides the image's content, and is part of the recipe. What differs from bake to bake
(names, tags, the endpoint) comes from a JSON file of Packer variables.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeroll.bake.recipe import Kind
from bakeroll.errors import BakeError

MODERN = (1, 7)
"""The first Packer with separate plugins (`required_plugins`). Debian 12's Packer 1.6.6 has them built in."""

PLUGINS_FILE = "plugins.pkr.hcl"

Literal = str | int | bool | Sequence[str]


def render(kind: Kind, layers: Sequence[Path], values: Mapping[str, Literal]) -> dict[str, str]:
    """The HCL files of one bake by name. `layers` hold packer/ folders; later ones replace earlier ones.

    Everything that a template prints with {{ }} becomes an HCL literal, quoted and escaped.
    Raises BakeError if a template names an unknown value or is not Jinja2.
    """
    import jinja2  # takes 40 ms, which only a bake should pay

    environment = jinja2.Environment(  # noqa: S701  `hcl` escapes what is printed, for HCL
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
    """`value` as an HCL literal. It cannot end its string or begin a template in it."""
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_quoted(each) for each in value)}]"
    return str(value)  # an undefined value; StrictUndefined raises


def variables(values: Mapping[str, str | Mapping[str, str]]) -> str:
    """The text of a `*.auto.pkrvars.json` file."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def is_modern(version: str) -> bool:
    """Whether a Packer of this version keeps its builders in plugins."""
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= MODERN


def _quoted(text: str) -> str:
    if "{{" in text:
        # Packer reads {{ }} in a builder's strings as its own template syntax, even after HCL's escaping.
        raise BakeError(f"“{text}” cannot be passed to Packer because it contains {{{{.")
    escaped = "".join(_escaped(character) for character in text)
    return '"' + escaped.replace("${", r"\u0024{").replace("%{", r"\u0025{") + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"

"""The recipe: everything that decides what an image contains, and its digest. Pure.

A recipe consists of parts, each a name and a text (an id, a version, a hash). Two images with the same digest are
made of the same things, so the second is not baked. A tag beside the digest holds the parts' short hashes, so that a
later bake can say which part changed.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

Kind = Literal["base", "application"]

SHORT = 8
"""Hexadecimal digits of a part's hash in the tag. A tag's value holds 256 characters (EC2 user guide)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The parts of an image of one kind, in the order in which changes are reported."""

    kind: Kind
    parts: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of the parts in canonical JSON."""
        canonical = json.dumps({"kind": self.kind, "parts": dict(self.parts)}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def short_parts(self) -> str:
        """The value of the tag `bakeroll:recipe`: `package=1a2b3c4d/base image=…`, in characters that EC2 allows."""
        return "/".join(f"{name}={_short(value)}" for name, value in self.parts)


@dataclass(frozen=True, slots=True)
class Method:
    """How images of one kind are baked, independent of their content.

    `playbook` is the hash of the tree and `template` the rendered HCL. `tools` is Packer's and Ansible's version
    without the patch level: a minor release may change what a builder or module does, a patch release must not.
    """

    playbook: str
    template: str
    tools: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        return ("playbook", self.playbook), ("template", self.template), ("tools", self.tools)


def base_recipe(source_ami: str, repository: str, method: Method) -> Recipe:
    """The recipe of a base image: an AMI id, the repository's source entry with its key, the method."""
    return Recipe("base", (("source AMI", source_ami), ("repository", repository), *method.parts))


def application_recipe(base: str, package: str, port: int, method: Method) -> Recipe:
    """The recipe of an application image: an AMI id, the package's name, version and hash, its port, the method."""
    return Recipe("application", (("package", package), ("port", str(port)), ("base image", base), *method.parts))


def why(old: str, new: Recipe) -> str:
    """Why `new` must be baked, compared with the previous image's tag `bakeroll:recipe` ("" for none)."""
    before = _parsed(old)
    if not before:
        return "the first"
    changed = [name for name, value in new.parts if before.get(name) != _short(value)]
    return f"{' and '.join(changed)} changed" if changed else "the same recipe"


def tool_versions(packer: str, ansible: str) -> str:
    """The full versions of Packer and Ansible as a part of a recipe."""
    return f"packer {_minor(packer)}, ansible-core {_minor(ansible)}"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _short(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:SHORT]


def _parsed(tag: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in tag.split("/") if "=" in part)

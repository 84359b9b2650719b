"""What to bake, from what, and by which recipe.

    bake_base          the source AMI with updates, tuning and the apt repository; baked rarely
    bake_application   a base image with one package at exactly one version; baked for each release

Leaves the baking to `oven`, which first looks in the catalogue for such an image.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import metadata
from typing import Protocol

from bakeroll.bake import packer
from bakeroll.bake.folder import files, tree_hash
from bakeroll.bake.oven import Bakery, Order, find, find_or_bake, find_reason
from bakeroll.bake.recipe import Kind, Method, Recipe, application_recipe, base_recipe, tool_versions
from bakeroll.bake.template import Literal, is_modern, render
from bakeroll.errors import BakeError
from bakeroll.release import Image


class Package(Protocol):
    """What a bake needs to know of a built .deb. release.Package is one."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RepositoryAccess:
    """Where instances fetch packages from. `public_key` is ASCII-armored OpenPGP."""

    url: str
    suite: str
    component: str
    public_key: str


def bake_base(bakery: Bakery, repository: RepositoryAccess, *, source_ami: str = "") -> Image:
    """Return the base image for this environment. Bake it if its recipe changed or it is too old.

    `source_ami` is an AMI id. The default is the newest image of the owner and name in bake.source_ami.
    Raises BakeError with the log's name if Packer or Ansible fail, or if there is no source AMI.
    """
    order, recipe = _base(bakery, repository, source_ami)
    return find_or_bake(bakery, order, recipe, _max_age(bakery))


def bake_application(bakery: Bakery, package: Package, revision: str, base: Image) -> Image:
    """Return the application image of `package` on `base`. Bake it if there is none of the same recipe.

    `revision` is the Git commit that the package was built from. The package must be in the repository that
    `base` was baked with. Raises BakeError with the log's name if Packer or Ansible fail.
    """
    order, recipe = _application(bakery, package, revision, base)
    return find_or_bake(bakery, order, recipe)


def preview(bakery: Bakery, repository: RepositoryAccess, package: Package) -> tuple[str, Image | None]:
    """What the two bakes would do, in a sentence, and the application image if it exists.

    `package.sha256` is empty if the package is not built yet.
    """
    _, recipe = _base(bakery, repository)
    base = find(bakery, recipe, _max_age(bakery))
    if base is None:
        return f"bake a base image ({find_reason(bakery, recipe)}) and an application image on it", None
    if not package.sha256:
        return f"bake an application image on {base.id}: package changed", None
    _, recipe = _application(bakery, package, "", base)
    if image := find(bakery, recipe):
        return f"use {image.id}, baked by the same recipe {recipe.digest[:8]}", image
    return f"bake an application image on {base.id}: {find_reason(bakery, recipe)}", None


def find_image(bakery: Bakery, repository: RepositoryAccess, package: Package) -> Image | None:
    """The application image of `package` by the current recipe. None if there is none, or if nothing can be baked here.

    A machine that only rolls may have no Packer. The recipe is then unknown.
    """
    try:
        return preview(bakery, repository, package)[1]
    except BakeError:
        return None


def _base(bakery: Bakery, repository: RepositoryAccess, source_ami: str = "") -> tuple[Order, Recipe]:
    source = source_ami or _newest_source(bakery)
    order = _order(bakery, "base", source, {"repository": asdict(repository)})
    return order, base_recipe(source, json.dumps(asdict(repository), sort_keys=True), order.method)


def _application(bakery: Bakery, package: Package, revision: str, base: Image) -> tuple[Order, Recipe]:
    port = bakery.environment.port
    facts = {"name": package.name, "version": package.version, "sha256": package.sha256, "port": str(port)}
    order = _order(bakery, "application", base.id, {"package": facts}, package.version, revision)
    text = f"{package.name} {package.version} {package.sha256}"
    return order, application_recipe(base.id, text, port, order.method)


def _max_age(bakery: Bakery) -> timedelta:
    return timedelta(days=bakery.environment.bake.base_max_age_days)


def _newest_source(bakery: Bakery) -> str:
    wanted = bakery.environment.bake.source_ami
    ami = bakery.images.newest(wanted.owner, wanted.name)
    if ami is None:
        raise BakeError(
            f"There is no available image of owner {wanted.owner} named {wanted.name} in {bakery.region}.",
            next_step="Correct bake.source_ami in deploy.yml",
        )
    return ami.id


def _order(
    bakery: Bakery, kind: Kind, source: str, variables: Mapping[str, object], version: str = "", revision: str = ""
) -> Order:
    packer_version = packer.read_version(bakery.run)
    templates = render(kind, bakery.layers, _values(bakery, source, packer_version))
    playbook = files("ansible", kind, bakery.layers)
    tools = tool_versions(packer_version, metadata.version("ansible-core"))
    method = Method(tree_hash(playbook), "\n".join(templates[name] for name in sorted(templates)), tools)
    return Order(source, templates, playbook, method, variables, version, revision)


def _values(bakery: Bakery, source: str, packer_version: str) -> dict[str, Literal]:
    settings = bakery.environment.bake
    return {
        "region": bakery.region,
        "endpoint": bool(bakery.endpoint),
        "source_ami": source,
        "instance_type": settings.instance_type,
        "subnet": settings.subnet,
        "ssh_username": settings.ssh_username,
        "modern": is_modern(packer_version),
    }

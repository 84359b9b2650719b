"""The existing images, found by their tags. An image is bakeroll's if it has a digest.

Owns the tags and their meaning. Leaves EC2 to the implementation of `Images` (bakeroll.aws.images).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bakeroll.bake.recipe import Kind, Recipe
from bakeroll.release import Image

DIGEST = "bakeroll:digest"
KIND = "bakeroll:kind"
ENVIRONMENT = "bakeroll:environment"
APPLICATION = "bakeroll:application"
VERSION = "bakeroll:version"
REVISION = "bakeroll:revision"
BASE = "bakeroll:base"
RECIPE = "bakeroll:recipe"
BAKED_BY = "bakeroll:baked-by"
BAKE = "bakeroll:bake"
"""The bake that made it: `APPLICATION-ENVIRONMENT/TIME-RANDOM`. Its builder has the tag too."""


class Ami(Protocol):
    """An AMI as EC2 describes it. `state` is EC2's word, such as "available" or "pending"."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def tags(self) -> Mapping[str, str]: ...


class Builder(Protocol):
    """An instance that Packer bakes in: the bake that launched it, and the names of its security groups."""

    @property
    def id(self) -> str: ...
    @property
    def bake(self) -> str: ...
    @property
    def groups(self) -> Sequence[str]: ...


class LastWords(Protocol):
    """Why a builder ended, in EC2's words with their code first, and the lines of its console."""

    @property
    def id(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def console(self) -> Sequence[str]: ...


class Images(Protocol):
    """What this room needs of EC2."""

    def newest(self, owner: str, name: str) -> Ami | None:
        """The newest available image of `owner` whose name matches `name` (`*` and `?`)."""

    def get(self, image_id: str) -> Ami | None:
        """One image by its id."""

    def own(self, *, name: str = "*", tags: Mapping[str, str] | None = None) -> Sequence[Ami]:
        """This account's images with that name and all of `tags`, in any state, newest first."""

    def builders(self, tag: str) -> Sequence[Builder]:
        """The instances that have the tag `tag`, which names their bake, and are not terminated."""

    def last_words(self, tag: str, bake: str) -> LastWords | None:
        """The last words of the instance whose tag `tag` is `bake`, in any state. None if there is no such instance."""

    def key_pairs(self, name: str) -> Sequence[str]:
        """The names of the key pairs whose name matches `name` (`*` and `?`)."""

    def security_groups(self, names: Sequence[str]) -> Sequence[str]:
        """The ids of the security groups with these names."""

    def terminate(self, instance_ids: Sequence[str]) -> None:
        """Terminate instances and wait for the end."""

    def delete_key_pair(self, name: str) -> None:
        """Delete a key pair. A missing one is no error."""

    def delete_security_group(self, group_id: str) -> None:
        """Delete a security group. A missing one is no error."""

    def deregister(self, image_id: str) -> None:
        """Deregister an image and delete its snapshots. A missing one is no error."""


def with_digest(images: Images, digest: str) -> Image | None:
    """The newest image of the recipe with this digest that can be launched."""
    return next((image_of(ami) for ami in images.own(tags={DIGEST: digest}) if ami.state == "available"), None)


def before(images: Images, kind: Kind, application: str, environment: str) -> Image | None:
    """The image that was baked last for this application and environment."""
    found = images.own(tags={KIND: kind, APPLICATION: application, ENVIRONMENT: environment})
    return next((image_of(ami) for ami in found if DIGEST in ami.tags), None)


def of_version(images: Images, application: str, version: str) -> Sequence[Ami]:
    """The application images of a version that can be launched, of every environment, newest first."""
    found = images.own(tags={KIND: "application", APPLICATION: application, VERSION: version})
    return [ami for ami in found if ami.state == "available"]


def image_of(ami: Ami) -> Image:
    """An AMI's tags as an Image."""
    tags = ami.tags
    is_base = tags.get(KIND) == "base"
    return Image(
        id=ami.id,
        name=ami.name,
        digest=tags.get(DIGEST, ""),
        base=tags.get(BASE, ""),
        created_at=ami.created_at,
        application="" if is_base else tags.get(APPLICATION, ""),
        version=tags.get(VERSION, ""),
        revision=tags.get(REVISION, ""),
        recipe=tags.get(RECIPE, ""),
    )


def tags_of(recipe: Recipe, source: str, version: str, revision: str) -> dict[str, str]:
    """The tags that mark a finished image: what it is and what it is made of."""
    tags = {
        DIGEST: recipe.digest,
        KIND: recipe.kind,
        RECIPE: recipe.short_parts,
        BASE: source,
        VERSION: version,
        REVISION: revision,
    }
    return {key: value for key, value in tags.items() if value}

"""Images as the catalogue reads them, kept in memory. Nothing is ever baked here."""

# ruff: noqa: ARG002 (where nothing is baked there is nothing of a bake to find or to sweep)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bakeroll.bake import catalogue
from bakeroll.bake.catalogue import Builder, LastWords


@dataclass(frozen=True)
class Ami:
    """An application image."""

    id: str
    version: str
    environment: str = "dev"
    state: str = "available"
    name: str = "links"
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def tags(self) -> Mapping[str, str]:
        return {
            catalogue.KIND: "application",
            catalogue.ENVIRONMENT: self.environment,
            catalogue.VERSION: self.version,
            catalogue.REVISION: "1c9e2a7",
        }


@dataclass
class Shelf:
    """The images of an account, the newest first. There is no source AMI, so that no recipe can be told."""

    amis: list[Ami] = field(default_factory=list)

    def newest(self, owner: str, name: str) -> Ami | None:
        return None

    def get(self, image_id: str) -> Ami | None:
        return next((each for each in self.amis if each.id == image_id), None)

    def own(self, *, name: str = "*", tags: Mapping[str, str] | None = None) -> Sequence[Ami]:
        version = (tags or {}).get(catalogue.VERSION)
        return [each for each in self.amis if version in (None, each.version)]

    def builders(self, tag: str) -> Sequence[Builder]:
        return ()

    def last_words(self, tag: str, bake: str) -> LastWords | None:
        return None

    def key_pairs(self, name: str) -> Sequence[str]:
        return ()

    def security_groups(self, names: Sequence[str]) -> Sequence[str]:
        return ()

    def terminate(self, instance_ids: Sequence[str]) -> None: ...

    def delete_key_pair(self, name: str) -> None: ...

    def delete_security_group(self, group_id: str) -> None: ...

    def deregister(self, image_id: str) -> None:
        self.amis = [each for each in self.amis if each.id != image_id]

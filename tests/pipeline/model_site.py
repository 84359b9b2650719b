"""A site whose cloud is the one in memory: the real wiring, over a model's ports and clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeroll import settings
from bakeroll.bake import catalogue
from bakeroll.release import Release
from bakeroll.roll.operate.steering import Steering
from bakeroll.roll.ports import Ports
from bakeroll.roll.simulate.model import World
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import this_process
from bakeroll.wiring import Site
from tests.roll.scene import POLICY, goal, rolled

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ami:
    """An image of a version, as far as the catalogue reads it."""

    id: str
    version: str
    name: str = "links"
    state: str = "available"
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def tags(self) -> Mapping[str, str]:
        return {catalogue.KIND: "application", catalogue.VERSION: self.version, catalogue.REVISION: "1c9e2a7"}


class Images:
    """Of each version one."""

    amis = (Ami("ami-old", "1.0-1"), Ami("ami-new", "2.0-1"), Ami("ami-next", "3.0-1"))

    def get(self, image: str) -> Ami | None:
        return next((each for each in self.amis if each.id == image), None)

    def own(self, *, tags: Mapping[str, str]) -> Sequence[Ami]:
        return [each for each in self.amis if each.version == tags[catalogue.VERSION]]


class ModelSite(Site):
    """Environment dev of the repository's own deploy.yml."""

    def __init__(self, fleet: World) -> None:
        environment = replace(settings.load(ROOT, "dev"), policy=POLICY)
        super().__init__(environment, lambda _: None, operator="me@laptop")
        self.fleet = fleet

    @property
    def ports(self) -> Ports:
        return ports(self.fleet)

    @property
    def bakery(self) -> Any:
        return type("Bakery", (), {"images": Images()})

    @property
    def steering(self) -> Steering:
        return Steering(self.environment.fleet, self.environment.name, self.ports, self.fleet, self.operator)

    def where(self) -> str:
        return "account 1, eu-west-1"

    def url(self) -> str:
        return "http://here"

    def roll(self, release: Release, *, is_resumed: bool = False, patience: float = 0) -> bool:
        to, me = replace(goal(), release=release), this_process("me@laptop")
        return rolled(self.fleet, to, POLICY, as_owner=me, is_resumed=is_resumed, patience=patience).is_new

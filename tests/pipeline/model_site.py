"""An environment whose fleet is in memory: the real Site and the real Roller, over a model's ports and clock."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from bakeroll import settings
from bakeroll.apt.index import Published
from bakeroll.bake.bakery import RepositoryAccess
from bakeroll.bake.oven import Bakery
from bakeroll.console.recording import Recording
from bakeroll.console.timeline import Recorder
from bakeroll.events import Event
from bakeroll.release import Release
from bakeroll.roll.roller import Roller
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.store.history import write_release
from bakeroll.settings import Policy
from bakeroll.wiring import LocalCloud, Site
from tests.pipeline.shelf import Ami, Shelf
from tests.roll.scene import GOOD, POLICY, roller

ROOT = Path(__file__).parents[2]
AMIS = (Ami("ami-old", "1.0-1"), Ami("ami-new", "2.0-1"), Ami("ami-next", "3.0-1"))
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ModelSite(Site):
    """Environment dev of the repository's own deploy.yml. `packages` are those of the signed repository."""

    fleet: World
    shelf: Shelf
    events: list[Event]
    packages: list[Published] = field(default_factory=list)

    @cached_property
    def roller(self) -> Roller:
        return roller(self.fleet, self.environment.policy, by=self.operator)

    @cached_property
    def bakery(self) -> Bakery:
        work, now = self.work, self.fleet.now
        return Bakery(self.environment, "eu-west-1", self.shelf, self.run, self.report, now, work, self.operator)

    @cached_property
    def repository(self) -> RepositoryAccess:
        return RepositoryAccess("http://apt", "stable", "main", "a key")

    def published(self) -> list[Published]:
        return self.packages

    def where(self) -> str:
        return "account 1, eu-west-1"

    def recording(self, release: Release) -> AbstractContextManager[Recorder]:
        """No timeline is written."""
        clock = self.fleet
        return nullcontext(Recorder(self.report, Recording(release, clock.now()), clock.monotonic, clock.monotonic()))

    def provision(self) -> Iterator[str]:
        self.fleet.squads.update(world(2, GOOD).squads)
        yield "fleet links-dev made"

    def publish(self, version: str, commit: str) -> None:
        """Have the repository hold a version."""
        self.packages.append(Published("links", version, f"links_{version}.deb", "9f" * 32, commit))

    def bake(self, *amis: Ami) -> None:
        """Have newer images, which can be launched."""
        self.shelf.amis[:0] = amis
        self.fleet.images.update({each.id: Behaviour(each.version) for each in amis})

    def release(self, version: str, image: str, at: datetime = BEGAN) -> None:
        """Have the history hold a release."""
        release = Release("links", "dev", version, image, "1c9e2a7", "me", at)
        write_release(ports(self.fleet).table, release, at.isoformat())


def model_site(
    fleet: World | None = None,
    policy: Policy = POLICY,
    *,
    source: Path = ROOT / "examples/links",
    amis: Sequence[Ami] = AMIS,
    local: LocalCloud | None = None,
    confirm: bool = False,
) -> ModelSite:
    environment = replace(settings.load(ROOT, "dev"), policy=policy, source=source, confirm=confirm)
    events: list[Event] = []
    return ModelSite(
        environment,
        events.append,
        "me@laptop",
        local,
        fleet=fleet or world(2, GOOD),
        shelf=Shelf(list(amis)),
        events=events,
    )

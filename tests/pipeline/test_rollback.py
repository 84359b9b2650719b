"""Which release a rollback rolls to, by which image, and what it asks before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bakeroll import pipeline
from bakeroll.apt.index import Published
from bakeroll.bake import catalogue
from bakeroll.errors import BakeError, BakerollError, ConfirmationNeeded, RollFailed, SourceError
from bakeroll.events import Event
from bakeroll.release import Release
from bakeroll.release_request import ReleaseRequest
from bakeroll.wiring import Site

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass
class Ami:
    id: str
    version: str
    state: str = "available"
    name: str = ""
    created_at: datetime = BEGAN
    environment: str = "dev"

    @property
    def tags(self) -> Mapping[str, str]:
        return {
            catalogue.KIND: "application",
            catalogue.ENVIRONMENT: self.environment,
            catalogue.VERSION: self.version,
            catalogue.REVISION: "1c9e2a7",
        }


@dataclass
class FakeSite:
    """An environment with releases and images; rolling to one writes it down."""

    releases: list[Release]
    amis: list[Ami]
    is_there: bool = True
    events: list[Event] = field(default_factory=list)
    operator: str = "me"
    timeline: None = None
    local: None = None
    environment: Any = field(
        default_factory=lambda: SimpleNamespace(name="dev", application="links", fleet="links-dev")
    )

    @property
    def bakery(self) -> Any:
        return SimpleNamespace(images=self)

    def get(self, image: str) -> Ami | None:
        return next((each for each in self.amis if each.id == image), None)

    def own(self, *, tags: Mapping[str, str]) -> Sequence[Ami]:
        return [each for each in self.amis if each.version == tags[catalogue.VERSION]]

    def history(self) -> list[Release]:
        return list(self.releases)

    entries = history

    def published(self) -> list[Published]:
        return []

    def report(self, event: Event) -> None:
        self.events.append(event)

    def where(self) -> str:
        return "account 1, eu-west-1"

    def url(self) -> str:
        return "http://here"

    def has_fleet(self) -> bool:
        return self.is_there

    def preview(self, release: Release | None) -> str:
        return f"roll to {release.image if release else 'something'}"

    def stands_by_until(self) -> None:
        return None

    def roll(self, release: Release, *, is_resumed: bool = False, patience: float = 0) -> bool:
        assert (is_resumed, patience) == (False, 0)
        self.releases.insert(0, replace(release, released_at=ENDED))
        return True


def site(*versions: str, gone: Sequence[str] = (), is_there: bool = True) -> FakeSite:
    """Releases of these versions, the newest first, each by an image of its own."""
    releases = [
        Release(
            "links", "dev", version, f"ami-{len(versions) - index}", "1c9e2a7", "me", BEGAN - timedelta(hours=index)
        )
        for index, version in enumerate(versions)
    ]
    amis = [Ami(each.image, each.version) for each in releases if each.image not in gone]
    return FakeSite(releases, amis, is_there)


def rolled_back(fake: FakeSite, **asked: Any) -> dict[str, Any] | None:
    return pipeline.rollback(cast("Site", fake), ReleaseRequest(**asked))


@pytest.mark.parametrize(
    ("versions", "to", "image"),
    [
        pytest.param(("3-1", "2-1", "1-1"), "", "ami-2", id="the release before"),
        pytest.param(("3-1", "3-1", "1-1"), "", "ami-1", id="a release of the same version is not before"),
        pytest.param(("3-1", "2-1", "1-1"), "1-1", "ami-1", id="the version asked for"),
        pytest.param(("1.2~rc1-1", "2-1", "1.2~rc1-1"), "v1.2-rc1", "ami-3", id="as a tag, the newest of it"),
    ],
)
def test_a_rollback_is_to(versions: tuple[str, ...], to: str, image: str) -> None:
    outcome = rolled_back(site(*versions), version=to)

    assert outcome is not None
    assert outcome["release"]["image"] == image


def test_a_rollback_is_to_the_very_image_of_the_release_though_its_version_was_baked_again() -> None:
    fake = site("2-1", "1-1")
    fake.amis.insert(0, Ami("ami-newer", "1-1"))

    outcome = rolled_back(fake)

    assert outcome is not None
    assert (outcome["release"]["image"], outcome["before"]) == ("ami-1", "2-1")


def test_what_is_told_at_the_end_serves_since_it_was_written_as_serving() -> None:
    outcome = rolled_back(site("2-1", "1-1"))

    assert outcome is not None
    assert outcome["release"]["at"] == ENDED.isoformat()


def test_where_that_image_is_gone_another_of_its_version_serves() -> None:
    fake = site("2-1", "1-1", gone=["ami-1"])
    fake.amis.append(Ami("ami-again", "1-1"))

    outcome = rolled_back(fake)

    assert outcome is not None
    assert outcome["release"]["image"] == "ami-again"


def test_an_image_of_its_version_that_was_baked_for_another_environment_does_not_serve() -> None:
    fake = site("2-1", "1-1", gone=["ami-1"])
    fake.amis.append(Ami("ami-of-prod", "1-1", environment="prod"))

    with pytest.raises(BakeError, match="The image of 1-1, ami-1, is gone"):
        rolled_back(fake)


@pytest.mark.parametrize(
    ("fake", "to", "error", "said"),
    [
        pytest.param(site(), "", SourceError, "dev has no release to go back to", id="no release"),
        pytest.param(site("1-1"), "", SourceError, "no release before 1-1", id="one release"),
        pytest.param(site("2-1", "1-1"), "9", SourceError, "never had a release of version “9”", id="an unknown one"),
        pytest.param(
            site("2-1", "1-1", gone=["ami-1"]), "", BakeError, "The image of 1-1, ami-1, is gone", id="no image"
        ),
        pytest.param(
            site("2-1", "1-1", is_there=False), "", RollFailed, "no Auto Scaling group links-dev", id="no fleet"
        ),
    ],
)
def test_what_cannot_be_is_told_with_the_next_command(
    fake: FakeSite, to: str, error: type[BakerollError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        rolled_back(fake, version=to)

    assert caught.value.next_step


def test_a_dry_run_tells_what_it_would_do_asks_nothing_and_rolls_nothing() -> None:
    fake = site("2-1", "1-1")

    assert rolled_back(fake, is_dry=True, confirm=_refuse) is None

    assert [each.text for each in fake.events][-1] == "would roll to ami-1"
    assert len(fake.releases) == 2


def test_nothing_is_rolled_without_the_operator_s_word() -> None:
    fake = site("2-1", "1-1")

    with pytest.raises(ConfirmationNeeded, match="now   2-1  ami-2"):
        rolled_back(fake, confirm=_refuse)

    assert len(fake.releases) == 2


def _refuse(what: str) -> None:
    raise ConfirmationNeeded(what)

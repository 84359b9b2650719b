"""Which release a rollback rolls to, by which image, and what it asks before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from bakeroll import pipeline
from bakeroll.errors import BakeError, BakerollError, ConfirmationNeeded, RollFailed, SourceError
from bakeroll.release_request import ReleaseRequest
from bakeroll.roll.simulate.model import world
from tests.pipeline.model_site import BEGAN, ModelSite, model_site
from tests.pipeline.shelf import Ami
from tests.roll.scene import GOOD


def site(*versions: str, gone: Sequence[str] = (), is_there: bool = True) -> ModelSite:
    """Releases of these versions, the newest first, each by an image of its own."""
    made = model_site(world(2, GOOD), amis=())
    for index, version in enumerate(versions):
        image = f"ami-{len(versions) - index}"
        made.release(version, image, BEGAN - timedelta(hours=index))
        if image not in gone:
            made.bake(Ami(image, version))
    if not is_there:
        made.fleet.squads.clear()
    return made


def rolled_back(site: ModelSite, **asked: Any) -> dict[str, Any] | None:
    return pipeline.rollback(site, ReleaseRequest(**asked))


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
    back = site("2-1", "1-1")
    back.bake(Ami("ami-newer", "1-1"))

    outcome = rolled_back(back)

    assert outcome is not None
    assert (outcome["release"]["image"], outcome["before"]) == ("ami-1", "2-1")


def test_what_is_told_at_the_end_serves_since_it_was_written_as_serving() -> None:
    back = site("2-1", "1-1")

    outcome = rolled_back(back)

    assert outcome is not None
    assert outcome["release"]["at"] == back.roller.history()[0].released_at.isoformat(timespec="seconds")
    assert back.fleet.now() - datetime.fromisoformat(outcome["release"]["at"]) < timedelta(seconds=3)


def test_where_that_image_is_gone_another_of_its_version_serves() -> None:
    back = site("2-1", "1-1", gone=["ami-1"])
    back.bake(Ami("ami-again", "1-1"))

    outcome = rolled_back(back)

    assert outcome is not None
    assert outcome["release"]["image"] == "ami-again"


def test_an_image_of_its_version_that_was_baked_for_another_environment_does_not_serve() -> None:
    back = site("2-1", "1-1", gone=["ami-1"])
    back.bake(Ami("ami-of-prod", "1-1", environment="prod"))

    with pytest.raises(BakeError, match="The image of 1-1, ami-1, is gone"):
        rolled_back(back)


@pytest.mark.parametrize(
    ("back", "to", "error", "said"),
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
    back: ModelSite, to: str, error: type[BakerollError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        rolled_back(back, version=to)

    assert caught.value.next_step


def test_a_dry_run_tells_what_it_would_do_asks_nothing_and_rolls_nothing() -> None:
    back = site("2-1", "1-1")

    assert rolled_back(back, is_dry=True, confirm=_refuse) is None

    assert [each.text for each in back.events][-1] == (
        "would replace in links-dev 2 × ami-old by 2 × ami-1, surge 2, floor 2"
    )
    assert len(back.roller.history()) == 2


def test_nothing_is_rolled_without_the_operator_s_word() -> None:
    back = site("2-1", "1-1")

    with pytest.raises(ConfirmationNeeded, match="now   2-1  ami-2"):
        rolled_back(back, confirm=_refuse)

    assert len(back.roller.history()) == 2


def _refuse(what: str) -> None:
    raise ConfirmationNeeded(what)

"""Which group a site looks at, over the cloud in memory."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from bakeroll import settings
from bakeroll.aws.balancers import Balancers
from bakeroll.aws.session import Clients
from bakeroll.document import Document
from bakeroll.fleet import ROLL_TAG
from bakeroll.roll.foresee import plan
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.wiring import Site
from tests.roll.scene import GOOD, POLICY, goal, rolled

ROOT = Path(__file__).parents[2]
BLUE_GREEN = POLICY.model_copy(update={"strategy": "blue-green", "soak": 600})


@pytest.fixture
def soaking() -> World:
    """links-dev-green serves; links-dev stands by, frozen, and is in other target groups by now."""
    fleet = world(2, GOOD)
    rolled(fleet, policy=BLUE_GREEN)
    frozen = fleet.squads["links-dev"]
    frozen.group = replace(frozen.group, target_groups=("tg-a",))
    return fleet


@pytest.fixture
def site(soaking: World, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def url(target_groups: Sequence[str], _: Sequence[str]) -> str:
        return f"http://{','.join(target_groups)}"

    site = Site(settings.load(ROOT, "dev"), lambda _: None, operator="me@laptop")
    site.ports = ports(soaking)
    site.aws = Clients("eu-west-1")  # none of which is asked
    site._balancers = mocker.create_autospec(Balancers, instance=True)
    site._balancers.url.side_effect = url
    return site


def group_planned(site: Site, mocker: MockerFixture) -> str:
    """The one whose surroundings the plan looks at."""
    planned: Any = mocker.patch.object(plan, "plan", autospec=True)
    site.plan(goal().release)
    group: str = planned.call_args.args[3].group
    return group


def test_while_the_old_group_soaks_the_url_is_that_of_the_one_which_serves(site: Site) -> None:
    assert site.url() == "http://tg-a,tg-b"


def test_while_the_old_group_soaks_a_plan_looks_at_the_one_which_serves(site: Site, mocker: MockerFixture) -> None:
    assert group_planned(site, mocker) == "links-dev-green"


def test_while_the_old_group_soaks_a_stray_is_deregistered_from_where_the_fleet_serves(
    site: Site, soaking: World
) -> None:
    stray = soaking.start("ami-new", "a", {ROLL_TAG: "a1b2"})
    soaking.register("tg-b", stray)

    site.take_away([stray])

    assert soaking.targets["tg-b"][stray].drains is not None


def test_where_the_record_cannot_be_read_the_url_is_told_all_the_same(site: Site, soaking: World) -> None:
    key = ("fleet#links-dev", "roll")
    soaking.table[key] = Document("?", "another")

    assert site.url().startswith("http://tg-a")


def test_a_site_has_a_fleet_while_there_is_a_group_that_stays(site: Site, soaking: World) -> None:
    assert site.has_fleet()

    for squad in soaking.squads.values():
        squad.group = replace(squad.group, is_deleting=True)

    assert not site.has_fleet()

"""What a Roller joins, over the cloud in memory: which group it looks at, and what it gives to the rooms."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bakeroll.document import Document
from bakeroll.errors import LeaseHeld
from bakeroll.fleet import ROLL_TAG
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import this_process
from bakeroll.roll.store import lease
from bakeroll.roll.store.lease import Lease
from bakeroll.settings import Canary, Check, Refresh
from tests.roll.fake_preflight import QUICK, FakePreflight
from tests.roll.scene import FLEET, GOOD, POLICY, goal, rolled, roller

BLUE_GREEN = POLICY.model_copy(update={"strategy": "blue-green", "soak": 600})
NEW = goal().release


@pytest.fixture
def soaking() -> World:
    """links-dev-green serves; links-dev stands by, frozen, and is in other target groups by now."""
    fleet = world(2, GOOD)
    rolled(fleet, policy=BLUE_GREEN)
    frozen = fleet.squads["links-dev"]
    frozen.group = replace(frozen.group, target_groups=("tg-b",))
    return fleet


def silent(_: object) -> None:
    pass


def test_while_the_old_group_soaks_the_url_is_that_of_the_one_which_serves(soaking: World) -> None:
    assert roller(soaking).url() == "http://a"


def test_where_the_record_cannot_be_read_the_url_is_told_all_the_same(soaking: World) -> None:
    soaking.table["fleet#links-dev", "roll"] = Document("?", "another")

    assert roller(soaking).url() == "http://b"


def test_a_target_group_that_the_settings_name_tells_the_url_where_the_group_has_none() -> None:
    fleet = world(2, GOOD)
    fleet.group = replace(fleet.group, target_groups=())

    alone = roller(fleet)

    assert alone.url() == ""
    assert replace(alone, fleet=replace(FLEET, target_groups=("tg-b",))).url() == "http://b"


def test_a_plan_looks_at_the_group_which_serves_at_the_image_and_at_the_alarms_of_the_policy(soaking: World) -> None:
    looks: list[tuple[str, str, Sequence[str]]] = []

    def preflight(group: str, image: str, alarms: Sequence[str]) -> FakePreflight:
        looks.append((group, image, alarms))
        return FakePreflight(QUICK)

    canary, refresh = Canary(checks=(Check(alarm="links-5xx"), Check(http="/"))), Refresh(alarms=("links-cpu",))
    policy = POLICY.model_copy(update={"canary": canary, "refresh": refresh})
    replace(roller(soaking, policy), preflight=preflight).plan(NEW)

    assert looks == [("links-dev-green", "ami-new", ["links-5xx", "links-cpu"])]


def test_while_the_old_group_soaks_a_stray_is_deregistered_from_where_the_fleet_serves(soaking: World) -> None:
    stray = soaking.start("ami-new", "a", {ROLL_TAG: "a1b2"})
    soaking.register("tg-a", stray)

    roller(soaking).take_away([stray])

    assert soaking.targets["tg-a"][stray].drains is not None


def test_a_fleet_is_there_while_there_is_a_group_that_stays(soaking: World) -> None:
    assert roller(soaking).has_fleet()

    for squad in soaking.squads.values():
        squad.group = replace(squad.group, is_deleting=True)

    assert not roller(soaking).has_fleet()


def test_a_roll_and_the_doctor_beat_beside_their_work() -> None:
    held: list[str] = []

    @contextmanager
    def beating(_: Lease) -> Iterator[None]:
        there = lease.read_holding(ports(fleet).table, "links-dev")
        held.append(there.reason if there and there.is_held else "")
        yield

    fleet = world(2, GOOD)
    beats = roller(fleet, beating=beating)

    beats.roll(NEW, silent)
    beats.take_away([])

    assert held == ["roll 2.0-1", "doctor"]


def test_who_is_refused_because_another_rolls_is_told_how_to_wait_and_to_watch() -> None:
    fleet = world(2, GOOD)
    lease.take(ports(fleet).table, "links-dev", this_process("ops@desk"), "deploy", fleet)

    with pytest.raises(LeaseHeld) as caught:
        roller(fleet).roll(NEW, silent)

    assert caught.value.next_step == "Wait for it: --wait      Watch it: fab status --env=dev --follow"


def test_a_preview_of_a_fleet_that_is_made_for_it_says_so_until_it_is_there() -> None:
    fleet = world(2, GOOD)
    made = replace(roller(fleet), fleet=replace(FLEET, size_if_new=2))

    there = made.preview(NEW)
    fleet.squads.clear()

    assert there == "replace in links-dev 2 × ami-old by 2 × ami-new, surge 2, floor 2"
    assert made.preview(NEW) == "create the fleet links-dev and launch 2 × ami-new"


def test_after_a_roll_the_history_holds_it_and_it_is_told_until_when_the_old_ones_stand_by() -> None:
    rolls = roller(world(2, GOOD), POLICY.model_copy(update={"soak": 600}))

    outcome = rolls.roll(NEW, silent)

    assert (outcome.is_new, [each.version for each in rolls.history()]) == (True, ["2.0-1"])
    assert (rolls.stands_by_until() or "").startswith("2026-01-01T12:10:")
    assert rolls.status().in_service == 2

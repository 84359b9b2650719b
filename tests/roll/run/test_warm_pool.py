"""Rolls of a group with a warm pool."""

from dataclasses import replace

import pytest

from bakeroll.errors import RolledBack, RollFailed
from bakeroll.roll.engine.decide import serves
from bakeroll.roll.foresee.steps import steps_of
from bakeroll.roll.operate.doctor import examine
from bakeroll.roll.run.new_record import new_record
from bakeroll.roll.run.perform import perform
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.actions import Cool
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.store import timing
from bakeroll.roll.store.timing import Timing
from bakeroll.roll.world.observe import observe
from tests.roll.cut import Cut
from tests.roll.scene import GOOD, POLICY, SICK, goal, planned, rolled
from tests.roll.watch import Watch

STRATEGIES = ("surge", "rolling", "canary", "refresh")


def warmed(size: int = 2, images: object = GOOD) -> World:
    fleet = world(2, images)  # type: ignore[arg-type]
    fleet.group = replace(fleet.group, has_warm_pool=True)
    fleet.squad.pool = size
    fleet.sleep(5)
    return fleet


def warm_images(fleet: World) -> list[str]:
    return [fleet.machines[each].instance.image for each in fleet.squad.warm]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_pool_holds_the_release_when_the_roll_is_over(strategy: str) -> None:
    fleet = warmed()

    rolled(fleet, policy=POLICY.model_copy(update={"strategy": strategy}))

    fleet.sleep(10)
    assert warm_images(fleet) == ["ami-new"] * 2
    Watch.of(fleet).ended("ami-new", 2)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_roll_that_is_taken_back_leaves_the_old_release_in_the_pool(strategy: str) -> None:
    fleet = warmed(images=SICK)

    with pytest.raises(RolledBack):
        rolled(fleet, policy=POLICY.model_copy(update={"strategy": strategy}))

    fleet.sleep(10)
    assert warm_images(fleet) == ["ami-old"] * 2


def test_rolling_takes_no_instance_of_the_old_release_out_of_the_pool() -> None:
    fleet = warmed()
    old = {each: fleet.machines[each].launched for each in fleet.squad.warm}

    rolled(fleet, policy=POLICY.model_copy(update={"strategy": "rolling", "max_surge": 1}))

    assert {fleet.machines[each].instance.state for each in old} == {"terminated"}
    assert {each: fleet.machines[each].launched for each in old} == old  # none of them booted again


def test_one_that_the_group_took_meanwhile_is_not_terminated() -> None:
    fleet = warmed()
    taken, other = fleet.squad.warm
    record = new_record(goal(), observe("links-dev", ports(fleet)), POLICY, ("roller", ""), {}, fleet)
    fleet.lifecycles[taken] = "Pending"
    del fleet.squad.warm[taken]

    perform(Cool((taken, other)), record, POLICY, ports(fleet))

    assert fleet.machines[taken].ends is None
    assert fleet.machines[other].ends is not None


def test_a_fleet_whose_pool_is_of_another_release_does_not_serve_it_yet() -> None:
    fleet = warmed()
    rolled(fleet)
    fleet.sleep(10)
    assert serves(observe("links-dev", ports(fleet)), goal())
    fleet.squad.warm = dict.fromkeys(fleet.squad.warm, "1")

    outcome = rolled(fleet)

    assert outcome.is_new
    assert set(fleet.squad.warm.values()) == {"2"}


def test_a_group_without_a_pool_is_not_asked_for_one() -> None:
    fleet, cut = world(2, GOOD), Cut()

    rolled(fleet, through=cut.ports(ports(fleet)))

    assert "warm" not in cut.calls


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_roll_that_follows_does_what_the_plan_said(strategy: str) -> None:
    fleet, deeds, policy = warmed(), list[Deed](), POLICY.model_copy(update={"strategy": strategy})
    timing.write(ports(fleet).table, "links-dev", Timing("2025", "surge", 99, 9, boot_seconds=3))
    said = planned(fleet, policy)

    rolled(fleet, policy=policy, witness=deeds.append)

    assert said.steps == tuple(steps_of(deeds))
    assert said.warm == 2
    assert ("terminate 2 instances" in said.steps) is (strategy != "refresh")  # which AWS does


def test_what_is_in_the_pool_is_nothing_that_a_roll_left() -> None:
    fleet = warmed()

    found = examine("links-dev", "links", "dev", ports(fleet), fleet.now())

    assert found.ailments == ()
    assert not set(fleet.squad.warm) & {each.id for each in found.fleet.instances}


def test_a_second_group_would_have_no_pool() -> None:
    with pytest.raises(RollFailed, match="has a warm pool, and its second group would have none"):
        rolled(warmed(), policy=POLICY.model_copy(update={"strategy": "blue-green"}))

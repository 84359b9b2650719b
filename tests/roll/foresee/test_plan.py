"""The roll that follows does what the plan said."""

from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace

import pytest

from bakeroll.errors import RollFailed
from bakeroll.roll.foresee.rehearsal import CALL_SECONDS
from bakeroll.roll.foresee.steps import steps_of
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour, Squad
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.store import timing
from bakeroll.roll.store.timing import Timing
from tests.roll.cut import Cut, Killed
from tests.roll.fake_preflight import QUICK
from tests.roll.scene import GOOD, POLICY, goal, planned, rolled
from tests.roll.strategies import STRATEGIES, policy


def refresh_cut_off(percent: int) -> World:
    """A refresh to the release, under way when the process died that began it, and for a while yet."""
    fleet = world(3, GOOD | {"ami-new": Behaviour("2.0-1", boots=10)})
    dead = Cut(watch=lambda: setattr(dead, "is_dead", any(each.state.percent >= percent for each in fleet.refreshes)))
    with pytest.raises(Killed):
        rolled(fleet, policy=policy("refresh"), through=dead.ports(ports(fleet)))
    return fleet


SCENES = {
    **{f"{strategy}, {n} to {n}": (n, policy(strategy)) for strategy in STRATEGIES for n in (0, 1, 3)},
    "in batches": (4, POLICY.model_copy(update={"max_surge": 1})),
    "rolling in batches": (4, policy("rolling", max_surge=1)),
    "rolling without a surge": (4, policy("rolling", max_surge=0, max_unavailable=1)),
    "with a soak": (2, policy("surge", soak=60)),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_roll_that_follows_does_what_the_plan_said(scene: str) -> None:
    desired, how = SCENES[scene]
    fleet, deeds = world(desired, GOOD, minimum=0), list[Deed]()
    timing.write(ports(fleet).table, "links-dev", Timing("2025", "surge", 99, 9, boot_seconds=3))
    before = replace(fleet.group)
    said = planned(fleet, how)
    assert fleet.group == before

    rolled(fleet, policy=how, witness=deeds.append)

    assert said.steps == tuple(steps_of(deeds))
    assert (said.why, said.is_needed) == ("", True)


def test_a_plan_changes_nothing_and_writes_nothing() -> None:
    fleet = world(2, GOOD)
    fleet.latency = 0
    before = deepcopy(fleet)

    said = planned(fleet, POLICY)

    fleet.descriptions.clear()  # how the group described itself is no change
    assert said.steps
    assert fleet == before


def test_a_plan_counts_the_most_instances_and_their_hours_and_calls() -> None:
    said = planned(world(4, GOOD), POLICY)

    assert (said.old, said.desired, said.surge, said.floor, said.peak) == ({"ami-old": 4}, 4, 4, 4, 8)
    assert said.last_seconds is None
    assert 10 < said.seconds < 30
    assert said.extra_hours == pytest.approx(4 * said.seconds / 3600, rel=0.3)
    assert 20 < said.calls < 400


def test_a_plan_tells_the_time_by_the_last_roll() -> None:
    fleet = world(2, GOOD)
    fleet.latency = CALL_SECONDS
    rolled(fleet)
    fleet.sleep(30)

    said = planned(fleet, POLICY, goal("ami-next", "3.0-1"))

    assert said.last_seconds
    assert said.seconds == said.last_seconds


def test_a_fleet_that_serves_the_release_needs_no_roll() -> None:
    fleet = world(2, GOOD)
    rolled(fleet)
    fleet.sleep(30)

    said = planned(fleet, POLICY)

    assert (said.is_needed, said.steps) == (False, ())


def test_a_roll_that_was_cut_off_is_planned_from_where_it_stands() -> None:
    fleet, deeds = world(2, GOOD), list[Deed]()
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(60).ports(ports(fleet)))

    said = planned(fleet, POLICY)
    rolled(fleet, witness=deeds.append, owner="me@laptop")

    assert said.steps == tuple(steps_of(deeds))


@pytest.mark.parametrize("percent", [0, 34, 67])
def test_a_refresh_that_was_cut_off_is_planned_from_where_it_stands(percent: int) -> None:
    fleet, deeds = refresh_cut_off(percent), list[Deed]()

    said = planned(fleet, policy("refresh"))
    rolled(fleet, policy=policy("refresh"), witness=deeds.append, owner="me@laptop")

    assert (said.why, said.steps) == ("", tuple(steps_of(deeds)))


def test_a_plan_tells_that_a_refresh_is_stopped_for_another_release() -> None:
    fleet, deeds, to = refresh_cut_off(34), list[Deed](), goal("ami-next", "3.0-1")

    said = planned(fleet, policy("refresh"), to)
    rolled(fleet, to, policy=policy("refresh"), witness=deeds.append, owner="me@laptop")

    assert said.steps[0] == "cancel AWS's instance refresh of links-dev"
    assert (said.why, said.steps) == ("", tuple(steps_of(deeds)))


def test_the_refresh_of_the_roll_itself_does_not_stand_against_it() -> None:
    fleet, facts = refresh_cut_off(34), replace(QUICK, refresh="InProgress")

    said = planned(fleet, policy("refresh"), facts=facts)
    of_another = planned(world(3, GOOD), policy("refresh"), facts=facts)

    assert [each.text for each in said.findings if each.level == "failure"] == []
    assert [each.text for each in of_another.findings if each.level == "failure"] == [
        "an instance refresh is in progress: InProgress"
    ]


@pytest.mark.parametrize("status", ["Cancelling", "Cancelled", "RollbackInProgress"])
def test_a_refresh_that_somebody_stopped_is_planned_to_be_taken_back(status: str) -> None:
    fleet = refresh_cut_off(34)
    fleet.refreshes[0].state = replace(fleet.refreshes[0].state, status=status)
    fleet.group = replace(fleet.group, suspended=fleet.group.suspended | {"InstanceRefresh"})  # it stays so

    said = planned(fleet, policy("refresh"))

    assert "the instance refresh refresh-0 of links-dev ended as" in said.why


def test_a_member_that_leaves_while_the_plan_looks_is_planned_as_it_was_seen() -> None:
    fleet = world(3, GOOD)

    def leave() -> None:
        if "describe" in cut.calls[:-1]:
            fleet.lifecycles.pop("i-0002", None)

    cut = Cut(watch=leave)

    said = planned(fleet, POLICY, through=cut.ports(ports(fleet)))

    assert said.why == ""
    assert cut.calls.count("describe") == 1


def test_a_second_group_that_no_roll_looks_at_is_left_out_of_the_plan() -> None:
    fleet = world(2, GOOD)
    alone = planned(fleet, POLICY)
    fleet.squads["links-dev-green"] = Squad(replace(fleet.group, name="links-dev-green", desired=1))
    fleet.sleep(10)

    said = planned(fleet, POLICY)

    assert (said.peak, said.steps) == (alone.peak, alone.steps)


@pytest.mark.parametrize("is_cut_off", [True, False])
def test_a_plan_tells_that_the_address_of_one_that_ended_is_deregistered(is_cut_off: bool) -> None:
    fleet, deeds, to = world(2, GOOD), list[Deed](), replace(goal("ami-next", "3.0-1"), target_groups=("tg-b",))
    first, second = fleet.target_groups
    fleet.target_groups = (first, replace(second, type="ip"))
    fleet.group = replace(fleet.group, target_groups=(first.arn,))
    with pytest.raises(Killed) if is_cut_off else nullcontext():
        rolled(fleet, replace(to, release=goal().release), through=Cut(60 if is_cut_off else None).ports(ports(fleet)))
    fleet.sleep(30)
    fleet.set_state(min(fleet.lifecycles), "terminated")
    fleet.sleep(10)

    said = planned(fleet, POLICY, to)
    rolled(fleet, to, witness=deeds.append)

    assert "deregister 1 instance from b" in said.steps
    assert said.steps == tuple(steps_of(deeds))


def test_what_a_roll_would_refuse_a_plan_refuses() -> None:
    fleet = world(2, GOOD)
    fleet.group = replace(fleet.group, hold="until Friday")

    with pytest.raises(RollFailed, match="until Friday"):
        planned(fleet, POLICY)

"""Each strategy, whole, over the cloud in memory."""

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from bakeroll.errors import RolledBack
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.state.record import Goal
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, SICK, first_release, goal, rolled
from tests.roll.strategies import STRATEGIES, policy
from tests.roll.watch import Watch, in_service


def watched(world: World) -> tuple[Watch, Cut]:
    watch = Watch.of(world)
    return watch, Cut(watch=watch)


@pytest.mark.parametrize("desired", [0, 1, 2, 4])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_replaces_a_fleet_whole(strategy: str, desired: int) -> None:
    fleet = world(desired, GOOD, minimum=0)
    watch, cut = watched(fleet)
    watch.is_strict = strategy != "refresh"  # what AWS does itself, model.py does as AWS: one less for a while

    rolled(fleet, policy=policy(strategy), through=cut.ports(ports(fleet)))

    watch.ended("ami-new", desired)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_takes_a_sick_release_away_again(strategy: str) -> None:
    fleet = world(4, SICK)
    watch, cut = watched(fleet)
    watch.is_strict = strategy != "refresh"

    with pytest.raises(RolledBack):
        rolled(fleet, policy=policy(strategy), through=cut.ports(ports(fleet)))

    watch.ended("ami-old", 4)
    assert fleet.group.template_version == "1"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_makes_the_first_release(strategy: str) -> None:
    fleet = first_release()
    watch, cut = watched(fleet)

    rolled(fleet, policy=policy(strategy), through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (2, 0), (0, 1), (1, 1)])
def test_rolling_never_exceeds_desired_capacity_and_surge_nor_falls_below_the_floor(
    surge: int, unavailable: int
) -> None:
    fleet = world(4, GOOD)
    watch, cut = watched(fleet)
    watch.is_strict = False
    sizes, serving = [], []

    def look() -> None:
        sizes.append(fleet.group.desired)
        serving.append(len(in_service(fleet)))

    cut.watch = look
    how = policy("rolling", max_surge=surge, max_unavailable=unavailable)
    rolled(fleet, policy=how, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 4)
    assert max(sizes) == 4 + surge
    assert min(serving) >= 4 - unavailable


def test_canaries_come_within_the_surge_and_are_watched_before_the_group_is_set_to_the_release() -> None:
    few = policy("canary").model_copy(
        update={"max_surge": 1, "canary": POLICY.canary.model_copy(update={"size": 3, "watch": 3})}
    )
    deeds: list[Deed] = []

    rolled(world(4, GOOD, maximum=16), policy=few, witness=deeds.append)

    [commit] = [each for each in deeds if isinstance(each.action, act.SetTemplate)]
    assert commit.record.is_watched


def test_a_second_group_that_does_not_come_to_serve_never_takes_over() -> None:
    fleet = world(2, SICK, maximum=8)

    with pytest.raises(RolledBack):
        rolled(fleet, policy=policy("blue-green"))

    assert fleet.hand_overs == []


def test_after_blue_green_the_group_has_no_tag_of_the_roll_for_what_comes_later() -> None:
    fleet = world(2, GOOD)
    before = fleet.group.tags
    lines: list[str] = []

    rolled(fleet, policy=policy("blue-green"), lines=lines)

    assert "links-dev-green takes over from links-dev" in lines
    added = fleet.group.tags.keys() - before.keys()
    assert added == {"Name", "bakeroll:application", "bakeroll:environment"}
    assert fleet.group.tags["Name"] == "links-dev"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("desired", "zones"), [(4, "aabc"), (4, "aabb"), (5, "aabbc"), (6, "aabbcc")])
@pytest.mark.parametrize("surge", [1, 2])
def test_a_fleet_is_spread_over_its_zones_when_it_is_rolled(
    strategy: str, desired: int, zones: str, surge: int
) -> None:
    """Else AZRebalance, resumed at the end, would terminate some of them at once."""
    fleet = world(desired, GOOD)
    fleet.squad.group = replace(fleet.group, subnets=tuple(f"subnet-{each}" for each in sorted(set(zones))))
    for machine, zone in zip(fleet.machines.values(), zones, strict=True):
        machine.instance = replace(machine.instance, zone=zone)

    rolled(fleet, policy=policy(strategy, max_surge=surge))

    spread = Counter(fleet.machines[each].instance.zone for each in fleet.squad.members)
    assert max(spread.values()) - min(spread[each] for each in set(zones)) <= 1, spread


@dataclass
class Serving:
    """At every moment two serve at least, and none ends that serves: it is deregistered before."""

    fleet: World
    served: set[str] = field(default_factory=set)

    def __call__(self) -> None:
        alive = {each for each, it in self.fleet.machines.items() if it.instance.state == "running"}
        assert self.served <= alive, f"{self.served - alive} ended while they served"
        self.served = in_service(self.fleet)
        assert len(self.served) >= 2


def soaking(strategy: str, fleet: World) -> None:
    rolled(fleet, policy=policy(strategy, soak=600))


@pytest.mark.parametrize("to", [goal("ami-old", "1.0-1"), goal("ami-next", "3.0-1")], ids=["back", "on"])
@pytest.mark.parametrize("then", STRATEGIES)
@pytest.mark.parametrize("strategy", STRATEGIES[:-1])
def test_within_the_soak_any_strategy_goes_back_or_on(strategy: str, then: str, to: Goal) -> None:
    fleet = world(4, GOOD)
    rolled(fleet, goal("ami-next", "3.0-1"), policy=policy("rolling"))
    rolled(fleet, goal("ami-old", "1.0-1"), policy=policy("rolling"))
    soaking(strategy, fleet)
    watch = Watch.of(fleet)
    watch.is_strict, watch.kept = False, frozenset(fleet.versions)
    cut = Cut(watch=Serving(fleet) if then != "refresh" else watch)  # what AWS does itself is not ours

    rolled(fleet, to, policy=policy(then), through=cut.ports(ports(fleet)))

    watch.ended(to.release.image, 4)


def test_what_stands_by_in_the_old_group_is_not_brought_into_service_by_a_blue_green_roll() -> None:
    fleet = world(2, GOOD)
    soaking("surge", fleet)

    rolled(fleet, goal("ami-old", "1.0-1"), policy=policy("blue-green", soak=600))

    assert len(in_service(fleet)) == 2


def test_what_a_dead_blue_green_roll_had_serve_drains_before_its_group_is_deleted_for_another_release() -> None:
    fleet = world(2, GOOD)
    dead = Cut(watch=lambda: setattr(dead, "is_dead", len(in_service(fleet)) == 4))
    with pytest.raises(Killed):
        rolled(fleet, policy=policy("blue-green"), through=dead.ports(ports(fleet)))
    watch = Watch.of(fleet)
    watch.is_strict, watch.kept = False, frozenset(fleet.versions)

    to = goal("ami-next", "3.0-1")
    rolled(fleet, to, policy=policy("blue-green"), through=Cut(watch=Serving(fleet)).ports(ports(fleet)), owner="me")

    watch.ended("ami-next", 2)


def test_canaries_are_watched_for_all_their_time() -> None:
    patient = policy("canary").model_copy(update={"canary": POLICY.canary.model_copy(update={"watch": 40})})

    assert rolled(world(4, GOOD, maximum=16), policy=patient).seconds > 40


def test_within_the_soak_old_instances_stand_by_and_do_not_end() -> None:
    fleet = world(2, GOOD, maximum=8)

    rolled(fleet, policy=POLICY.model_copy(update={"soak": 600}))

    assert [fleet.lifecycles[each] for each in ("i-0000", "i-0001")] == ["Standby", "Standby"]

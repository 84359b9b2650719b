"""Canaries: a few first, what they must stand, and what becomes of those that do not."""

import pytest

from bakeroll.errors import RolledBack
from bakeroll.roll.engine.canary import compared
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.settings import Canary, Check, Metric, Policy
from tests.roll.cut import Cut
from tests.roll.scene import GOOD, POLICY, rolled
from tests.roll.watch import Watch

ERRORS = Metric(namespace="Links", name="Errors")
CALM, WORSE = [0.0, 1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 0.0], [5.0, 7.0, 6.0, 9.0, 8.0, 6.0, 7.0, 9.0]


def policy(*checks: Check, size: int | str = 1, watch: float = 20) -> Policy:
    canary = Canary(size=size, watch=watch, interval=2, checks=checks)
    return POLICY.model_copy(update={"strategy": "canary", "canary": canary})


def newest(fleet: World) -> set[str]:
    return {each for each, machine in fleet.machines.items() if machine.instance.image == "ami-new"}


@pytest.mark.parametrize(("size", "number"), [(1, 1), (2, 2), ("50%", 2), ("10%", 1)])
def test_so_many_come_first_and_no_old_one_goes_while_they_are_watched(size: int | str, number: int) -> None:
    fleet = world(4, GOOD)
    watch = Watch.of(fleet)
    seen: list[tuple[float, int, int]] = []

    def look() -> None:
        watch()
        old = sum(1 for each in fleet.members if each not in newest(fleet))
        seen.append((fleet.time, len(newest(fleet)), old))

    rolled(fleet, policy=policy(size=size), through=Cut(watch=look).ports(ports(fleet)))

    watch.ended("ami-new", 4)
    watched = [at for at, new, old in seen if new == number and old == 4]
    assert watched[-1] - watched[0] >= 20
    assert all((new, old) == (number, 4) for at, new, old in seen if watched[0] < at < watched[-1])


FAILING: dict[str, tuple[Check, str]] = {
    "an alarm": (Check(alarm="links-5xx"), "the alarm links-5xx is in ALARM"),
    "an alarm that there is not": (Check(alarm="links-4xx"), "the alarm links-4xx does not exist"),
    "an answer": (Check(http="/smoke"), "/smoke of i-0004: 503 Service Unavailable"),
    "a command": (Check(command=("./smoke", "--all")), "./smoke for i-0004: 503 Service Unavailable"),
    "a metric": (Check(metric=ERRORS), "Links Errors is worse than on the old instances"),
    "a metric with too few values": (
        Check(metric=Metric(namespace="L", name="E")),
        "L E has 0 new and 0 old values: too few",
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_canary_that_does_not_stand_its_check_is_taken_away_and_nothing_follows(case: str) -> None:
    check, says = FAILING[case]
    fleet = world(4, GOOD)
    fleet.alarms = {"links-5xx": "OK"}
    fleet.values = {} if case.endswith("few values") else {"ami-new": WORSE, "ami-old": CALM}
    watch = Watch.of(fleet)

    def look() -> None:
        watch()
        if newest(fleet) and fleet.time > 20:
            fleet.alarms = {"links-5xx": "ALARM"}
            fleet.probed = lambda identifier: "503 Service Unavailable" if identifier in newest(fleet) else ""

    with pytest.raises(RolledBack, match="the canary i-0004") as error:
        rolled(fleet, policy=policy(check), through=Cut(watch=look).ports(ports(fleet)))

    assert says in error.value.what
    assert len(newest(fleet)) == 1
    watch.ended("ami-old", 4)


def test_canaries_that_stand_all_checks_are_followed_by_the_rest() -> None:
    fleet = world(4, GOOD)
    fleet.alarms = {"links-5xx": "INSUFFICIENT_DATA"}
    fleet.values = {"ami-new": CALM, "ami-old": CALM}
    watch = Watch.of(fleet)
    checks = (Check(alarm="links-5xx"), Check(http="/smoke"), Check(command=("true",)), Check(metric=ERRORS))

    rolled(fleet, policy=policy(*checks), through=Cut(watch=watch).ports(ports(fleet)))

    watch.ended("ami-new", 4)


def test_a_canary_that_leaves_service_while_it_is_watched_is_watched_anew() -> None:
    fleet = world(2, GOOD)
    watch = Watch.of(fleet)
    flapped: list[float] = []
    ends: list[float] = []

    def look() -> None:
        watch()
        if len(newest(fleet)) == 2 and not ends:
            ends.append(fleet.time)
        if newest(fleet) and fleet.time > 22 and not flapped:
            flapped.append(fleet.time)
            for targets in fleet.targets.values():
                for each in newest(fleet) & set(targets):
                    targets[each].since = fleet.time

    rolled(fleet, policy=policy(), through=Cut(watch=look).ports(ports(fleet)))

    watch.ended("ami-new", 2)
    assert ends[0] - flapped[0] >= 20


@pytest.mark.parametrize(
    ("new", "old", "worse", "is_worse"),
    [
        pytest.param(WORSE, CALM, "higher", True, id="more errors"),
        pytest.param(CALM, CALM, "higher", False, id="alike"),
        pytest.param(CALM, WORSE, "higher", False, id="better"),
        pytest.param(CALM, WORSE, "lower", True, id="less, where less is worse"),
        pytest.param([1.0] * 9, [1.0] * 9, "higher", False, id="all the same"),
    ],
)
def test_new_instances_are_compared_with_old_ones_by_rank(
    new: list[float], old: list[float], worse: str, is_worse: bool
) -> None:
    metric = Metric.model_validate({"namespace": "Links", "name": "Errors", "worse": worse})

    found = list(compared(metric, {"i-new": new, "i-old": old}, ["i-new"], ["i-old"]))

    assert bool(found) is is_worse

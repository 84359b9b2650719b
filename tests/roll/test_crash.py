"""A roll that is killed, interrupted or refused at any of its calls, and then run again, ends right.

The observer looks at the world before and after every call of both processes.
"""

import contextlib
import os
from collections.abc import Callable

import pytest

from bakeroll.errors import CloudError, RolledBack
from bakeroll.roll.model import World, ports, world
from bakeroll.settings import Policy
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, SICK, first_release, goal, rolled
from tests.roll.watch import Watch

BATCHES = POLICY.model_copy(update={"max_surge": 1})
SCENES: dict[str, tuple[Callable[[], World], Policy]] = {
    "all at once": (lambda: world(2, GOOD), POLICY),
    "in batches": (lambda: world(2, GOOD), BATCHES),
    "with no room": (lambda: world(2, GOOD, maximum=2), POLICY),
    "first release": (lambda: first_release(), POLICY),
    "some missing": (lambda: world(3, {"ami-new": GOOD["ami-new"]}, serving=1), POLICY),
}


def calls_of(make: Callable[[], World], policy: Policy) -> int:
    cut, fleet = Cut(), make()
    with contextlib.suppress(RolledBack):
        rolled(fleet, policy=policy, through=cut.ports(ports(fleet)))
    return len(cut.calls)


def cuts(calls: int) -> range:
    """Where to cut. Every call takes minutes (BAKEROLL_EVERY_CALL=1); an eleventh of them finds most."""
    return range(1, calls + 1) if os.environ.get("BAKEROLL_EVERY_CALL") else range(calls % 11 + 1, calls + 1, 11)


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scene", SCENES)
def test_a_roll_killed_at_any_call_goes_on_when_run_again(scene: str, has_effect: bool) -> None:
    make, policy = SCENES[scene]
    for at in cuts(calls_of(make, policy)):
        fleet = make()
        watch = Watch.of(fleet)
        first = Cut(at, has_effect, watch=watch)
        with pytest.raises(Killed):
            rolled(fleet, policy=policy, through=first.ports(ports(fleet)))

        rolled(fleet, policy=policy, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

        explained(at, first, lambda fleet=fleet, watch=watch: watch.ended("ami-new", fleet.group.desired))  # type: ignore[misc]


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scene", ["all at once", "in batches"])
def test_a_roll_killed_at_any_call_can_be_followed_by_a_roll_to_something_else(scene: str, has_effect: bool) -> None:
    make, policy = SCENES[scene]
    for at in cuts(calls_of(make, policy)):
        fleet = make()
        watch = Watch.of(fleet)
        first = Cut(at, has_effect, watch=watch)
        with pytest.raises(Killed):
            rolled(fleet, policy=policy, through=first.ports(ports(fleet)))
        watch.kept |= {fleet.group.template_version}
        watch.is_strict = False  # "old" is then all that is not of the last goal

        to = goal("ami-next", "3.0-1")
        rolled(fleet, to, policy, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

        explained(at, first, lambda fleet=fleet, watch=watch: watch.ended("ami-next", fleet.group.desired))  # type: ignore[misc]


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
def test_a_roll_killed_at_any_call_can_be_followed_by_a_roll_back(has_effect: bool) -> None:
    make, policy = SCENES["all at once"]
    for at in cuts(calls_of(make, policy)):
        fleet = make()
        watch = Watch.of(fleet)
        first = Cut(at, has_effect, watch=watch)
        with pytest.raises(Killed):
            rolled(fleet, policy=policy, through=first.ports(ports(fleet)))
        watch.kept |= {fleet.group.template_version}
        watch.is_strict = False

        rolled(fleet, goal("ami-old", "1.0-1"), policy, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

        explained(at, first, lambda fleet=fleet, watch=watch: watch.ended("ami-old", fleet.group.desired))  # type: ignore[misc]


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scene", ["all at once", "in batches"])
def test_a_failing_roll_killed_at_any_call_is_taken_away_when_run_again(scene: str, has_effect: bool) -> None:
    _, policy = SCENES[scene]
    for at in cuts(calls_of(lambda: world(2, SICK), policy)):
        fleet = world(2, SICK)
        watch = Watch.of(fleet)
        first = Cut(at, has_effect, watch=watch)
        with pytest.raises((Killed, RolledBack)):
            rolled(fleet, policy=policy, through=first.ports(ports(fleet)))

        with pytest.raises(RolledBack):
            rolled(fleet, policy=policy, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

        explained(at, first, lambda watch=watch: watch.ended("ami-old", 2))  # type: ignore[misc]


@pytest.mark.parametrize("scene", SCENES)
def test_ctrl_c_at_any_call_puts_all_back_or_leaves_what_a_rerun_goes_on_with(scene: str) -> None:
    make, policy = SCENES[scene]
    for at in cuts(calls_of(make, policy)):
        fleet = make()
        serving = {each.instance.image for each in fleet.machines.values()} or {"none"}
        watch = Watch.of(fleet)
        first = Cut(at, True, error=KeyboardInterrupt, watch=watch)
        try:
            rolled(fleet, policy=policy, through=first.ports(ports(fleet)))
        except KeyboardInterrupt:
            if fleet.group.template_version == "1":
                number = len(watch.old)
                explained(at, first, lambda: watch.ended(serving.pop(), number))  # noqa: B023 (called at once)

        rolled(fleet, policy=policy, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

        explained(at, first, lambda: watch.ended("ami-new", fleet.group.desired))  # noqa: B023 (called at once)


@pytest.mark.parametrize("has_effect", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("scene", SCENES)
def test_one_call_that_fails_is_no_harm(scene: str, has_effect: bool) -> None:
    make, policy = SCENES[scene]
    for at in cuts(calls_of(make, policy)):
        fleet = make()
        watch = Watch.of(fleet)
        first = Cut(at, has_effect, error=lambda: CloudError("503"), watch=watch)
        try:
            rolled(fleet, policy=policy, through=first.ports(ports(fleet)))
        except (CloudError, RolledBack):
            rolled(fleet, policy=policy, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

        explained(at, first, lambda: watch.ended("ami-new", fleet.group.desired))  # noqa: B023 (called at once)


def explained(at: int, cut: Cut, check: Callable[[], None]) -> None:
    try:
        check()
    except AssertionError as error:
        raise AssertionError(f"cut at call {at} of {cut.calls[-6:]}: {error}") from error

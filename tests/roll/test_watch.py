"""What the watch of the promises looks at can be broken: here somebody breaks it, and the watch tells."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Squad, Target
from tests.roll.scene import GOOD, rolled
from tests.roll.watch import Watch


def change(**settings: object) -> Callable[[World], None]:
    def broken(fleet: World) -> None:
        fleet.group = replace(fleet.group, **settings)  # type: ignore[arg-type]

    return broken


def leave_target(fleet: World) -> None:
    ended = fleet.start("ami-new", "a", {})
    fleet.set_state(ended, "terminated")
    fleet.targets["tg-a"][ended] = Target(fleet.time)


def leave_group(fleet: World) -> None:
    fleet.squads["links-dev-green"] = Squad(replace(fleet.group, name="links-dev-green", desired=0))


def stand_by(fleet: World) -> None:
    fleet.lifecycles[fleet.start("ami-new", "a", {})] = "Standby"


def become_sick(fleet: World) -> None:
    fleet.images["ami-old"] = replace(fleet.images["ami-old"], is_sick=True)


MOMENTS: dict[str, tuple[Callable[[World], object], str]] = {
    "one that served is deregistered": (lambda fleet: fleet.deregister("tg-a", "i-0000"), "in service at"),
    "desired capacity falls": (change(desired=1), "desired fell to 1"),
}
ENDS: dict[str, tuple[Callable[[World], object], str]] = {
    "a second group": (leave_group, "a second group is left"),
    "another image": (stand_by, "in the group"),
    "an instance beside the group": (lambda fleet: fleet.start("ami-new", "a", {}), "strays are left"),
    "one that does not serve": (become_sick, "not all serve"),
    "a target that ended": (leave_target, "strays are registered"),
    "the maximum size": (change(maximum=9), "the maximum is 9"),
    "a suspended process": (change(suspended=frozenset({"AZRebalance"})), "suspended are"),
    "a version": (lambda fleet: fleet.versions.update({"7": "ami-new"}), "versions left"),
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_that_breaks_a_promise_is_told(moment: str) -> None:
    fleet = world(2, GOOD)
    watch, (breaks, says) = Watch.of(fleet), MOMENTS[moment]
    watch()
    breaks(fleet)

    with pytest.raises(AssertionError, match=says):
        watch()


@pytest.mark.parametrize("left", ENDS)
def test_what_a_roll_leaves_is_told(left: str) -> None:
    fleet = world(2, GOOD)
    watch, (breaks, says) = Watch.of(fleet), ENDS[left]
    breaks(fleet)

    with pytest.raises(AssertionError, match=says):
        watch.ended("ami-old", 2)


def test_desired_capacity_that_stays_raised_is_told() -> None:
    fleet = world(2, GOOD)
    watch = Watch.of(fleet)
    fleet.group = replace(fleet.group, desired=3)

    with pytest.raises(AssertionError, match="desired is 3"):
        watch.ended("ami-old", 3)


def test_a_whole_roll_breaks_no_promise() -> None:
    fleet = world(2, GOOD)
    watch = Watch.of(fleet)

    rolled(fleet)

    watch.ended("ami-new", 2)

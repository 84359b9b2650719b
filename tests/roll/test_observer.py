"""Each promise that the observer watches can be broken: here somebody breaks it, and the observer tells."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import ADDRESS, NAME, TEMPLATE, Squad, Target
from tests.roll.observer import LOOK, Observer
from tests.roll.scene import GOOD, rolled

Breaking = Callable[[World, Observer], object]
MINE = {"bakeroll:roll": "r-1"}


def watched(minimum: int = 1) -> tuple[World, Observer]:
    """Two old ones that have served for a while, and a process that begins to roll them."""
    fleet = world(2, GOOD, minimum=minimum)
    observer = Observer.of(fleet, unavailable=0)
    observer.begin("ami-new", "surge")
    observer()
    fleet.sleep(2 * LOOK)
    observer()
    observer.looks()
    return fleet, observer


def tag(fleet: World, *ids: str) -> None:
    for each in ids:
        fleet.machines[each].instance = replace(fleet.machines[each].instance, tags=MINE)


def become(fleet: World, image: str) -> None:
    for machine in fleet.machines.values():
        machine.instance = replace(machine.instance, image=image)


def change(**settings: object) -> Breaking:
    def broken(fleet: World, _: Observer) -> None:
        fleet.group = replace(fleet.group, **settings)  # type: ignore[arg-type]

    return broken


def own_that_serves(fleet: World, observer: Observer) -> None:
    tag(fleet, "i-0000")
    observer.before("terminate", (["i-0000"],))


def the_twin_with_what_serves(fleet: World, observer: Observer) -> None:
    observer.before("clone", (NAME, "links-dev-green", "2", {}))
    fleet.squads["links-dev-green"] = Squad(replace(fleet.group, name="links-dev-green"), {"i-0000": "InService"})
    observer.before("delete", ("links-dev-green",))


def version_in_use(fleet: World, observer: Observer) -> None:
    fleet.versions["2"] = "ami-new"
    fleet.group = replace(fleet.group, template_version="2")
    observer.before("delete_version", (TEMPLATE, "2"))


CALLS: dict[str, tuple[Breaking, str]] = {
    "deregister": (lambda fleet, it: it.before("deregister", (fleet.target_groups[0], ["i-0000"])), "floor 2"),
    "deregister an address": (
        lambda fleet, it: it.before("deregister", (fleet.target_groups[0], [f"{ADDRESS}i-0000"])),
        "floor 2",
    ),
    "have stand by": (lambda _, it: it.before("enter_standby", (NAME, ["i-0000"])), "floor 2"),
    "retire": (lambda _, it: it.before("terminate", ("i-0000",)), "floor 2"),
    "terminate one of its own": (own_that_serves, "floor 2"),
    "terminate a stranger": (lambda _, it: it.before("terminate", (["i-0000"],)), "which no roll launched"),
    "delete the fleet's group": (lambda _, it: it.before("delete", (NAME,)), "deletes the fleet's group"),
    "delete another's group": (lambda _, it: it.before("delete", ("theirs",)), "which no roll made"),
    "delete the second group undrained": (the_twin_with_what_serves, "floor 2"),
    "delete a version of before": (lambda _, it: it.before("delete_version", (TEMPLATE, "1")), "deletes version 1"),
    "delete the version in use": (version_in_use, "deletes the version in use"),
    "lower desired capacity": (lambda _, it: it.before("set_desired", (NAME, 1)), "others want 2"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_breaks_a_promise_is_told(call: str) -> None:
    fleet, observer = watched()
    breaks, says = CALLS[call]

    with pytest.raises(AssertionError, match=says):
        breaks(fleet, observer)


def test_a_roll_back_that_leaves_the_group_launching_the_release_is_told() -> None:
    fleet, observer = watched()
    fleet.group = replace(fleet.group, template_version="2")

    with pytest.raises(AssertionError, match="launches 2"):
        observer.rolled_back()


def leave_group(fleet: World, _: Observer) -> None:
    fleet.squads["links-dev-green"] = Squad(replace(fleet.group, name="links-dev-green", desired=0))


def leave_in_pool(fleet: World, _: Observer) -> None:
    fleet.squad.pool = 1
    fleet.squad.warm[fleet.start("ami-new", "a", {})] = "2"


def leave_target(fleet: World, _: Observer) -> None:
    ended = fleet.start("ami-new", "a", {})
    fleet.set_state(ended, "terminated")
    fleet.targets["tg-a"][ended] = Target(fleet.time)


def leave_address(fleet: World, observer: Observer) -> None:
    first, second = fleet.target_groups
    fleet.target_groups = (first, replace(second, type="ip"))
    fleet.set_state("i-0000", "terminated")
    fleet.sleep(30)
    observer.looks()


def lose_one(fleet: World, observer: Observer) -> None:
    observer.suspended = frozenset({"Launch"})
    fleet.group = replace(fleet.group, suspended=observer.suspended)
    fleet.set_state("i-0000", "terminated")


def keep_one_by(fleet: World, _: Observer) -> None:
    more = fleet.start("ami-old", "a", {})
    fleet.lifecycles[more] = "Standby"
    for targets in fleet.targets.values():
        targets[more] = Target(fleet.time)


ENDS: dict[str, tuple[str, Breaking, str]] = {
    "a second group": ("back", leave_group, "a second group is left"),
    "desired capacity": ("back", change(desired=3), "desired is 3"),
    "the minimum size": ("back", change(minimum=0), "the minimum is 0"),
    "the maximum size": ("back", change(maximum=9), "the maximum is 9"),
    "a suspended process": ("back", change(suspended=frozenset({"AZRebalance"})), "suspended are"),
    "a version": ("back", lambda fleet, _: fleet.versions.update({"7": "ami-new"}), "versions left"),
    "the release in the warm pool": ("back", leave_in_pool, "in the pool of a group of ami-old"),
    "an instance beside the group": ("back", lambda fleet, _: fleet.start("ami-new", "a", {}), "strays are left"),
    "a target that ended": ("back", leave_target, "are strays or not registered in a"),
    "a member that is not registered": (
        "back",
        lambda fleet, _: fleet.targets["tg-b"].pop("i-0000"),
        "are strays or not registered in b",
    ),
    "the address of one that ended": ("back", leave_address, "ended and are registered in b"),
    "the release after a roll back": ("back", lambda fleet, _: become(fleet, "ami-new"), "after a roll back"),
    "old ones after a roll": ("ami-new", lambda *_: None, "after a roll to ami-new"),
    "a group that launches the old release": (
        "ami-new",
        lambda fleet, _: become(fleet, "ami-new"),
        "launches ami-old",
    ),
    "too few": ("back", lose_one, "1 members, 2 wanted"),
    "too many": ("back", keep_one_by, "3 members, 2 wanted"),
}


@pytest.mark.parametrize("left", ENDS)
def test_what_a_roll_leaves_is_told(left: str) -> None:
    fleet, observer = watched()
    ended, breaks, says = ENDS[left]
    breaks(fleet, observer)

    with pytest.raises(AssertionError, match=says):
        observer.settled(ended)


def test_a_fleet_that_is_as_it_was_and_one_that_was_rolled_break_no_promise() -> None:
    _, as_it_was = watched()
    as_it_was.settled("back")

    fleet, observer = watched()
    rolled(fleet)
    observer.rolled("ami-new")
    observer.settled("ami-new")

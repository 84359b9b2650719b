"""What is refused before anything is changed, and what is rolled although it looks odd."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bakeroll.errors import RollFailed
from bakeroll.fleet import RefreshState, TargetGroup
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour, RunningRefresh, Squad
from bakeroll.roll.simulate.ports import ports
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, goal, rolled
from tests.roll.watch import Watch

Change = Callable[[World], None]


def group(**changes: object) -> Change:
    def change(fleet: World) -> None:
        fleet.group = replace(fleet.group, **changes)  # type: ignore[arg-type]

    return change


def targets(kind: str) -> Change:
    def change(fleet: World) -> None:
        fleet.target_groups = (fleet.target_groups[0], TargetGroup("tg-b", "b", 8000, kind))

    return change


def image(**changes: object) -> Change:
    def change(fleet: World) -> None:
        fleet.images = {**GOOD, "ami-new": replace(GOOD["ami-new"], **changes)}  # type: ignore[arg-type]

    return change


def refreshed(fleet: World) -> None:
    fleet.refreshes = [RunningRefresh(RefreshState("r-1", "InProgress", percent=40), "links-dev", "1")]
    fleet.group = replace(fleet.group, suspended=frozenset({"InstanceRefresh"}))


def without_image(fleet: World) -> None:
    fleet.images = {"ami-old": GOOD["ami-old"]}


REFUSED: dict[str, tuple[Change, str]] = {
    "Launch suspended": (group(suspended=frozenset({"Launch"})), "process Launch is suspended"),
    "an instance refresh under way": (
        refreshed,
        r"instance refresh r-1 of links-dev is in progress \(InProgress, 40 %",
    ),
    "one image for all is not enough": (
        group(conflict="the override c7g.large has an image of its own"),
        "links-dev cannot launch all its instances from one image: the override c7g.large has an image of its own",
    ),
    "functions as targets": (targets("lambda"), "target group b is of type lambda"),
    "balancers as targets": (targets("alb"), "target group b is of type alb"),
    "a hold": (group(hold="migration until Friday"), "held by its tag bakeroll:hold: “migration until Friday”"),
    "an empty hold": (group(hold=""), r"held by its tag bakeroll:hold\."),
    "an image that is gone": (without_image, r"image ami-new of 2\.0-1 does not exist"),
    "an image half made": (image(state="pending"), r"image ami-new of 2\.0-1 is not available: pending"),
    "another architecture": (image(architecture="arm64"), "ami-new is for arm64; links-dev launches x86_64"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_rolled_truthfully_is_refused_before_anything_is_changed(case: str) -> None:
    change, says = REFUSED[case]
    fleet = world(2, GOOD)
    change(fleet)
    before, watch = replace(fleet.group), Watch.of(fleet)
    cut = Cut(watch=watch)

    with pytest.raises(RollFailed, match=says) as error:
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert error.value.left == "Nothing was changed."
    assert error.value.next_step
    assert (fleet.group, fleet.versions) == (before, {"1": "ami-old"})
    assert set(cut.calls).isdisjoint({"launch", "make_version", "suspend", "attach", "register", "set_template"})
    watch.ended("ami-old", 2)


def test_all_that_stands_against_a_roll_is_told_at_once() -> None:
    fleet = world(2, GOOD)
    group(suspended=frozenset({"Launch"}))(fleet)
    image(state="pending", architecture="arm64")(fleet)
    fleet.target_groups = (TargetGroup("tg-a", "a", 8000, "lambda"), TargetGroup("tg-b", "b", 8000, "alb"))

    with pytest.raises(RollFailed) as error:
        rolled(fleet)

    assert error.value.what.split("\n") == [
        "links-dev's process Launch is suspended. That blocks attaching instances too.",
        "links-dev's target group a is of type lambda. Its targets are not the group's instances.",
        "links-dev's target group b is of type alb. Its targets are not the group's instances.",
        "The image ami-new of 2.0-1 is not available: pending.",
        "The image ami-new is for arm64; links-dev launches x86_64 (ami-old).",
    ]
    assert error.value.left == "Nothing was changed."
    assert [each.partition(":")[0] for each in error.value.next_step.split("\n")] == [
        "Resume it",
        "Attach a target group of type instance or ip instead.",
        "Bake it",
        "Bake an image for the architecture of the launch template's instance type, or change that type first.",
    ]


@pytest.mark.parametrize("protection", ["prevent-force-deletion", "prevent-all-deletion"])
def test_a_group_that_may_not_be_deleted_is_refused_to_blue_green_alone(protection: str) -> None:
    fleet = world(2, GOOD)
    group(deletion_protection=protection)(fleet)
    before, watch = replace(fleet.group), Watch.of(fleet)

    with pytest.raises(RollFailed, match=rf"links-dev has deletion protection \({protection}\)") as error:
        rolled(fleet, policy=POLICY.model_copy(update={"strategy": "blue-green"}))

    assert error.value.left == "Nothing was changed."
    assert str(error.value.next_step).endswith("--auto-scaling-group-name links-dev --deletion-protection none")
    assert (fleet.group, list(fleet.squads), fleet.versions) == (before, ["links-dev"], {"1": "ami-old"})
    rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)))
    watch.ended("ami-new", 2)


def test_a_fleet_that_is_not_there_is_told_with_the_nearest_names() -> None:
    fleet = world(2, GOOD)
    fleet.squads = {"links-prod": Squad(replace(fleet.group, name="links-prod"))}

    with pytest.raises(RollFailed, match=r"no Auto Scaling group links-dev .* There are links-prod\."):
        rolled(fleet)


def test_without_target_groups_the_version_that_an_instance_tells_proves_it() -> None:
    fleet = world(2, GOOD)
    group(target_groups=())(fleet)
    fleet.targets.clear()
    watch = Watch.of(fleet)
    watch.floor = 0

    rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)))

    fleet.sleep(30)
    assert [fleet.machines[each].instance.image for each in fleet.lifecycles] == ["ami-new"] * 2


def test_without_target_groups_one_that_tells_another_version_is_taken_away() -> None:
    fleet = world(2, GOOD | {"ami-new": Behaviour("1.9-1")})
    group(target_groups=())(fleet)

    with pytest.raises(RollFailed, match=r"says that it runs 1\.9-1"):
        rolled(fleet)

    fleet.sleep(30)
    assert sorted(fleet.lifecycles) == ["i-0000", "i-0001"]


def test_without_target_groups_and_version_nothing_proves_an_instance_so_it_is_refused() -> None:
    fleet = world(2, GOOD)
    group(target_groups=())(fleet)

    with pytest.raises(RollFailed, match="Nothing would prove a new instance"):
        rolled(fleet, replace(goal(), path=None))


def test_an_instance_in_standby_is_left_alone_and_named() -> None:
    fleet = world(3, GOOD)
    fleet.lifecycles["i-0002"] = "Standby"
    fleet.group = replace(fleet.group, desired=2)
    for arn in fleet.group.target_groups:
        del fleet.targets[arn]["i-0002"]
    lines: list[str] = []

    rolled(fleet, lines=lines)

    assert lines[0].endswith("; left alone in Standby: i-0002")
    assert fleet.lifecycles["i-0002"] == "Standby"
    assert fleet.machines["i-0002"].instance.state == "running"
    assert [each for each in fleet.lifecycles if fleet.lifecycles[each] == "InService"] == ["i-0003", "i-0004"]


def test_a_suspended_terminate_does_not_keep_a_roll_from_retiring() -> None:
    fleet = world(2, GOOD)
    group(suspended=frozenset({"Terminate"}))(fleet)
    watch = Watch.of(fleet)

    rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)))

    watch.ended("ami-new", 2)


def test_a_roll_that_was_cut_off_ends_though_a_new_one_would_be_refused_but_not_over_a_hold() -> None:
    fleet = world(2, GOOD)
    watch = Watch.of(fleet)
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(60, watch=watch).ports(ports(fleet)))
    group(conflict="an override has an image of its own")(fleet)
    group(hold="wait")(fleet)

    with pytest.raises(RollFailed, match="wait"):
        rolled(fleet, owner="me@laptop")
    group(hold=None)(fleet)
    rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

    watch.ended("ami-new", 2)

"""A roll that is killed, interrupted or refused at any of its calls, and then run again, ends right.

The observer looks at the world before and after every call of both processes.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest

from bakeroll.errors import CloudError, RolledBack, RollFailed
from bakeroll.roll.simulate.model import NAME, Behaviour, World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.record import Goal
from bakeroll.roll.store.records import Records
from bakeroll.settings import Canary, Policy
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, SICK, goal, rolled
from tests.roll.watch import Watch

HOOK = ("provision",)
Error: TypeAlias = Callable[[], BaseException]


def policy(strategy: str = "surge", **changes: object) -> Policy:
    return POLICY.model_copy(update={"strategy": strategy, "canary": Canary(watch=3, interval=1), **changes})


@dataclass(frozen=True)
class Scene:
    """A fleet and how it is rolled; `serving` is how many of the desired instances are there before."""

    policy: Policy
    desired: int = 2
    serving: int | None = None
    maximum: int = 8
    hooks: tuple[str, ...] = ()

    def world(self, images: Mapping[str, Behaviour] = GOOD) -> World:
        there = self.desired if self.serving is None else self.serving
        lacking = {each: it for each, it in images.items() if each != "ami-old" or there == self.desired}
        fleet = world(self.desired, lacking, maximum=self.maximum, serving=there)
        fleet.launch_hooks = self.hooks
        return fleet

    def watch(self, fleet: World) -> Watch:
        """What AWS's instance refresh does, model.py does as AWS: one instance less for a while."""
        watch = Watch.of(fleet)
        watch.is_strict = self.policy.strategy != "refresh"
        return watch


SCENES: dict[str, Scene] = {
    "surge": Scene(policy()),
    "in batches": Scene(policy(max_surge=1)),
    "with no room": Scene(policy(), maximum=2),
    "first release": Scene(policy(), serving=0),
    "some missing": Scene(policy(), desired=3, serving=1),
    "soak": Scene(policy(soak=60)),
    "launch hook": Scene(policy(), hooks=HOOK),
    "rolling": Scene(policy("rolling", max_surge=1)),
    "canary": Scene(policy("canary")),
    "blue-green": Scene(policy("blue-green")),
    "blue-green with soak": Scene(policy("blue-green", soak=60)),
    "refresh": Scene(policy("refresh")),
}
FULL = [name for name, scene in SCENES.items() if scene.serving is None]
"""Those that serve something before, and may go back to it."""


def calls_of(scene: Scene, images: Mapping[str, Behaviour] = GOOD) -> int:
    cut, fleet = Cut(), scene.world(images)
    with contextlib.suppress(RolledBack):
        rolled(fleet, policy=scene.policy, through=cut.ports(ports(fleet)))
    return len(cut.calls)


def cuts(calls: int) -> range:
    """Where to cut. Every call takes many minutes (BAKEROLL_EVERY_CALL=1); one of some thirty finds most."""
    return range(1, calls + 1) if os.environ.get("BAKEROLL_EVERY_CALL") else range(calls % 31 + 1, calls + 1, 31)


before_and_after = pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])


@dataclass
class Case:
    """One scene with a first roll that is cut at one call, and what is checked of what follows."""

    scene: Scene
    cut: Cut
    images: Mapping[str, Behaviour] = field(default_factory=lambda: GOOD)
    fleet: World = field(init=False)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.fleet = self.scene.world(self.images)
        self.watch = self.cut.watch = self.scene.watch(self.fleet)

    def first(self) -> None:
        with self.explained():
            rolled(self.fleet, policy=self.scene.policy, through=self.cut.ports(ports(self.fleet)))

    def again(self, to: Goal | None = None) -> None:
        through = Cut(watch=self.watch).ports(ports(self.fleet))
        with self.explained():
            rolled(self.fleet, to, self.scene.policy, through=through, owner="me@laptop")

    def ended(self, to: Goal, number: int | None = None) -> None:
        """What soaks goes with the first roll after that time."""
        if self.scene.policy.soak:
            self.fleet.sleep(self.scene.policy.soak)
            with contextlib.suppress(RolledBack):
                self.again(to)
        with self.explained():
            self.watch.ended(to.release.image, self.fleet.group.desired if number is None else number)

    def turned(self) -> None:
        """The next goal is another: "old" is then all that is not of that."""
        self.watch.kept |= {self.fleet.group.template_version}
        self.watch.is_strict = False

    @property
    def is_closed(self) -> bool:
        return Records(ports(self.fleet).table, NAME).read() is None

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        try:
            yield
        except (AssertionError, CloudError, RollFailed) as error:
            error.add_note(f"cut at call {self.cut.at} of {self.cut.calls[-6:]}")
            raise


def cases(name: str, has_effect: bool, error: Error = Killed, images: Mapping[str, Behaviour] = GOOD) -> Iterator[Case]:
    scene = SCENES[name]
    for at in cuts(calls_of(scene, images)):
        yield Case(scene, Cut(at, has_effect, error), images)


@before_and_after
@pytest.mark.parametrize("scene", SCENES)
def test_a_roll_killed_at_any_call_goes_on_when_run_again(scene: str, has_effect: bool) -> None:
    for case in cases(scene, has_effect):
        with pytest.raises(Killed):
            case.first()

        case.again()

        case.ended(goal())


@before_and_after
@pytest.mark.parametrize("scene", FULL)
def test_a_roll_killed_at_any_call_can_be_followed_by_a_roll_to_something_else(scene: str, has_effect: bool) -> None:
    for case in cases(scene, has_effect):
        with pytest.raises(Killed):
            case.first()
        case.turned()

        case.again(goal("ami-next", "3.0-1"))

        case.ended(goal("ami-next", "3.0-1"))


@before_and_after
@pytest.mark.parametrize("scene", FULL)
def test_a_roll_killed_at_any_call_can_be_followed_by_a_roll_back(scene: str, has_effect: bool) -> None:
    for case in cases(scene, has_effect):
        with pytest.raises(Killed):
            case.first()
        case.turned()

        case.again(goal("ami-old", "1.0-1"))

        case.ended(goal("ami-old", "1.0-1"))


@before_and_after
@pytest.mark.parametrize("scene", FULL)
def test_a_failing_roll_killed_at_any_call_is_taken_away_when_run_again(scene: str, has_effect: bool) -> None:
    for case in cases(scene, has_effect, images=SICK):
        with pytest.raises((Killed, RolledBack)):
            case.first()

        with pytest.raises(RolledBack):
            case.again()

        with case.explained():
            case.watch.ended("ami-old", case.scene.desired)


@pytest.mark.parametrize("scene", SCENES)
def test_ctrl_c_at_any_call_puts_all_back_or_leaves_what_a_rerun_goes_on_with(scene: str) -> None:
    for case in cases(scene, True, KeyboardInterrupt):
        with contextlib.suppress(KeyboardInterrupt):
            case.first()
        if case.is_closed and case.fleet.group.template_version == "1":
            with case.explained():
                case.watch.ended("ami-old", len(case.watch.old))

        case.again()

        case.ended(goal())


@pytest.mark.parametrize("has_effect", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("scene", SCENES)
def test_one_call_that_fails_is_no_harm(scene: str, has_effect: bool) -> None:
    for case in cases(scene, has_effect, lambda: CloudError("503")):
        try:
            rolled(case.fleet, policy=case.scene.policy, through=case.cut.ports(ports(case.fleet)))
        except (CloudError, RolledBack):
            case.again()

        case.ended(goal())

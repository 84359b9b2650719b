"""Records that a bakeroll wrote in the first format are still read, and their rolls go on.

`records_of_the_first_format.json` holds what bakeroll 0.1.0 wrote of each scene below, when its last roll was killed.
The ids of the rolls, which are random, are "roll-1", "roll-2" … there, the oldest first.
"""

import contextlib
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bakeroll.errors import RolledBack
from bakeroll.roll.simulate.model import NAME, World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.record import Goal
from bakeroll.roll.store.records import Records
from bakeroll.settings import Canary, Policy
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, SICK, first_release, goal, rolled

STORED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("records_of_the_first_format.json").read_text())
RECORD = (f"fleet#{NAME}", "roll")
NEW, NEXT = goal(), goal("ami-next", "3.0-1")


def policy(strategy: str = "surge", **changes: object) -> Policy:
    return POLICY.model_copy(update={"strategy": strategy, "canary": Canary(watch=3, interval=1), **changes})


def quiet() -> World:
    """A fleet whose alarms are asleep."""
    fleet = world(2, GOOD)
    fleet.group = replace(fleet.group, suspended=frozenset({"AlarmNotification"}))
    return fleet


def at_latest() -> World:
    """A fleet whose group launches from `$Latest`."""
    fleet = world(2, GOOD)
    fleet.group = replace(fleet.group, template_version="$Latest")
    return fleet


@dataclass(frozen=True)
class Kill:
    """Right after the first call of this name, or the first `then` that follows it. It had its effect."""

    name: str
    then: str = ""

    def number(self, calls: Sequence[str]) -> int:
        first = calls.index(self.name)
        return 1 + (calls.index(self.then, first) if self.then else first)


@dataclass(frozen=True)
class Scene:
    """Rolls of a fleet to one release and another by turns, each killed; None: it comes to its end."""

    fleet: Callable[[], World]
    policy: Policy
    kills: tuple[Kill | None, ...]

    def killed(self) -> World:
        fleet = self.fleet()
        for number, kill in enumerate(self.kills):
            self._roll(fleet, NEXT if number % 2 else NEW, kill)
        return fleet

    def _roll(self, fleet: World, to: Goal, kill: Kill | None) -> None:
        alike, whole = copy.deepcopy(fleet), Cut()
        with contextlib.suppress(RolledBack):
            rolled(alike, to, self.policy, through=whole.ports(ports(alike)))
        cut = Cut(kill.number(whole.calls) if kill else None, has_effect=True)
        with pytest.raises(Killed) if kill else contextlib.nullcontext():
            rolled(fleet, to, self.policy, through=cut.ports(ports(fleet)))


def roomless() -> World:
    return world(2, GOOD, maximum=2)


SCENES: dict[str, Scene] = {
    "surge": Scene(roomless, policy(), (Kill("terminate"),)),
    "at $Latest": Scene(at_latest, policy(), (Kill("attach"),)),
    "first release": Scene(first_release, policy(), (Kill("set_desired"),)),
    "first release, lowered": Scene(first_release, policy(), (Kill("set_desired", then="put"),)),
    "taken over": Scene(roomless, policy(), (Kill("make_version"), Kill("launch"), Kill("attach"))),
    "soak": Scene(roomless, policy(soak=600), (None, Kill("enter_standby"))),
    "backing out": Scene(lambda: world(2, SICK), policy(), (Kill("terminate"),)),
    "rolling": Scene(roomless, policy("rolling", max_surge=1), (Kill("set_desired"),)),
    "rolling, raised": Scene(roomless, policy("rolling", max_surge=1), (Kill("deregister"),)),
    "canary": Scene(lambda: world(2, GOOD), policy("canary"), (Kill("set_template"),)),
    "blue-green": Scene(quiet, policy("blue-green"), (Kill("hand_over"),)),
    "refresh": Scene(lambda: world(2, GOOD), policy("refresh"), (Kill("start_refresh", then="put"),)),
}


def stored(name: str, fleet: World) -> str:
    """The record of the first format, with the ids that the rolls of this fleet have."""
    record = Records(ports(fleet).table, NAME).read()
    assert record
    body = json.dumps(STORED[name])
    for number, roll in enumerate(reversed(record.rolls), 1):
        body = body.replace(f'"roll-{number}"', f'"{roll}"')
    return body


@pytest.mark.parametrize("name", SCENES)
def test_a_roll_goes_on_from_a_record_of_the_first_format(name: str) -> None:
    fleet = SCENES[name].killed()
    fleet.table[RECORD] = replace(fleet.table[RECORD], body=stored(name, fleet))
    to = NEXT if len(SCENES[name].kills) == 2 else NEW

    with pytest.raises(RolledBack) if name == "backing out" else contextlib.nullcontext():
        rolled(fleet, to, SCENES[name].policy)
    if soak := SCENES[name].policy.soak:
        fleet.sleep(soak)
        rolled(fleet, to, POLICY)

    fleet.sleep(30)
    image = "ami-old" if name == "backing out" else to.release.image
    assert [fleet.machines[each].instance.image for each in fleet.lifecycles] == [image, image]
    assert {each for each, it in fleet.machines.items() if it.instance.state == "running"} == set(fleet.lifecycles)
    before = SCENES[name].fleet().group
    assert (fleet.group.desired, fleet.group.maximum) == (before.desired, before.maximum)
    assert fleet.group.suspended == before.suspended
    assert len(fleet.squads) == 1
    assert Records(ports(fleet).table, NAME).read() is None

"""Records that a bakeroll wrote in the first format are still read, and their rolls go on.

`records_of_the_first_format.json` holds what bakeroll 0.1.0 wrote of each scene below, when its last roll was killed.
The ids of the rolls, which are random, are "roll-1", "roll-2" … there, the oldest first.
"""

import contextlib
import copy
import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable, RolledBack
from bakeroll.fleet import Subnet
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import NAME
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.capacity import Capacity, Resize, Transfer
from bakeroll.roll.state.launches import Launches, LaunchTag, RecordedSlot
from bakeroll.roll.state.record import (
    BackOut,
    Found,
    Goal,
    InstanceRefresh,
    Intended,
    Previous,
    Record,
    SecondGroup,
    Soak,
    TemplateVersions,
)
from bakeroll.roll.state.release_form import release_document
from bakeroll.roll.store import first_format
from bakeroll.roll.store.records import FORM, Records
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


FOUND = {
    "minimum": 1, "maximum": 8, "desired": 2, "template": "lt-1", "template_version": "1", "image": "ami-old",
    "suspended": ["Terminate"], "members": ["i-0", "i-1"], "registered": {"tg-a": ["i-0"]}, "serving": 1,
    "group": "links-dev", "is_launchable": False,
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "id": "r3", "fleet": "links-dev", "image": "ami-new", "version": "2.0-1", "started_at": "2026-01-01T12:00:00+00:00",
    "found": FOUND, "group": "links-dev-green", "strategy": "canary", "launcher": "group", "because": "of a hook",
    "release": release_document(goal().release), "stage": "back", "why": "i-3 died", "ending": "aborted",
    "previous": ["r2", "r1"], "made": "3", "making": ["r2"], "versions": ["2", "3"], "pinned": "1",
    "suspended": ["AZRebalance"], "maxima": [9, 10], "attached": ["i-2"], "retiring": ["i-0"], "decremented": ["i-4"],
    "lowered": 1, "lowering": [4, 2], "raised": 3, "raising": [2, 4], "attaching": [2, ["i-2"]],
    "leaving": [3, ["i-4"]],
    "slots": [
        {"template_version": "3", "subnet": {"id": "subnet-a", "zone": "a"}, "count": 2},
        {"template_version": "3", "subnet": {"id": "subnet-b", "zone": "b"}},
        {"template_version": "1", "subnet": {"id": "subnet-b", "zone": "b"}, "count": 0},
    ],
    "filled": {"0": ["i-2", "i-3"], "2": []}, "back_from": 2, "soaked": ["i-9"],
    "soaks_until": "2026-01-01T13:00:00+00:00", "is_watched": True, "refresh": "refresh-1", "is_refreshed": True,
    "twin": "links-dev", "switching": "links-dev-green", "processes": ["HealthCheck"], "unheard": [["r1", "0"]],
    "others": ["ami-next"],
}  # fmt: skip


def document(**fields: Any) -> Document:
    return Document(json.dumps(WHOLE | fields), "token")


def test_each_field_of_the_first_format_has_its_place_in_a_part() -> None:
    assert WHOLE.keys() == {each.name for each in dataclasses.fields(first_format.FlatRecord)}
    assert FORM.read(document()) == Record(
        id="r3",
        fleet="links-dev",
        group="links-dev-green",
        started_at="2026-01-01T12:00:00+00:00",
        found=Found(
            1, 8, 2, "lt-1", "1", "ami-old", ("Terminate",), ("i-0", "i-1"), {"tg-a": ("i-0",)}, 1, "links-dev", False
        ),
        intended=Intended("ami-new", "2.0-1", release_document(goal().release), "canary", "group", "of a hook"),
        stage="back",
        back_out=BackOut("i-3 died", "aborted"),
        previous=Previous(("r2", "r1"), ("ami-next",)),
        versions=TemplateVersions(made="3", ours=("2", "3"), making=("r2",), pinned="1"),
        capacity=Capacity(
            attached=("i-2",),
            decremented=("i-4",),
            raised=3,
            lowered=1,
            maxima=(9, 10),
            attaching=Transfer(2, ("i-2",)),
            leaving=Transfer(3, ("i-4",)),
            raising=Resize(2, 4),
            lowering=Resize(4, 2),
        ),
        launches=Launches(
            slots=(
                RecordedSlot("3", Subnet("subnet-a", "a"), 2, ("i-2", "i-3")),
                RecordedSlot("3", Subnet("subnet-b", "b"), 1, None),
                RecordedSlot("1", Subnet("subnet-b", "b"), 0, ()),
            ),
            wanted_from=2,
            unheard=(LaunchTag("r1", "0"),),
        ),
        suspended=("AZRebalance",),
        retiring=("i-0",),
        is_watched=True,
        second=SecondGroup("links-dev", "links-dev-green", ("HealthCheck",)),
        refresh=InstanceRefresh("refresh-1", is_done=True),
        soak=Soak(("i-9",), "2026-01-01T13:00:00+00:00"),
    )


def test_a_record_is_read_as_it_was_written() -> None:
    record = FORM.read(document())

    assert FORM.read(Document(FORM.written(record), "token")) == record


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mood": "good"}, "mood"),
        ({"slots": [{**WHOLE["slots"][0], "instances": ["i-2"]}], "filled": {}}, "slots.instances"),
        ({"filled": {"7": ["i-2"]}}, "filled.7"),
        ({"found": FOUND | {"mood": "good"}}, "found.mood"),
    ],
)
def test_what_a_record_of_the_first_format_holds_beyond_its_fields_is_refused(fields: Any, said: str) -> None:
    with pytest.raises(DocumentUnreadable, match=f"with fields that this one does not know: {said}"):
        FORM.read(document(**fields, format=1, writer="0.1.0"))


def test_a_bakeroll_that_knows_the_first_format_alone_refuses_the_second_and_names_who_can_read_it() -> None:
    stored = Document(FORM.written(FORM.read(document())), "token")

    with pytest.raises(DocumentUnreadable, match=r"was written by bakeroll \S+, in format 2; this is bakeroll"):
        first_format.FORM.read(stored)

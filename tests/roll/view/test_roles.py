"""Each instance has one role in a turn, and one reason for it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from pytest_mock import MockerFixture

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.run import loop
from bakeroll.roll.simulate.model import world
from bakeroll.roll.state.launches import Launches
from bakeroll.roll.state.record import Found, Intended, Record
from bakeroll.roll.view import view
from bakeroll.roll.view.roles import Role, roles
from bakeroll.roll.view.settled import settled
from tests.roll.scene import GOOD, rolled

FOUND = Found(1, 8, 2, "lt-1", "1", "ami-old", (), ("i-0", "i-1"), {}, 2, "links-dev")
FORWARD = Record("r1", "links-dev", "links-dev", "", FOUND, Intended("ami-new", "2.0-1"))
CHOSEN = replace(FORWARD, retiring=("i-0",))
BACK = replace(FORWARD, stage="back", launches=Launches(wanted_from=1))
TWINNED = replace(FORWARD, intended=Intended("ami-new", "2.0-1", strategy="blue-green"))
FLEET = Fleet("links-dev", 1, 8, 2, "lt-1", "1", "ami-old")
OURS = {"bakeroll:roll": "r1", "bakeroll:slot": "0"}

OLD = Instance("i-0", "ami-old", lifecycle="InService")
LAUNCHED = Instance("i-9", "ami-new", tags=OURS)
LATER = Instance("i-9", "ami-old", tags={**OURS, "bakeroll:slot": "1"})


class Row(NamedTuple):
    sentence: str
    instance: Instance
    record: Record | None
    role: Role


ROWS = [
    Row("a member of another release is to go", OLD, FORWARD, Role.OUTGOING),
    Row("one that was chosen to go goes", OLD, CHOSEN, Role.RETIRING),
    Row("one that its group terminates", replace(OLD, lifecycle="Terminating:Wait"), CHOSEN, Role.TERMINATING),
    Row("one that stands by", replace(OLD, lifecycle="EnteringStandby"), CHOSEN, Role.STANDING_BY),
    Row("a dead one, whatever else is said of it", replace(OLD, state="terminated"), CHOSEN, Role.DEAD),
    Row("one that this roll launched is to serve", LAUNCHED, FORWARD, Role.INCOMING),
    Row("one that the group launched is to serve", replace(OLD, image="ami-new"), FORWARD, Role.INCOMING),
    Row("one of the release that nobody launched for it", Instance("i-9", "ami-new"), FORWARD, Role.UNKNOWN),
    Row("one that EC2 does not show yet", replace(OLD, image=""), FORWARD, Role.UNKNOWN),
    Row("backing out, what was found is to serve", OLD, BACK, Role.INCOMING),
    Row("backing out, what the roll launched is to go", LAUNCHED, BACK, Role.OUTGOING),
    Row("backing out, what the roll launches then is to serve", LATER, BACK, Role.INCOMING),
    Row("in the second group the release is to serve", replace(LAUNCHED, is_in_twin=True), TWINNED, Role.INCOMING),
    Row("in the first group nothing is to serve", replace(OLD, image="ami-new"), TWINNED, Role.OUTGOING),
    Row("without a roll every member is to serve", OLD, None, Role.INCOMING),
    Row(
        "what was launched from the image with other user data is of another release",
        replace(OLD, image="ami-new", tags={"bakeroll:launch": "sha256-7"}),
        FORWARD,
        Role.OUTGOING,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_role(row: Row) -> None:
    fleet = replace(FLEET, instances=(row.instance,))

    assert roles(fleet, row.record) == {row.instance.id: row.role}


def test_an_instance_is_known_by_the_digest_of_its_launch_and_else_by_its_image() -> None:
    tagged = replace(OLD, tags={"bakeroll:launch": "sha256-7"})

    assert (OLD.identity, tagged.identity) == ("ami-old", "sha256-7")
    assert (FLEET.identity, replace(FLEET, launch="sha256-7").identity) == ("ami-old", "sha256-7")


def counted(mocker: MockerFixture, name: str) -> Iterator[int]:
    """How often a function of the view is called, turn by turn."""
    real = getattr(view, name)
    calls: list[int] = []
    turn = view.View.of

    def of(*arguments: Any) -> view.View:
        calls.append(0)
        return turn(*arguments)

    def counting(*arguments: Any) -> Any:
        calls[-1] += 1
        return real(*arguments)

    mocker.patch.object(view.View, "of", of)
    mocker.patch.object(view, name, counting)
    rolled(world(4, GOOD, maximum=16))
    yield from calls


@pytest.mark.parametrize("name", ["roles", "unseen"])
def test_a_turn_reads_the_fleet_with_the_record_once(mocker: MockerFixture, name: str) -> None:
    assert set(counted(mocker, name)) == {1}


def test_a_turn_settles_the_record_once(mocker: MockerFixture) -> None:
    views = mocker.patch.object(view.View, "of", wraps=view.View.of)
    settling = mocker.patch.object(loop, "settled", wraps=settled)

    rolled(world(4, GOOD, maximum=16))

    assert settling.call_count == views.call_count > 0


def test_a_turn_asks_once_for_each_instance_why_it_does_not_count(mocker: MockerFixture) -> None:
    assert max(counted(mocker, "not_yet")) == 8

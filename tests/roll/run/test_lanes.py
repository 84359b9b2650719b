"""What an operator sees of a roll: each instance's state, told from fleet, record and memory."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from bakeroll.errors import RolledBack
from bakeroll.events import Event, Lane, LaneState, Scene
from bakeroll.fleet import Answer, Fleet, Health, Instance
from bakeroll.roll.run.lanes import scene
from bakeroll.roll.run.leader import Leader
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.state.record import Record
from bakeroll.roll.view.view import View
from tests.roll.halfway import ATTACHED, FLEET, LAUNCHED, NOW, OLD, PROVEN, UNHEARD, instance, new
from tests.roll.scene import GOOD, POLICY, POLL, SICK, goal

REFUSED = Health("unhealthy", "Target.ResponseCodeMismatch", "503")


def seen(
    *instances: Instance, record: Record = LAUNCHED, memory: Memory = PROVEN, fleet: Fleet = FLEET, now: float = NOW
) -> Scene:
    return scene(View.of(replace(fleet, instances=instances), goal(), POLICY, record, memory, now))


class Row(NamedTuple):
    sentence: str
    instance: Instance
    state: LaneState
    note: str = ""
    record: Record = LAUNCHED
    memory: Memory = PROVEN


ROWS = [
    Row("a new one that boots", new("i-2", "", state="pending"), "booting"),
    Row(
        "a new one that is not in the target group yet", new("i-2", ""), "proving", "starting: not registered in links"
    ),
    Row("a new one that is not checked yet", new("i-2", "initial"), "proving", "initial"),
    Row(
        "a new one that has not told its version",
        new("i-2", "", answer=Answer(problem="refused")),
        "proving",
        "does not report its version yet: refused",
        memory=Memory(),
    ),
    Row(
        "a new one that is healthy for the first time",
        new("i-2"),
        "proving",
        "healthy 1 of 2 times",
        memory=replace(PROVEN, healthy={"i-2": 1}),
    ),
    Row("a new one that is proved", new("i-2"), "in service"),
    Row(
        "a new one that its load balancer refuses",
        replace(new("i-2"), health={"tg": REFUSED}),
        "unhealthy",
        "Target.ResponseCodeMismatch 503",
    ),
    Row(
        "a new one that runs another version",
        new("i-2"),
        "unhealthy",
        "says that it runs 1.0-1, not 2.0-1",
        memory=Memory(answers={"i-2": Answer("1.0-1")}),
    ),
    Row("a new one that died", new("i-2", "", state="terminated"), "gone"),
    Row("an old one that serves", OLD[0], "in service"),
    Row("an old one that was chosen to go", OLD[0], "draining", record=replace(LAUNCHED, retiring=("i-0",))),
    Row("an old one that finishes what it began", instance("i-0", "ami-old", "draining"), "draining"),
    Row("one that the group terminates", instance("i-0", "ami-old", lifecycle="Terminating:Wait"), "draining"),
    Row("one that shuts down", instance("i-0", "ami-old", state="shutting-down"), "gone"),
    Row("one in Standby", instance("i-0", "ami-old", "", lifecycle="Standby"), "standing by"),
    Row("an old one that fails its checks", instance("i-0", "ami-old", "unhealthy"), "unhealthy"),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.sentence for row in ROWS])
def test_the_state_of(row: Row) -> None:
    lane = next(
        each for each in seen(row.instance, record=row.record, memory=row.memory).lanes if each.id == row.instance.id
    )

    assert (lane.state, lane.note) == (row.state, row.note)
    assert (lane.is_new, lane.release) == ((True, "2.0-1") if row.instance.image == "ami-new" else (False, "ami-old"))


def test_new_lanes_stand_before_old_ones_and_what_is_awaited_is_said() -> None:
    found = seen(*OLD, new("i-2"), new("i-3", "unhealthy"))

    assert [each.id for each in found.lanes] == ["i-2", "i-3", "i-0", "i-1"]
    assert (found.in_service, found.floor, found.desired, found.awaited) == (3, 2, 2, "i-3 unhealthy")


def test_a_launch_is_seen_before_it_has_an_instance_and_before_aws_shows_it() -> None:
    half = replace(UNHEARD, launches=UNHEARD.launches.with_instances(0, ("i-2",)))

    found = seen(*OLD, record=half)

    assert found.lanes[:2] == (
        Lane("i-2", "a", "launching", "2.0-1", "not shown by AWS yet", is_new=True),
        Lane("launch 2", "a", "launching", "2.0-1", is_new=True),
    )


def test_an_instance_that_aws_has_long_forgotten_is_not_seen_as_launching() -> None:
    found = seen(*OLD, new("i-3"), memory=replace(PROVEN, waiting={"i-2": 0.0}))

    assert [each.id for each in found.lanes] == ["i-3", "i-0", "i-1"]


def test_capacity_that_the_roll_added_is_not_what_others_desire() -> None:
    members = (*OLD, new("i-2", lifecycle="InService"), new("i-3", lifecycle="InService"))

    found = seen(*members, record=ATTACHED, fleet=replace(FLEET, desired=4))

    assert (found.in_service, found.floor, found.desired) == (4, 2, 2)


def scenes(world: World) -> list[Scene]:
    """All that a roll reports of itself."""
    found: list[Scene] = []

    def report(event: Event) -> None:
        if event.scene:
            found.append(event.scene)

    through = ports(world)
    roll(goal(), POLICY, Leader(through, Owner("me"), world, report, POLL))
    return found


def states(found: list[Scene], identifier: str) -> list[str]:
    """The states of a lane, each told once."""
    all_of_it = [each.state for scene in found for each in scene.lanes if each.id == identifier]
    return [state for n, state in enumerate(all_of_it) if n == 0 or all_of_it[n - 1] != state]


def test_a_whole_roll_is_seen_from_launch_to_service_and_from_service_to_draining() -> None:
    found = scenes(world(2, GOOD))

    assert states(found, "i-0002") == ["booting", "proving", "in service"]
    assert states(found, "i-0000")[:2] == ["in service", "draining"]
    assert min(each.in_service for each in found) == 2
    assert all(each.awaited for each in found if any(lane.state == "booting" for lane in each.lanes))


def test_a_roll_that_fails_is_seen_until_its_instances_have_gone() -> None:
    found: list[Scene] = []

    def report(event: Event) -> None:
        if event.scene:
            found.append(event.scene)

    there = world(2, SICK)
    with pytest.raises(RolledBack):
        roll(goal(), POLICY, Leader(ports(there), Owner("me"), there, report, POLL))

    assert states(found, "i-0002") == ["booting", "proving", "unhealthy", "draining", "gone"]
    assert states(found, "i-0000") == ["in service"]

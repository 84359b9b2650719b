"""Where a roll is: on the screen of who leads it, and in the status of who looks on."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bakeroll.errors import RolledBack, RollFailed
from bakeroll.events import Event, Scene
from bakeroll.roll.operate.status import FleetStatus, status
from bakeroll.roll.operate.steering import Steering
from bakeroll.roll.run.leader import Leader
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import this_process
from bakeroll.settings import Canary, Check, Policy
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, POLL, SICK, goal, rolled

LIVES = this_process("ops@desk")
CANARY = POLICY.model_copy(
    update={"strategy": "canary", "canary": Canary(size=1, watch=60, interval=2, checks=(Check(http="/health"),))}
)


def steering(fleet: World) -> Steering:
    return Steering("links-dev", "dev", ports(fleet), fleet, "me@laptop")


def at(second: float, fleet: World, deed: Callable[[], None]) -> Callable[[], None]:
    """Somebody who does something once, so many seconds after the roll's beginning."""
    left = [deed]
    begins = fleet.time

    def look() -> None:
        if left and fleet.time - begins >= second:
            left.pop()()

    return look


def told(fleet: World, policy: Policy, *others: Callable[[], None]) -> list[Event]:
    """All that a roll reports while others look on, or do something."""
    found: list[Event] = []

    def watch() -> None:
        for each in others:
            each()

    through = Cut(watch=watch).ports(ports(fleet))
    roll(goal(), policy, Leader(through, LIVES, fleet, found.append, POLL))
    return found


def doings(events: Sequence[Event]) -> list[str]:
    """Each once, without the seconds that count and until when it is waited."""
    said = [re.sub(r"; times out at .*", "", each.scene.doing) for each in events if each.scene]
    return list(dict.fromkeys(re.sub(r" for \d+ of", " for … of", each) for each in said))


def looked_at(fleet: World) -> FleetStatus:
    return status("links-dev", ports(fleet), 8000, "/version")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        pytest.param(
            POLICY,
            ["0 of 4 new in service, 4 old to go", "4 of 4 new in service, 4 old to go", "4 of 4 new in service"],
            id="all at once",
        ),
        pytest.param(
            POLICY.model_copy(update={"max_surge": 2}),
            [
                "batch 1 of 2: 0 of 4 new in service, 4 old to go",
                "batch 2 of 2: 2 of 4 new in service, 4 old to go",
                "batch 2 of 2: 2 of 4 new in service, 2 old to go",
                "batch 2 of 2: 4 of 4 new in service, 2 old to go",
                "batch 2 of 2: 4 of 4 new in service",
            ],
            id="in batches",
        ),
        pytest.param(
            CANARY,
            [
                "canary: 0 of 1 in service",
                "canary: 1 of 4 watched for … of 60 s",
                "1 of 4 new in service, 4 old to go",
                "4 of 4 new in service, 4 old to go",
                "4 of 4 new in service",
            ],
            id="a canary first",
        ),
    ],
)
def test_a_roll_says_where_it_is(policy: Policy, said: list[str]) -> None:
    assert doings(told(world(4, GOOD), policy)) == said


def test_a_long_wait_tells_until_when_it_is_waited() -> None:
    slow = {**GOOD, "ami-new": replace(GOOD["ami-new"], boots=10)}

    scenes = [each.scene.doing for each in told(world(2, slow), POLICY) if each.scene]

    assert any(re.fullmatch(r"0 of 2 new in service, 2 old to go; times out at 12:00:\d\d", each) for each in scenes)


def test_a_roll_that_backs_out_says_so() -> None:
    scenes: list[Scene] = []
    fleet = world(2, SICK)

    def see(event: Event) -> None:
        if event.scene:
            scenes.append(event.scene)

    with pytest.raises(RolledBack):
        roll(goal(), POLICY, Leader(ports(fleet), LIVES, fleet, see, POLL))

    assert scenes[-1].doing.startswith("backing out")


def test_who_looks_on_is_told_for_how_long_the_canaries_are_watched() -> None:
    fleet = world(4, GOOD)
    seen: list[FleetStatus] = []

    told(fleet, CANARY, at(40, fleet, lambda: seen.append(looked_at(fleet))))

    found = seen[0].roll
    assert found is not None
    assert (found.doing, found.doing_seconds, found.paused_by) == ("canary: 1 of 4 watched", 60, "")
    assert found.doing_since.startswith("2026-01-01T12:00:")
    assert "." not in found.since + found.heard + found.doing_since


def test_who_looks_on_is_told_of_a_pause_by_whom_and_until_when() -> None:
    fleet = world(2, GOOD)
    seen: list[FleetStatus] = []
    steer = steering(fleet)

    told(
        fleet,
        POLICY,
        at(3, fleet, lambda: steer.ask("pause", steer.record(), minutes=10)),
        at(30, fleet, lambda: seen.append(looked_at(fleet))),
        at(60, fleet, lambda: steer.ask("none", steer.record())),
        at(61, fleet, lambda: seen.append(looked_at(fleet))),
    )

    assert [each.roll.paused_by for each in seen if each.roll] == ["me@laptop", ""]
    assert seen[0].roll is not None
    assert re.fullmatch(r"2026-01-01T12:10:0\d\+00:00", seen[0].roll.paused_until)


def test_a_pause_and_its_end_are_told_at_once_each_time_and_the_screen_goes_on_counting() -> None:
    fleet = world(4, GOOD)
    steer = steering(fleet)

    events = told(
        fleet,
        CANARY,
        at(25, fleet, lambda: steer.ask("pause", steer.record(), minutes=10)),
        at(35, fleet, lambda: steer.ask("none", steer.record())),
        at(40, fleet, lambda: steer.ask("pause", steer.record(), minutes=10)),
        at(45, fleet, lambda: steer.ask("none", steer.record())),
    )

    lines = [each.text for each in events if each.kind == "progress"]
    paused = [each for each in lines if each.startswith("paused by me@laptop until 12:10:")]
    assert (len(paused), lines.count("resumed")) == (2, 2)
    assert lines.index("resumed") == lines.index(paused[0]) + 1
    last = max(n for n, each in enumerate(events) if each.text == "resumed")
    after = [each.scene.doing for each in events[last:] if each.scene and "watched" in each.scene.doing]
    assert len(set(after)) > 3  # of the 60 seconds, as they pass
    assert not [each for each in events[last:] if "paused" in each.text]


@pytest.mark.parametrize("second", [2, 3, 4, 5, 6, 8])
def test_what_waited_for_a_pause_to_end_has_all_its_time_afterwards(second: int) -> None:
    fleet = world(2, GOOD)
    steer = steering(fleet)

    events = told(
        fleet,
        POLICY,
        at(second, fleet, lambda: steer.ask("pause", steer.record(), minutes=10)),
        at(10 * POLICY.in_service_timeout, fleet, lambda: steer.ask("none", steer.record())),
    )

    assert events[-1].text == "2 in service, 2 retired"


def test_an_aborted_pause_is_not_told_as_resumed() -> None:
    fleet = world(2, GOOD)
    steer = steering(fleet)
    lines: list[str] = []
    pauses = at(3, fleet, lambda: steer.ask("pause", steer.record(), minutes=10))
    aborts = at(20, fleet, lambda: steer.ask("abort", steer.record()))

    def watch() -> None:
        pauses()
        aborts()

    with pytest.raises(RolledBack):
        rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)), lines=lines)

    assert "resumed" not in lines
    assert "aborted by me@laptop; backing out" in lines


def test_a_pause_that_ended_its_roll_is_told_of_what_it_left() -> None:
    fleet = world(2, GOOD)
    steer = steering(fleet)
    pauses = at(3, fleet, lambda: steer.ask("pause", steer.record(), minutes=1))
    with pytest.raises(RollFailed, match="nobody resumed it"):
        rolled(fleet, through=Cut(watch=pauses).ports(ports(fleet)))

    found = looked_at(fleet).roll

    assert found is not None
    assert (found.is_cut_off, found.paused_by, found.doing) == (True, "me@laptop", "")


def test_an_instance_that_boots_is_no_fault_to_who_looks_on() -> None:
    fleet = world(2, {**GOOD, "ami-new": replace(GOOD["ami-new"], boots=1, healthy=3)})
    seen: set[str] = set()

    def look() -> None:
        new = {each for each, machine in fleet.machines.items() if machine.instance.image == "ami-new"}
        if new:
            seen.update(each.state for each in looked_at(fleet).instances if each.id in new)

    told(fleet, POLICY, look)

    assert seen >= {"booting", "in service"}
    assert not [each for each in seen if each.startswith("not registered")]
    assert any(each.startswith("starting: not registered in ") for each in seen)


def test_the_old_instances_that_stand_by_are_told_of_with_until_when() -> None:
    fleet = world(2, GOOD)
    rolled(fleet, policy=POLICY.model_copy(update={"soak": 60}))

    found = looked_at(fleet)

    assert found.roll is None
    assert re.fullmatch(r"2026-01-01T12:01:\d\d\+00:00", found.stands_by_until)


def test_a_roll_that_was_cut_off_does_nothing_any_more() -> None:
    fleet = world(2, GOOD)
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(60).ports(ports(fleet)), as_owner=replace(LIVES, pid=2**22 + 1))

    found = looked_at(fleet).roll

    assert found is not None
    assert (found.is_cut_off, found.doing, found.paused_by) == (True, "", "")

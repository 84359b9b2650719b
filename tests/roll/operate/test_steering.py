"""A roll that is paused, resumed, given up and mended, from another process."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bakeroll.errors import LeaseHeld, RolledBack, RollFailed
from bakeroll.roll.operate.doctor import Chart, examine, take_away
from bakeroll.roll.operate.steering import Steering
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner, this_process
from bakeroll.roll.store.records import Records
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, goal, rolled
from tests.roll.watch import Watch

GONE = replace(this_process("ops@build-7"), pid=2**22 + 1)


def steering(fleet: World) -> Steering:
    return Steering("links-dev", "dev", ports(fleet), fleet, "me@laptop")


def at(call: int, deed: Callable[[], None], watch: Callable[[], None]) -> Cut:
    """A process during whose k-th call somebody does something."""
    cut = Cut(watch=watch)

    def look() -> None:
        watch()
        if len(cut.calls) == call and not done:
            done.append(call)
            deed()

    done: list[int] = []
    cut.watch = look
    return cut


def cut_off(fleet: World, call: int, watch: Watch) -> None:
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(call, watch=watch).ports(ports(fleet)))


def chart(fleet: World) -> Chart:
    return examine("links-dev", "links", "dev", ports(fleet), fleet.now())


def test_a_paused_roll_does_nothing_until_it_is_resumed() -> None:
    fleet = world(2, GOOD)
    watch, steer = Watch.of(fleet), steering(fleet)
    lines: list[str] = []
    seen: list[int] = []

    def pause() -> None:
        steer.ask("pause", steer.record(), minutes=10)

    def resume() -> None:
        seen.append(len(fleet.machines))
        steer.ask("none", steer.record())

    first = at(60, pause, watch)
    second = at(110, resume, first.watch)
    rolled(fleet, through=second.ports(first.ports(ports(fleet))), lines=lines)

    watch.ended("ami-new", 2)
    assert any("paused by me@laptop" in line for line in lines)


def test_a_pause_that_nobody_ends_stops_the_roll_where_it_stands() -> None:
    fleet = world(2, GOOD)
    watch, steer = Watch.of(fleet), steering(fleet)
    cut = at(60, lambda: steer.ask("pause", steer.record(), minutes=1), watch)

    with pytest.raises(RollFailed, match="paused by me@laptop, and nobody resumed it") as error:
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert error.value.next_step == "Continue it: fab resume --env=dev"
    steer.ask("none", steer.record())
    rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)))
    watch.ended("ami-new", 2)


@pytest.mark.parametrize("call", [30, 60, 100, 130])
def test_an_aborted_roll_goes_back_whichever_way_it_had_come(call: int) -> None:
    fleet = world(2, GOOD)
    watch, steer = Watch.of(fleet), steering(fleet)
    watch.is_strict = False  # past the commit point what served before is launched anew
    cut = at(call, lambda: steer.ask("abort", steer.record()), watch)

    with pytest.raises(RolledBack, match="aborted by me@laptop"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-old", 2)


def test_a_request_is_heeded_by_the_roll_that_it_was_made_of_alone() -> None:
    fleet = world(2, GOOD)
    watch, steer = Watch.of(fleet), steering(fleet)
    cut_off(fleet, 60, watch)
    steer.ask("abort", replace(steer.record(), id="another"))

    rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop")

    watch.ended("ami-new", 2)


def test_a_fleet_that_is_not_rolled_cannot_be_steered() -> None:
    with pytest.raises(RollFailed, match="links-dev is not being rolled"):
        steering(world(2, GOOD)).record()


def test_a_roll_that_was_cut_off_while_backing_out_is_backed_out_when_resumed() -> None:
    fleet = world(2, GOOD)
    watch, steer = Watch.of(fleet), steering(fleet)
    cut_off(fleet, 60, watch)
    steer.ask("abort", steer.record())
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(40, watch=watch).ports(ports(fleet)), owner="me@laptop", is_resumed=True)
    assert steer.record().stage == "back"

    with pytest.raises(RolledBack):
        rolled(fleet, through=Cut(watch=watch).ports(ports(fleet)), owner="me@laptop", is_resumed=True)

    watch.ended("ami-old", 2)


def test_a_whole_fleet_has_no_ailment() -> None:
    fleet = world(2, GOOD)
    rolled(fleet)

    assert chart(fleet).ailments == ()


@pytest.mark.parametrize(("call", "is_committed"), [(60, False), (125, True)])
def test_what_a_dead_roll_left_is_named_and_which_way_it_is_mended(call: int, is_committed: bool) -> None:
    fleet = world(2, GOOD)
    cut_off(fleet, call, Watch.of(fleet))
    fleet.sleep(60)

    found = examine("links-dev", "links", "dev", ports(fleet), fleet.now())

    assert found.ailments == ()  # its lease says that somebody leads it; only its own machine knows better
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(20).ports(ports(fleet)), as_owner=GONE)
    found = chart(fleet)
    assert [each.kind for each in found.ailments] == ["cut off"]
    assert "AZRebalance suspended" in found.ailments[0].what
    assert found.is_committed is is_committed


def test_an_instance_that_a_lost_roll_launched_is_found_and_taken_away() -> None:
    fleet = world(2, GOOD)
    tags = {"bakeroll:roll": "lost", "bakeroll:application": "links", "bakeroll:environment": "dev"}
    stray = fleet.start("ami-new", "a", tags)
    other = fleet.start("ami-new", "a", {**tags, "bakeroll:environment": "prod"})
    fleet.sleep(5)
    fleet.register("tg-a", stray)

    found = chart(fleet).ailments
    take_away("links-dev", (), found[0].instances, ports(fleet), Owner("me@laptop"), fleet)
    fleet.sleep(10)

    assert [(each.kind, each.instances) for each in found] == [("stray", (stray,))]
    assert fleet.machines[stray].instance.state == "terminated"
    assert fleet.machines[other].instance.state == "running"
    assert stray not in fleet.targets["tg-a"]
    assert chart(fleet).ailments == ()


def test_strays_are_not_taken_away_while_the_fleet_is_rolled() -> None:
    fleet = world(2, GOOD)
    lives = this_process("ops@desk")
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(60).ports(ports(fleet)), as_owner=lives)

    with pytest.raises(LeaseHeld):
        take_away("links-dev", (), (), ports(fleet), lives, fleet)


def test_what_no_roll_did_is_named_and_left_alone() -> None:
    fleet = world(2, GOOD)
    ports(fleet).scaling.enter_standby("links-dev", ["i-0000"], decrement=True)
    fleet.group = replace(fleet.group, suspended=frozenset({"ScheduledActions"}))

    found = chart(fleet).ailments

    assert [(each.kind, each.is_curable) for each in found] == [("standby", False), ("suspended", False)]


def test_a_soak_that_is_over_is_told_and_ends_with_the_next_roll_to_the_same() -> None:
    fleet = world(2, GOOD)
    soaking = POLICY.model_copy(update={"soak": 60})
    watch = Watch.of(fleet)
    rolled(fleet, policy=soaking, through=Cut(watch=watch).ports(ports(fleet)))
    assert sorted(fleet.lifecycles.values()) == ["InService", "InService", "Standby", "Standby"]
    assert chart(fleet).ailments == ()
    fleet.sleep(120)

    found = chart(fleet).ailments
    rolled(fleet, goal(), policy=soaking)

    assert [each.kind for each in found] == ["soak"]
    watch.ended("ami-new", 2)
    assert Records(ports(fleet).table, "links-dev").read() is None


def test_a_roll_back_within_the_soak_launches_nothing() -> None:
    fleet = world(2, GOOD)
    soaking = POLICY.model_copy(update={"soak": 60})
    watch = Watch.of(fleet)
    rolled(fleet, policy=soaking)
    machines = len(fleet.machines)
    began = fleet.time

    rolled(fleet, goal("ami-old", "1.0-1"), soaking, through=Cut(watch=watch).ports(ports(fleet)))

    assert len(fleet.machines) == machines
    assert fleet.time - began < 15
    assert {fleet.machines[each].instance.image for each in fleet.members} == {"ami-old"}

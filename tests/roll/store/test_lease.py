"""One roll at a time: taking, holding, losing and giving back a lease."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from bakeroll.errors import LeaseHeld
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state import owner as processes
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store.lease import Lease, LeaseLost, take
from tests.roll.cut import Cut
from tests.roll.scene import GOOD, goal, rolled


def taken(fleet: World, name: str = "ops@build-7") -> Lease:
    return take(ports(fleet).table, "links-dev", Owner(name), "deploy 2.0-1", fleet)


def test_a_lease_that_was_given_back_is_taken_at_once_with_the_next_number() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    first.release()
    before = fleet.time

    second = taken(fleet, "me")

    assert (first.number, second.number) == (1, 2)
    assert fleet.time - before < 1


def test_a_silent_holder_is_taken_over_after_a_duration_timed_here() -> None:
    fleet = world(1, GOOD)
    taken(fleet)
    before = fleet.time

    taken(fleet, "me")

    assert 15 <= fleet.time - before < 20


def test_a_holder_that_lost_its_lease_changes_nothing_and_gives_nothing_back() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    second = taken(fleet, "me")

    with pytest.raises(LeaseLost, match="on links-dev: me "):
        first.check()
    first.release()

    second.check()


def test_a_holder_that_slept_over_its_duration_holds_on_where_nobody_took_it() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    fleet.sleep(60)

    first.check()


def test_a_dead_process_of_this_machine_is_taken_over_at_once() -> None:
    fleet = world(1, GOOD)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = replace(processes.this_process("ops@desk"), pid=ended.pid, started="1")
    take(ports(fleet).table, "links-dev", dead, "deploy", fleet)
    before = fleet.time

    taken(fleet, "me")

    assert fleet.time - before < 1


def test_a_living_process_of_this_machine_is_told_at_once() -> None:
    fleet = world(1, GOOD)
    take(ports(fleet).table, "links-dev", processes.this_process("ops@desk"), "deploy", fleet)
    before = fleet.time

    with pytest.raises(LeaseHeld, match="last heartbeat was 0 s ago"):
        taken(fleet, "me")

    assert fleet.time - before < 1


def test_a_process_of_another_machine_is_neither_dead_nor_alive_to_us() -> None:
    other = Owner("ops@build-7", "another boot", os.getpid(), "1")

    assert not processes.is_dead(other)
    assert not processes.is_alive(other)


def test_a_roll_that_slept_between_two_changes_and_lost_its_lease_makes_no_second() -> None:
    fleet = world(2, GOOD)
    taken_by_another: list[Lease] = []

    def sleep_after_the_first_change() -> None:
        if cut.calls[-1] == "deregister" and not taken_by_another:
            fleet.sleep(60)
            taken_by_another.append(taken(fleet, "me"))

    cut = Cut(watch=sleep_after_the_first_change)

    with pytest.raises(LeaseLost, match="on links-dev: me "):
        rolled(fleet, goal(), through=cut.ports(ports(fleet)))

    assert cut.calls.count("deregister") == 1

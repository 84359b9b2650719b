"""The heartbeat of a lease: beside the work, whatever that waits for, and never for somebody else's lease."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime

import pytest
from pytest_mock import MockerFixture

from bakeroll.errors import CloudError, LeaseHeld, RollFailed
from bakeroll.roll.clock import SystemClock
from bakeroll.roll.operate.doctor import take_away
from bakeroll.roll.ports import Table
from bakeroll.roll.run.leader import Leader
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store import heartbeat, lease
from bakeroll.roll.store.lease import Lease, LeaseLost, take
from bakeroll.settings import Canary, Check
from tests.roll.cut import Cut
from tests.roll.scene import GOOD, POLICY, goal, rolled
from tests.roll.slower_table import SlowerTable

ENDS: list[BaseException | None] = [None, KeyboardInterrupt(), LeaseLost("lost"), CloudError("refused")]


def taken(fleet: World, name: str = "ops@build-7", table: Table | None = None) -> Lease:
    return take(table or ports(fleet).table, "links-dev", Owner(name), "deploy 2.0-1", fleet)


@dataclass
class Shared:
    """A clock by which another goes on while time passes."""

    fleet: World
    goes_on: Callable[[], object]

    def now(self) -> datetime:
        return self.fleet.now()

    def monotonic(self) -> float:
        return self.fleet.monotonic()

    def sleep(self, seconds: float) -> None:
        self.fleet.sleep(seconds)
        self.goes_on()


def work(fleet: World, seconds: float) -> Callable[[float], bool]:
    """Work that blocks for so long: whether it has ended after a pause."""
    ends = fleet.time + seconds

    def has_ended(pause: float) -> bool:
        fleet.sleep(pause)
        return fleet.time >= ends

    return has_ended


@contextmanager
def leaving_no_thread() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_a_holder_whose_work_blocks_keeps_its_lease_by_its_heartbeat() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    began = fleet.time

    while fleet.time - began < 120:
        with pytest.raises(LeaseHeld, match="ops@build-7 has been rolling links-dev"):
            take(ports(fleet).table, "links-dev", Owner("me"), "deploy", Shared(fleet, first.beat))

    first.check()


def test_it_beats_five_times_in_a_duration_until_the_work_ends() -> None:
    fleet = world(1, GOOD)
    table = SlowerTable(ports(fleet).table)
    first = taken(fleet, table=table)

    heartbeat.beat(first, work(fleet, 150))

    assert 40 <= table.puts <= 50


def test_a_heartbeat_that_fails_is_tried_again_and_nothing_is_lost() -> None:
    fleet = world(1, GOOD)
    table = SlowerTable(ports(fleet).table)
    first = taken(fleet, table=table)
    refusals = iter([CloudError("PutItem: Throttling"), OSError("no route")])

    def refuse() -> None:
        for error in refusals:
            raise error

    table.before = refuse

    heartbeat.beat(first, work(fleet, 14))

    assert table.puts == 1 + 2 + 2  # the taking, the two refused, and two more
    first.check()


def test_what_the_heartbeat_found_lost_is_told_at_the_next_check_with_no_further_call() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    fleet.sleep(20)
    second = taken(fleet, "me")
    heartbeat.beat(first, work(fleet, 10))
    calls = fleet.time

    with pytest.raises(LeaseLost, match="lost the lease on links-dev: me"):
        first.check()
    first.release()

    assert fleet.time == calls
    second.check()


def test_a_lost_lease_beats_no_more() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    fleet.sleep(20)
    taken(fleet, "me")
    before = fleet.time

    heartbeat.beat(first, work(fleet, 600))

    assert fleet.time - before < 10


def test_a_heartbeat_whose_answer_came_after_the_lease_ran_out_proves_nothing() -> None:
    fleet = world(1, GOOD)
    table = SlowerTable(ports(fleet).table)
    first = taken(fleet, table=table)

    def stop_until_another_took_it() -> None:
        table.after = lambda: None
        fleet.sleep(60)
        taken(fleet, "me")

    fleet.sleep(5)
    table.after = stop_until_another_took_it

    with pytest.raises(CloudError, match="which is too long"):
        first.check()
    with pytest.raises(LeaseLost, match="on links-dev: me "):
        first.check()


def test_a_heartbeat_that_took_too_long_is_followed_by_another_and_the_roll_goes_on_where_nobody_took_it() -> None:
    fleet = world(2, GOOD)
    table = SlowerTable(ports(fleet).table)
    first = taken(fleet, table=table)
    fleet.sleep(5)
    table.after = lambda: fleet.sleep(60)
    with suppress(CloudError):
        first.check()
    table.after = lambda: None

    first.check()


def test_nothing_is_beaten_after_the_lease_was_given_back() -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)
    first.release()
    fleet.sleep(5)

    first.beat()

    held = lease.read_holding(ports(fleet).table, "links-dev")
    assert held
    assert not held.is_held


def test_a_roll_that_lost_its_lease_while_it_looked_leaves_the_record_alone() -> None:
    fleet = world(2, GOOD)
    check = Check(command=("./smoke",))
    policy = POLICY.model_copy(update={"strategy": "canary", "canary": Canary(watch=5, interval=1, checks=(check,))})
    records = []

    def be_stopped(_: str) -> str:
        fleet.sleep(60)
        taken(fleet, "me")
        records.append(fleet.table["fleet#links-dev", "roll"])
        cut.calls.clear()
        return "503 Service Unavailable"

    fleet.probed = be_stopped
    cut = Cut()

    with pytest.raises(LeaseLost, match="on links-dev: me "):
        rolled(fleet, policy=policy, through=cut.ports(ports(fleet)))

    assert [fleet.table["fleet#links-dev", "roll"]] == records
    assert set(cut.calls) <= {"console", "get", "put"}


@pytest.mark.parametrize("error", ENDS, ids=lambda each: type(each).__name__)
def test_the_thread_ends_with_the_work_however_that_ends(error: BaseException | None) -> None:
    fleet = world(1, GOOD)
    first = taken(fleet)

    with leaving_no_thread(), pytest.raises(type(error)) if error else nullcontext(), heartbeat.beside(first):
        threads = {each.name: each for each in threading.enumerate()}
        assert threads["heartbeat"].daemon
        if error:
            raise error


def test_a_heartbeat_that_hangs_keeps_nobody_from_ending() -> None:
    fleet = world(1, GOOD)
    table = SlowerTable(ports(fleet).table)
    first = take(table, "links-dev", Owner("me"), "deploy", SystemClock(), seconds=0.05)
    hangs, may_go_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        may_go_on.wait(60)

    table.before = hang

    with heartbeat.beside(first):
        assert hangs.wait(60)
    first.release()

    thread = next(each for each in threading.enumerate() if each.name == "heartbeat")
    may_go_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert table.puts == 2  # the taking, and the one that hung


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_roll_beats_from_its_taking_of_the_lease_until_it_ends(is_refused: bool) -> None:
    fleet = world(2, GOOD)
    seen: list[str] = []
    if is_refused:
        fleet.images.pop("ami-new")

    @contextmanager
    def beating(held: Lease) -> Iterator[None]:
        seen.append(f"lease {held.number}")
        try:
            yield
        finally:
            found = lease.read_holding(ports(fleet).table, "links-dev")
            seen.append("ended before it was given back" if found and found.is_held else "too late")

    with pytest.raises(RollFailed) if is_refused else nullcontext():
        roll(goal(), POLICY, Leader(ports(fleet), Owner("me"), fleet, lambda _: None, beating=beating))

    assert seen == ["lease 1", "ended before it was given back"]


def test_the_doctor_beats_as_well_while_it_takes_away() -> None:
    fleet = world(2, GOOD)
    seen: list[int] = []

    @contextmanager
    def beating(held: Lease) -> Iterator[None]:
        seen.append(held.number)
        yield

    take_away("links-dev", (), (), ports(fleet), Owner("me"), fleet, beating)

    assert seen == [1]


def test_the_time_that_a_suspended_machine_sleeps_counts(mocker: MockerFixture) -> None:
    since = {time.CLOCK_BOOTTIME: 160.0, time.CLOCK_MONOTONIC: 100.0}
    mocker.patch("time.clock_gettime", side_effect=since.__getitem__)

    assert SystemClock().monotonic() == 160

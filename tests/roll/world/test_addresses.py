"""Targets by address: the roll alone registers them, so the roll alone can deregister those whose instance ended."""

from dataclasses import replace

import pytest

from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import ADDRESS, NAME, Machine, Target
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.record import Record
from bakeroll.roll.store.records import Records
from bakeroll.roll.view.settled import settled
from bakeroll.roll.world.observe import observe
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, goal, rolled

TO = replace(goal(), target_groups=("tg-b",))
NEXT = replace(goal("ami-next", "3.0-1"), target_groups=("tg-b",))


def by_address() -> World:
    """The second target group is of the type ip, and no group's own."""
    fleet = world(2, GOOD)
    first, second = fleet.target_groups
    fleet.target_groups = (first, replace(second, type="ip"))
    fleet.group = replace(fleet.group, target_groups=(first.arn,))
    return fleet


def registered(fleet: World) -> set[str]:
    fleet.sleep(30)
    return {each for each, target in fleet.targets["tg-b"].items() if target.drains is None}


def cut_off(fleet: World) -> Record:
    with pytest.raises(Killed):
        rolled(fleet, TO, through=Cut(60).ports(ports(fleet)))
    record = Records(ports(fleet).table, NAME).read()
    assert record
    return record


def test_what_dies_while_its_roll_is_cut_off_is_deregistered_by_who_goes_on() -> None:
    fleet = by_address()
    cut_off(fleet)
    fleet.set_state("i-0000", "terminated")
    fleet.sleep(10)

    rolled(fleet, TO)

    assert registered(fleet) == set(fleet.lifecycles)


def test_what_died_since_the_last_roll_is_deregistered_by_the_next() -> None:
    fleet = by_address()
    rolled(fleet, TO)
    fleet.sleep(30)
    died = min(fleet.lifecycles)
    fleet.set_state(died, "terminated")
    assert died in registered(fleet)

    rolled(fleet, NEXT)

    assert registered(fleet) == set(fleet.lifecycles)


def test_one_that_left_its_group_and_lives_stays_registered() -> None:
    fleet = by_address()
    rolled(fleet, TO)
    fleet.sleep(30)
    detached = min(fleet.lifecycles)
    del fleet.lifecycles[detached]
    machine = fleet.machines[detached]
    machine.instance = replace(machine.instance, tags={})

    rolled(fleet, NEXT)

    assert registered(fleet) == {detached, *fleet.lifecycles}


def test_what_others_registered_stays() -> None:
    fleet = by_address()
    ended = replace(fleet.machines["i-0000"].instance, id="i-ffff", address="", state="terminated")
    fleet.machines["i-ffff"], fleet.targets["tg-b"]["i-ffff"] = Machine(ended, 0), Target(0)

    rolled(fleet, TO)

    assert registered(fleet) == {"i-ffff", *fleet.lifecycles}


def test_an_address_that_another_of_the_fleet_has_by_now_is_not_forsaken() -> None:
    fleet = by_address()
    record = cut_off(fleet)
    reused = replace(record, addresses={**record.addresses, "i-ffff": f"{ADDRESS}i-0000"})

    assert observe(NAME, ports(fleet), reused).forsaken == ()


def test_an_address_that_is_registered_no_more_is_forgotten() -> None:
    fleet = by_address()
    record = cut_off(fleet)
    assert {"i-0000", "i-0001"} <= record.addresses.keys()
    fleet.set_state("i-0000", "terminated")
    del fleet.targets["tg-b"]["i-0000"]

    after = settled(observe(NAME, ports(fleet), record), record)

    assert after.addresses.keys() == record.addresses.keys() - {"i-0000"}


def test_an_instance_that_ec2_does_not_show_for_a_moment_keeps_its_address() -> None:
    fleet = by_address()
    record = cut_off(fleet)
    fleet.machines["i-0000"].launched, fleet.hidden = fleet.time, 5

    after = settled(observe(NAME, ports(fleet), record), record)

    assert after.addresses == record.addresses


def test_without_targets_by_address_ec2_is_asked_nothing_more() -> None:
    fleet, cut = world(2, GOOD), Cut()

    rolled(fleet, through=cut.ports(ports(fleet)))

    assert "ended" not in cut.calls

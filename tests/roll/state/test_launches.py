"""Requests for instances, and what is known of their answers."""

from dataclasses import replace

import pytest

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, Fleet, Instance, Subnet
from bakeroll.roll.state.launches import Launches, LaunchTag, RecordedSlot

SLOT = RecordedSlot("2", Subnet("subnet-a", "a"), 2)
EARLIER = LaunchTag("r0", "0")
TWO = Launches((SLOT, SLOT), unheard=(EARLIER,))


def fleet(*instances: Instance) -> Fleet:
    return Fleet("links-dev", 1, 8, 2, "lt-1", "1", "ami-old", instances=instances)


def launched(identifier: str, slot: int, roll: str = "r1") -> Instance:
    return Instance(identifier, "ami-new", tags={ROLL_TAG: roll, SLOT_TAG: str(slot)})


def test_a_request_whose_answer_was_lost_is_answered_by_its_instances_when_all_are_there() -> None:
    shown = fleet(launched("a", 0), launched("b", 0), launched("c", 1), launched("d", 1, roll="another"))

    settled = TWO.settled(shown, "r1")

    assert [each.instances for each in settled.slots] == [("a", "b"), None]
    assert (settled.instances, settled.open) == (("a", "b"), (1,))


def test_a_request_that_launched_nothing_is_not_open() -> None:
    assert TWO.with_none(0).open == (1,)


def test_backing_out_wants_no_request_so_far_and_those_without_an_answer_stay_silent() -> None:
    given_up = TWO.with_instances(0, ("a", "b")).given_up()
    later = replace(given_up, slots=(*given_up.slots, replace(SLOT, instances=("c", "d"))))

    assert given_up.open == ()
    assert (later.instances, later.wanted) == (("a", "b", "c", "d"), ("c", "d"))
    assert later.silent("r1") == (EARLIER, LaunchTag("r1", "1"))


@pytest.mark.parametrize("dead", [TWO, TWO.given_up()])
def test_a_roll_that_takes_over_has_launched_nothing_and_knows_what_was_not_answered(dead: Launches) -> None:
    taken = dead.of_dead("r1")

    assert taken == Launches(unheard=(EARLIER, LaunchTag("r1", "0"), LaunchTag("r1", "1")))

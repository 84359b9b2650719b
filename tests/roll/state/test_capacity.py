"""What the capacity ledger makes of a change whose answer was lost, as a table: what was announced, what is shown.

Desired capacity is 2 before, and nobody else changes it.
"""

from dataclasses import replace
from typing import NamedTuple

import pytest

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.state.capacity import Capacity, Resize, Transfer

FLEET = Fleet("links-dev", 0, 8, 2, "lt-1", "1", "ami-old")


def fleet(desired: int, **lifecycles: str) -> Fleet:
    """With these instances; "gone" is one that died outside the group."""
    instances = (
        Instance(each, "ami-new", state="terminated") if it == "gone" else Instance(each, "ami-new", lifecycle=it)
        for each, it in lifecycles.items()
    )
    return replace(FLEET, desired=desired, instances=tuple(instances))


class Row(NamedTuple):
    sentence: str
    announced: Capacity
    shown: Fleet
    settled: Capacity


ATTACHING = Capacity().with_attach(2, ("a", "b"))
LEAVING = Capacity(attached=("a", "b")).with_leaving(4, ("x", "y"))
LEFT = replace(LEAVING, leaving=None)

ROWS = [
    Row("an attach that was done", ATTACHING, fleet(4, a="InService", b="Pending"), Capacity(attached=("a", "b"))),
    Row("an attach that was not done", ATTACHING, fleet(2, a="", b=""), Capacity()),
    Row(
        "one that died before it was attached", ATTACHING, fleet(3, a="InService", b="gone"), Capacity(attached=("a",))
    ),
    Row("one that died afterwards", ATTACHING, fleet(4, a="InService", b="gone"), Capacity(attached=("a", "b"))),
    Row("a leaving that was done", LEAVING, fleet(2, a="InService", b="InService"), LEFT),
    Row(
        "a leaving that was not done",
        LEAVING,
        fleet(4, a="InService", b="InService", x="InService", y="InService"),
        Capacity(attached=("a", "b")),
    ),
    Row(
        "one that left by itself, and not with its capacity",
        LEAVING,
        fleet(3, a="InService", b="InService"),
        Capacity(attached=("a", "b"), decremented=("x",)),
    ),
    Row("a raise that was done", Capacity(raising=Resize(2, 5)), fleet(5), Capacity(raised=3)),
    Row("a raise that was not done", Capacity(raising=Resize(2, 5)), fleet(2), Capacity()),
    Row("a raise beside somebody's own", Capacity(raising=Resize(2, 5)), fleet(6), Capacity(raised=3)),
    Row("a lowering that was done", Capacity(raised=3, lowering=Resize(5, 2)), fleet(2), Capacity(raised=3, lowered=3)),
    Row("a lowering that was not done", Capacity(raised=3, lowering=Resize(5, 2)), fleet(5), Capacity(raised=3)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_the_group_shows_of(row: Row) -> None:
    assert row.announced.settled(row.shown, ()) == row.settled


def test_one_that_was_brought_back_and_still_stands_by_was_not_attached() -> None:
    shown = fleet(2, a="Standby", b="InService")

    settled = Capacity(attached=("a", "b")).settled(shown, ["a"])

    assert settled.attached == ("b",)


def test_who_lowers_desired_capacity_to_the_minimum_took_of_what_the_roll_had_added() -> None:
    shown = replace(fleet(2), minimum=2)

    settled = Capacity(raised=2).settled(shown, ())

    assert (settled.added, shown.desired - settled.added) == (0, 2)


def test_leavings_are_answered_one_by_one() -> None:
    answered = LEAVING.after_leaving(["x"])

    assert answered.leaving == Transfer(3, ("y",))
    assert answered.after_leaving(["y"]) == LEFT

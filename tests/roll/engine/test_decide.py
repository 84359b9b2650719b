"""What is decided, as a table: a sentence a row, the whole decision compared."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from bakeroll.fleet import Answer, Fleet, Health, Warm
from bakeroll.roll.engine.decide import decide
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.capacity import Capacity, Resize, Transfer
from bakeroll.roll.state.decision import Act, Decision, Done, Failed, Wait
from bakeroll.roll.state.launches import Launches, RecordedSlot
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record, TemplateVersions
from bakeroll.roll.view.settled import settled
from bakeroll.roll.view.view import View
from tests.roll.halfway import (
    ATTACHED,
    BACK,
    BOTH,
    COMMITTED,
    FLEET,
    FRESH,
    GROUP,
    LAUNCHED,
    MADE,
    MEMBERS,
    NOW,
    OLD,
    ONE_LEFT,
    PROVEN,
    RETIRED,
    RETIRING,
    SUBNET,
    UNHEARD,
    instance,
    new,
)
from tests.roll.scene import POLICY, goal

TAGS = {
    "Name": "links-dev",
    "bakeroll:application": "links",
    "bakeroll:environment": "dev",
    "bakeroll:version": "2.0-1",
    "bakeroll:roll": "r1",
}


def attaching(record: Record, *ids: str) -> Record:
    return replace(record, capacity=replace(record.capacity, attached=ids, attaching=Transfer(2, ids)))


def launch(slot: int) -> act.Launch:
    return act.Launch(slot, {**TAGS, "bakeroll:slot": str(slot)})


class Row(NamedTuple):
    sentence: str
    fleet: Fleet
    record: Record
    memory: Memory
    decision: Decision


ROWS = [
    Row(
        "a new roll makes its launch template version, announced beforehand",
        FLEET,
        FRESH,
        Memory(),
        Act(replace(FRESH, versions=TemplateVersions(making=("r1",))), (act.MakeVersion("lt-1", "1", "ami-new"),)),
    ),
    Row(
        "AZRebalance is suspended before anything is launched",
        replace(FLEET, suspended=frozenset()),
        replace(MADE, suspended=()),
        Memory(),
        Act(MADE, (act.Suspend(("AZRebalance",)),)),
    ),
    Row(
        "as many are launched as the fleet wants, by one request for each subnet",
        FLEET,
        MADE,
        Memory(),
        Act(replace(MADE, launches=Launches((RecordedSlot("2", SUBNET, 2),))), (launch(0),)),
    ),
    Row(
        "a slot whose instance is not known is launched again, with the same number",
        FLEET,
        UNHEARD,
        Memory(),
        Act(UNHEARD, (launch(0), launch(1))),
    ),
    Row(
        "an instance that told the version is registered, the one that did not is not",
        replace(FLEET, instances=(*OLD, new("i-2", ""), new("i-3", ""))),
        LAUNCHED,
        Memory(answers={"i-2": Answer("2.0-1")}),
        Act(LAUNCHED, (act.Register(GROUP, ("i-2",)),)),
    ),
    Row(
        "an instance that tells another version fails the roll",
        replace(FLEET, instances=(*OLD, new("i-2", "", answer=Answer("1.9-1")), new("i-3", ""))),
        LAUNCHED,
        Memory(),
        Failed("i-2 says that it runs 1.9-1, not 2.0-1", "i-2"),
    ),
    Row(
        "one healthy observation is not enough",
        replace(FLEET, instances=BOTH),
        LAUNCHED,
        replace(PROVEN, healthy={"i-2": 2, "i-3": 1}),
        Wait("i-3", "healthy 1 of 2 times", NOW, NOW + 20),
    ),
    Row(
        "an instance that is not in service in time fails the roll, and says why",
        replace(FLEET, instances=(*OLD, new("i-2"), new("i-3", "unhealthy"))),
        LAUNCHED,
        replace(PROVEN, waiting={"i-3": NOW - 20}),
        Failed("i-3 was not in service after 20 s: unhealthy", "i-3"),
    ),
    Row(
        "an instance whose service fails again and again fails the roll before its time",
        replace(FLEET, instances=(*OLD, new("i-2", ""), new("i-3", ""))),
        LAUNCHED,
        Memory(crashing={"i-3": "links.service ended with exit-code 1, 5 times"}),
        Failed("i-3 does not come into service: links.service ended with exit-code 1, 5 times", "i-3"),
    ),
    Row(
        "when all are in service they are attached, announced beforehand",
        replace(FLEET, instances=BOTH),
        LAUNCHED,
        PROVEN,
        Act(attaching(LAUNCHED, "i-2", "i-3"), (act.Attach(("i-2", "i-3")),)),
    ),
    Row(
        "a group without room has its maximum raised first",
        replace(FLEET, instances=BOTH, maximum=3),
        LAUNCHED,
        PROVEN,
        Act(replace(LAUNCHED, capacity=Capacity(maxima=(4,))), (act.SetMaximum(3, 4),)),
    ),
    Row(
        "desired capacity that attaching added and nothing fills is taken back",
        replace(FLEET, desired=4, instances=MEMBERS[2:]),
        ATTACHED,
        PROVEN,
        Act(replace(ATTACHED, capacity=replace(ATTACHED.capacity, lowering=Resize(4, 2))), (act.LowerDesired(4, 2),)),
    ),
    Row(
        "the commit point comes when the new ones serve from inside the group",
        replace(FLEET, desired=4, instances=MEMBERS),
        ATTACHED,
        PROVEN,
        Act(ATTACHED, (act.SetTemplate("1", "2"),)),
    ),
    Row(
        "after it the old ones are chosen and deregistered",
        COMMITTED,
        ATTACHED,
        PROVEN,
        Act(RETIRING, (act.Deregister(GROUP, ("i-0", "i-1")),)),
    ),
    Row(
        "but first goes what is in the warm pool of another version",
        replace(COMMITTED, template_number="2", warm=(Warm("i-8", "lt-1", "1"), Warm("i-9", "lt-1", "2"))),
        ATTACHED,
        PROVEN,
        Act(ATTACHED, (act.Cool(("i-8",)),)),
    ),
    Row(
        "before it the warm pool is left alone",
        replace(FLEET, instances=BOTH, warm=(Warm("i-8", "lt-1", "9"),)),
        LAUNCHED,
        PROVEN,
        Act(attaching(LAUNCHED, "i-2", "i-3"), (act.Attach(("i-2", "i-3")),)),
    ),
    Row(
        "while a new one is out of service, only as many old ones go as the floor allows",
        COMMITTED,
        ATTACHED,
        replace(PROVEN, healthy={"i-2": 2, "i-3": 0}),
        Act(replace(ATTACHED, retiring=("i-0",)), (act.Deregister(GROUP, ("i-0",)),)),
    ),
    Row(
        "draining is waited for",
        replace(COMMITTED, instances=(instance("i-0", "ami-old", "draining"), *MEMBERS[2:]), desired=3),
        ONE_LEFT,
        replace(PROVEN, draining={"i-0": NOW - 5}),
        Wait("i-0", "draining", NOW - 5, NOW + 15),
    ),
    Row(
        "what has drained is retired, its capacity with it",
        replace(COMMITTED, instances=(instance("i-0", "ami-old", ""), *MEMBERS[2:]), desired=3),
        ONE_LEFT,
        PROVEN,
        Act(
            replace(ONE_LEFT, capacity=ONE_LEFT.capacity.with_leaving(3, ("i-0",))),
            (act.Retire("i-0", True, 3),),
        ),
    ),
    Row(
        "at the end the processes are resumed",
        replace(COMMITTED, desired=2, instances=MEMBERS[2:]),
        RETIRED,
        PROVEN,
        Act(RETIRED, (act.Resume(("AZRebalance",)),)),
    ),
    Row(
        "and then it is done",
        replace(COMMITTED, desired=2, instances=MEMBERS[2:], suspended=frozenset()),
        RETIRED,
        PROVEN,
        Done(),
    ),
    Row(
        "backing out, what the warm pool was given of the new version goes",
        replace(FLEET, instances=BOTH, warm=(Warm("i-8", "lt-1", "1"), Warm("i-9", "lt-1", "2"))),
        BACK,
        PROVEN,
        Act(BACK, (act.Cool(("i-9",)),)),
    ),
    Row(
        "backing out, the new ones go first",
        replace(FLEET, instances=BOTH),
        BACK,
        PROVEN,
        Act(replace(BACK, retiring=("i-2", "i-3")), (act.Deregister(GROUP, ("i-2", "i-3")),)),
    ),
    Row(
        "backing out, a launch without an answer is waited for as long as AWS may yet show its instance",
        FLEET,
        replace(BACK, launches=Launches(slots=(RecordedSlot("2", SUBNET),), wanted_from=1)),
        replace(PROVEN, began=NOW),
        Wait("launch 0 of roll r1", "got no answer, AWS may still show its instance", NOW, NOW + 120),
    ),
    Row(
        "backing out after the commit point begins with the group's template version",
        COMMITTED,
        replace(BACK, capacity=ATTACHED.capacity),
        PROVEN,
        Act(replace(BACK, capacity=ATTACHED.capacity), (act.SetTemplate("2", "1"),)),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_decision(row: Row) -> None:
    assert decide(View.of(row.fleet, goal(), POLICY, settled(row.fleet, row.record), row.memory, NOW)) == row.decision


def test_backing_out_to_what_cannot_be_launched_keeps_what_serves_alone_until_the_old_ones_had_their_time() -> None:
    old = tuple(replace(each, health={"tg": Health("initial")}) for each in OLD)
    fleet = replace(FLEET, desired=4, instances=(*old, *MEMBERS[2:]))
    found = replace(BACK.found, serving=0, is_launchable=False)
    record = replace(BACK, found=found, capacity=Capacity(attached=("i-2", "i-3")))

    decision = decide(View.of(fleet, goal(), POLICY, settled(fleet, record), PROVEN, NOW))

    assert decision == Wait("i-2", "cannot be retired yet", NOW, NOW + POLICY.in_service_timeout)

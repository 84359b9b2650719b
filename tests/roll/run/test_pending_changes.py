"""What a group shows of what was done to it, as a table: the action, the group before it and after it."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from bakeroll.fleet import Fleet, Group, Instance, RefreshState
from bakeroll.roll.run.pending_changes import PendingChange, is_visible
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.record import InstanceRefresh
from bakeroll.roll.view.settled import STALE_SECONDS
from bakeroll.roll.view.unseen import UNSEEN_SECONDS
from tests.roll.halfway import FLEET, FRESH, instance

TWIN = Group("links-dev-green", 1, 8, 2, "lt-1", "2")
SWITCHED = replace(TWIN, suspended=frozenset(act.FROZEN))


def member(state: str) -> Fleet:
    return replace(FLEET, instances=(replace(instance("i-0", "ami-old"), lifecycle=state),))


def refresh(identifier: str, status: str) -> Fleet:
    return replace(FLEET, refresh=RefreshState(identifier, status))


class Row(NamedTuple):
    action: act.Action
    before: Fleet
    after: Fleet


ROWS = (
    Row(act.Attach(("i-0",)), member(""), member("InService")),
    Row(act.Return(("i-0",)), member("Standby"), member("Pending")),
    Row(act.StandBy(("i-0",), decrement=True), member("InService"), member("EnteringStandby")),
    Row(act.Retire("i-0", True, 2), member("InService"), member("Terminating:Wait")),
    Row(act.Retire("i-0", True, 2), member("Standby"), replace(FLEET, instances=())),
    Row(act.RaiseDesired(2, 4), FLEET, replace(FLEET, desired=4)),
    Row(act.LowerDesired(4, 2), replace(FLEET, desired=4), FLEET),
    Row(act.LowerDesired(4, 3), replace(FLEET, desired=4), replace(FLEET, desired=4, instances=FLEET.instances * 2)),
    Row(act.SetMaximum(8, 9), FLEET, replace(FLEET, maximum=9)),
    Row(act.SetTemplate("1", "2"), FLEET, replace(FLEET, template_version="2")),
    Row(act.Suspend(("Launch",)), FLEET, replace(FLEET, suspended=frozenset({"AZRebalance", "Launch"}))),
    Row(act.Resume(("AZRebalance",)), FLEET, replace(FLEET, suspended=frozenset())),
    Row(
        act.Resume(("Launch",), TWIN.name),
        replace(FLEET, twin=replace(TWIN, suspended=frozenset({"Launch"}))),
        replace(FLEET, twin=TWIN),
    ),
    Row(act.StartRefresh("lt-1", "2"), refresh("an earlier one", "Successful"), refresh("refresh-1", "Pending")),
    Row(act.CancelRefresh(), refresh("refresh-1", "InProgress"), refresh("refresh-1", "Cancelling")),
    Row(act.Clone(TWIN.name, "2", {}), FLEET, replace(FLEET, twin=TWIN)),
    Row(
        act.Size(TWIN.name, 1, 2, 8),
        replace(FLEET, twin=replace(TWIN, desired=0)),
        replace(FLEET, twin=TWIN),
    ),
    Row(
        act.Switch(TWIN.name, FLEET.name, ("AZRebalance",)),
        replace(FLEET, twin=TWIN),
        replace(FLEET, twin=SWITCHED),
    ),
    Row(act.DeleteTwin(TWIN.name), replace(FLEET, twin=TWIN), replace(FLEET, twin=replace(TWIN, is_deleting=True))),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: repr(row.action)[:60])
def test_an_action_is_shown_by_the_group_alone(row: Row) -> None:
    record = replace(FRESH, refresh=InstanceRefresh("refresh-1"))

    assert not is_visible(row.action, row.before, record)
    assert is_visible(row.action, row.after, record)


def test_that_an_instance_has_ended_does_not_show_that_its_group_let_it_go() -> None:
    ended = replace(FLEET, instances=(Instance("i-0", "ami-old", state="terminated", lifecycle="InService"),))

    assert not is_visible(act.Retire("i-0", True, 2), ended, FRESH)


def test_what_was_answered_is_awaited_longer_than_what_may_not_have_been_done() -> None:
    tried = PendingChange(act.RaiseDesired(2, 4), since=100)

    assert tried.is_awaited(FLEET, FRESH, 100 + STALE_SECONDS - 1)
    assert not tried.is_awaited(FLEET, FRESH, 100 + STALE_SECONDS)
    assert tried.answered().is_awaited(FLEET, FRESH, 100 + STALE_SECONDS)
    assert not tried.answered().is_awaited(FLEET, FRESH, 100 + UNSEEN_SECONDS)

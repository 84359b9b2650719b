"""The strategy `refresh`: AWS's instance refresh replaces the instances, with our checks before and after. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-instance-refresh.html
"""

from dataclasses import replace

from bakeroll.fleet import RefreshState
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Act, Decision, Failed, Wait
from bakeroll.roll.state.record import InstanceRefresh
from bakeroll.roll.view.settled import STALE_SECONDS
from bakeroll.roll.view.view import View


def hand_over(view: View) -> Decision | None:
    """Start the refresh, wait for it, and report how it ended."""
    found = view.fleet.refresh
    if not view.is_refreshing:
        return None
    if view.retiring and not view.record.refresh.id:
        return None  # instances that an earlier roll chose to retire go first: AWS would wait for their health
    made = view.record.versions.made
    mine = found if found and made and found.version == made else None
    if mine and not view.record.refresh.id:
        return _noted(view, replace(view.record.refresh, id=mine.id))  # it started, and the answer was lost
    if not view.record.refresh.id:
        if _is_whole(view):
            return _noted(view, replace(view.record.refresh, is_done=True))
        return view.do(act.StartRefresh(view.record.found.template, made))
    return _followed(view, mine)


def _noted(view: View, refresh: InstanceRefresh) -> Act:
    return view.do(record=replace(view.record, refresh=refresh))


def _is_whole(view: View) -> bool:
    return view.is_committed and not (view.outgoing or view.retiring)


def _followed(view: View, found: RefreshState | None) -> Decision:
    if found is None:
        return view.awaits(view.record.refresh.id, "started, not shown by AWS yet")
    if found.status == "Successful":
        return _noted(view, replace(view.record.refresh, is_done=True))
    if found.is_over or found.status.startswith("Rollback"):
        why = f": {found.reason}" if found.reason else ""
        return Failed(f"the instance refresh {found.id} of {view.fleet.name} ended as {found.status}{why}")
    since = view.memory.waiting.get(found.id, view.now)
    why = f"{found.status}, {found.percent} % {found.reason}".rstrip()
    return Wait(found.id, why, since, since + view.policy.refresh.timeout)


def stop(view: View) -> Decision | None:
    """Cancel a refresh of a dead roll, or of this one if it backs out. Then back out what the refresh did, as ever."""
    found = view.fleet.refresh
    if found is None or found.version not in view.record.versions.ours:
        return None
    if found.is_over:
        return _ending(view, found)
    if view.is_refreshing and found.version == view.record.versions.made:
        return None
    if found.status in ("Pending", "InProgress", "Baking"):
        return view.do(act.CancelRefresh())
    since = view.memory.waiting.get(found.id, view.now)
    return Wait(found.id, found.status, since, since + view.policy.refresh.timeout)


def _ending(view: View, found: RefreshState) -> Decision | None:
    """Wait until the group shows what it launches from after the refresh: AWS may show that late."""
    since = view.memory.over.get(found.id, view.now)
    if view.now - since >= STALE_SECONDS:
        return None
    return Wait(view.fleet.name, f"does not show the end of {found.id} yet", since, since + 2 * STALE_SECONDS)

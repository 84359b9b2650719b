"""The strategy `refresh`: AWS's instance refresh replaces the instances, with our checks before and after. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-instance-refresh.html
"""

from bakeroll.fleet import RefreshState
from bakeroll.roll.engine.turn import Turn
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Decision, Failed, Wait
from bakeroll.roll.world.standing import STALE_SECONDS


def hand_over(turn: Turn) -> Decision | None:
    """Start the refresh, wait for it, and say truthfully how it ended."""
    found = turn.fleet.refresh
    if not turn.is_refreshing:
        return None
    if turn.going and not turn.record.refresh:
        return None  # what a roll before this one chose to go, goes first: AWS would wait for its health
    mine = found if found and turn.record.made and found.version == turn.record.made else None
    if mine and not turn.record.refresh:
        return turn.do(refresh=mine.id)  # started, and the answer was lost
    if not turn.record.refresh:
        if _is_whole(turn):
            return turn.do(is_refreshed=True)
        return turn.do(act.StartRefresh(turn.record.found.template, turn.record.made))
    return _followed(turn, mine)


def _is_whole(turn: Turn) -> bool:
    return turn.is_committed and not turn.at.wrong


def _followed(turn: Turn, found: RefreshState | None) -> Decision:
    if found is None:
        return turn.awaits(turn.record.refresh, "started, not shown by AWS yet")
    if found.status == "Successful":
        return turn.do(is_refreshed=True)
    if found.is_over or found.status.startswith("Rollback"):
        why = f": {found.reason}" if found.reason else ""
        return Failed(f"the instance refresh {found.id} of {turn.fleet.name} ended as {found.status}{why}")
    since = turn.memory.waiting.get(found.id, turn.now)
    why = f"{found.status}, {found.percent} % {found.reason}".rstrip()
    return Wait(found.id, why, since, since + turn.policy.refresh.timeout)


def stop(turn: Turn) -> Decision | None:
    """A refresh that a dead roll started, or this one and backs out; what it did is taken back as any roll's."""
    found = turn.fleet.refresh
    if found is None or found.version not in turn.record.versions:
        return None
    if found.is_over:
        return _ending(turn, found)
    if turn.is_refreshing and found.version == turn.record.made:
        return None
    if found.status in ("Pending", "InProgress", "Baking"):
        return turn.do(act.CancelRefresh())
    since = turn.memory.waiting.get(found.id, turn.now)
    return Wait(found.id, found.status, since, since + turn.policy.refresh.timeout)


def _ending(turn: Turn, found: RefreshState) -> Decision | None:
    """What the group launches from changes with a refresh, and the group may not describe itself so at once."""
    since = turn.memory.over.get(found.id, turn.now)
    if turn.now - since >= STALE_SECONDS:
        return None
    return Wait(turn.fleet.name, f"describes itself as before {found.id} ended", since, since + 2 * STALE_SECONDS)

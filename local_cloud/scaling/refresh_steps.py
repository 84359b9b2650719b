"""What an instance refresh does next to its group. Pure.

Launching is left to capacity.py: a refresh says how many more than the desired capacity the group may have just now,
and which members go. The rules are AWS's:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from local_cloud.scaling.capacity import COUNTED
from local_cloud.scaling.refresh import Member, Preferences, Refresh, Rollback, Scene, Status, Turn
from local_cloud.scaling.warm_pool import READY

RELEASE_SECONDS = 3600
"""Seconds to wait for somebody to release the protected and those in Standby; AWS's own."""


MOST_FAILURES = 3
"""Launches that fail, or new instances that turn out unhealthy, until the refresh is given up. AWS gives no figure."""


def decide(refresh: Refresh, scene: Scene) -> Turn:
    """The next step of an active refresh."""
    if refresh.status == "Cancelling":
        return Turn(refresh if _is_under_way(scene) else _ended(refresh, "Cancelled", scene.now))
    if trouble := _trouble(refresh, scene):
        return Turn(_failed(refresh, trouble, scene))
    if refresh.status == "Pending":
        refresh = replace(refresh, status="InProgress")
    refresh = _measured(refresh, scene)
    quota = len(_left(refresh, scene)) - _kept(refresh)
    if quota <= 0 and not scene.is_paused:
        if not _is_settled(refresh, scene):
            return Turn(refresh)
        return _cooling(refresh, scene) or Turn(_reached(refresh, scene))
    return _replacing(replace(refresh, reached_at=None), scene, quota)


def roll_back(refresh: Refresh, why: str, scene: Scene) -> Refresh:
    """Turn around: replace what was not launched from what the group itself is set to."""
    old = frozenset(member.id for member in scene.members if not member.is_former)
    return replace(
        refresh,
        status="RollbackInProgress",
        reason=why,
        old=old | {member.id for member in scene.warm if not member.is_former},
        total=len(old),
        failures=0,
        checkpoint=0,
        reached_at=None,
        held_since=None,
        rollback=Rollback(why, scene.now, refresh.percentage, refresh.to_update),
    )


def cancel(refresh: Refresh, now: datetime, *, at_once: bool) -> Refresh:
    """Stop replacing; what is under way ends first, unless `at_once`."""
    if at_once:
        return _ended(refresh, "Cancelled", now)
    return replace(refresh, status="Cancelling", reason="Cancelled by the user.")


def _trouble(refresh: Refresh, scene: Scene) -> str:
    if scene.alarm and refresh.is_forward:
        return f"The CloudWatch alarm {scene.alarm} went into ALARM."
    if refresh.failures >= MOST_FAILURES:
        return "Instances failed to launch, or to become healthy. See the scaling activities."
    if refresh.held_since and (scene.now - refresh.held_since).total_seconds() >= RELEASE_SECONDS:
        return "Instances are protected from scale-in or in Standby, and nobody released them within an hour."
    return ""


def _failed(refresh: Refresh, why: str, scene: Scene) -> Refresh:
    if refresh.status == "RollbackInProgress":
        return _ended(refresh, "RollbackFailed", scene.now, why)
    if refresh.preferences.auto_rollback:
        return roll_back(refresh, why, scene)
    return _ended(refresh, "Failed", scene.now, why)


def _ended(refresh: Refresh, status: Status, now: datetime, why: str = "") -> Refresh:
    return replace(refresh, status=status, ended_at=now, reason=why or refresh.reason)


def _left(refresh: Refresh, scene: Scene) -> list[Member]:
    """The members that are still to be replaced."""
    here = [each for each in scene.members if each.id in refresh.old and not each.lifecycle.startswith("Terminating")]
    return [each for each in here if _rule(refresh, each) != "Ignore" and each.lifecycle != "Detaching"]


def _rule(refresh: Refresh, member: Member) -> str:
    """What the preferences say of this one: Wait, Ignore, or anything else for replace it."""
    if member.lifecycle == "Standby":
        return refresh.preferences.standby
    return refresh.preferences.protected if member.is_protected else "Refresh"


def _checkpoints(refresh: Refresh) -> tuple[int, ...]:
    """A rollback stops nowhere."""
    return (refresh.preferences.checkpoints if refresh.is_forward else ()) or (100,)


def _kept(refresh: Refresh) -> int:
    """How many of the old stay at the checkpoint that is next."""
    share = _checkpoints(refresh)[refresh.checkpoint]
    return refresh.total - math.ceil(refresh.total * share / 100)


def _measured(refresh: Refresh, scene: Scene) -> Refresh:
    """How far it is. An instance counts as updated when what replaces it is ready; a rollback counts back to zero."""
    left = len(_left(refresh, scene))
    unready = sum(each.id not in refresh.old and not each.is_ready for each in _counted(scene))
    share = max(0, refresh.total - left - unready) / refresh.total if refresh.total else 1
    if refresh.rollback:
        return replace(refresh, percentage=math.floor(refresh.rollback.percentage * (1 - share)))
    return replace(refresh, percentage=math.floor(100 * share), to_update=left)


def _counted(scene: Scene) -> list[Member]:
    return [each for each in scene.members if each.lifecycle in COUNTED]


def _is_under_way(scene: Scene) -> bool:
    """Whether an instance is being launched or terminated, which cancelling waits for; not for those still to launch.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CancelInstanceRefresh.html
    """
    return any(each.lifecycle.startswith(("Pending", "Terminating")) for each in scene.members)


def _is_settled(refresh: Refresh, scene: Scene) -> bool:
    """Whether nothing is under way: the group is whole, and what is new is ready."""
    counted = _counted(scene)
    is_leaving = any(each.lifecycle.startswith("Terminating") for each in scene.members)
    is_new_ready = all(each.is_ready or each.id in refresh.old for each in counted)
    return len(counted) >= scene.desired and is_new_ready and not is_leaving


def _cooling(refresh: Refresh, scene: Scene) -> Turn | None:
    """At the end, those in the warm pool, one at a time while all others there are prepared; None when none is left.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html#update-warm-pool"""
    if refresh.checkpoint + 1 < len(_checkpoints(refresh)):
        return None
    left = [each for each in scene.warm if each.id in refresh.old]
    if len(scene.warm) < scene.pool or not all(each.lifecycle in READY for each in scene.warm):
        return Turn(refresh)
    return Turn(refresh, cooled=(left[0].id,)) if left else None


def _reached(refresh: Refresh, scene: Scene) -> Refresh:
    """At a checkpoint: go on when its delay is over. At the end: bake, if that is wanted, and have done."""
    since = refresh.reached_at or scene.now
    waited = (scene.now - since).total_seconds()
    refresh = replace(refresh, reached_at=since)
    if refresh.checkpoint + 1 < len(_checkpoints(refresh)):
        is_over = waited >= refresh.preferences.checkpoint_delay
        return replace(refresh, checkpoint=refresh.checkpoint + 1, reached_at=None) if is_over else refresh
    if refresh.rollback:
        return _ended(refresh, "RollbackSuccessful", scene.now)
    if waited < refresh.preferences.bake:
        return replace(refresh, status="Baking")
    return _ended(refresh, "Successful", scene.now)


def _replacing(refresh: Refresh, scene: Scene, quota: int) -> Turn:
    left = _left(refresh, scene)
    free = [each for each in left if _rule(refresh, each) != "Wait" and each.lifecycle in ("InService", "Standby")]
    deficit, surplus = _room(refresh.preferences, scene.desired)
    if scene.is_paused:
        return Turn(refresh, surge=max(0, min(surplus, len(_counted(scene)) - scene.desired)))
    ready = sum(each.is_ready for each in _counted(scene))
    replaced = _chosen(free, quota, ready - (scene.desired - deficit))
    is_held = all(_rule(refresh, each) == "Wait" for each in left)
    refresh = replace(refresh, held_since=(refresh.held_since or scene.now) if is_held else None)
    in_service = sum(each.lifecycle == "InService" for each in free if each.id not in replaced)
    return Turn(refresh, replaced, min(surplus, in_service, quota - len(replaced)))


def _room(preferences: Preferences, desired: int) -> tuple[int, int]:
    """How many may lack, and how many there may be above desired. One at a time is replaced, whatever the percentages
    come to: launched first where the minimum is 100 %, terminated first otherwise."""
    deficit = desired - math.ceil(desired * preferences.min_healthy / 100)
    surplus = math.ceil(desired * preferences.max_healthy / 100) - desired
    if deficit or surplus:
        return deficit, surplus
    return (0, 1) if preferences.min_healthy == 100 else (1, 0)


def _chosen(free: Sequence[Member], quota: int, room: int) -> tuple[str, ...]:
    """Those that serve nobody go freely, the others as far as there is room; the fullest zone's first."""
    zones = Counter(each.zone for each in free)
    chosen: list[str] = []
    for member in sorted(free, key=lambda each: (each.is_ready, -zones[each.zone], each.id)):
        if len(chosen) < quota and (not member.is_ready or room > 0):
            room -= member.is_ready
            chosen.append(member.id)
    return tuple(chosen)

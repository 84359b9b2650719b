"""Does what instance refreshes do. A refresh is kept with its group; refresh_steps.py decides what it does next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from local_cloud.scaling.group import MemberState, ScalingGroup
from local_cloud.scaling.launches import Configuration, configuration
from local_cloud.scaling.refresh import Member, Refresh, Scene
from local_cloud.scaling.refresh_steps import decide, roll_back
from local_cloud.scaling.warm_pools import size_of, warm_of

NEEDED = frozenset({"InstanceRefresh", "Launch", "Terminate"})
"""A refresh pauses while one of these processes is suspended."""


class RefreshSurroundings(Protocol):
    """What refreshes need of the rest of the cloud."""

    def is_serving(self, group: ScalingGroup, instance: str) -> bool:
        """Whether no load balancer of the group waits for it or calls it unhealthy."""

    def is_launched_from(self, group: ScalingGroup, instance: str, configuration: Configuration) -> bool: ...

    def alarms(self) -> Mapping[str, str]:
        """The states of CloudWatch's alarms, by name."""

    def configure(self, group: ScalingGroup, configuration: Configuration) -> None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine knows of its members: for how many seconds each has been in service."""

    in_service_seconds: Callable[[str], float]
    suspended: frozenset[str]


def refreshes_of(group: Any) -> list[Refresh]:
    """All of a group's refreshes, the newest first."""
    kept: list[Refresh] = group.__dict__.setdefault("instance_refreshes", [])
    return kept


def active(group: ScalingGroup) -> Refresh | None:
    """The group's refresh that has not ended; None if there is none."""
    return next((each for each in refreshes_of(group) if each.is_active), None)


def keep(group: ScalingGroup, refresh: Refresh) -> None:
    """Put it in the place of the one of its id, or before all others."""
    kept = refreshes_of(group)
    places = [place for place, each in enumerate(kept) if each.id == refresh.id]
    if places:
        kept[places[0]] = refresh
    else:
        kept.insert(0, refresh)


def launched_from_now(group: ScalingGroup) -> Configuration:
    """What the group launches from: what an active refresh desires, else what it is set to."""
    refresh = active(group)
    if refresh and refresh.is_forward and refresh.desired:
        return refresh.desired
    return configuration(group)


class Refreshes:
    """Those of all groups."""

    def __init__(self, surroundings: RefreshSurroundings, now: Callable[[], datetime]) -> None:
        self._surroundings, self.now = surroundings, now

    def step(self, group: ScalingGroup, seen: Seen, take_away: Callable[[MemberState], object]) -> int:
        """One step of the group's active refresh, if there is one; how many the group may have above desired."""
        refresh = active(group)
        if refresh is None:
            return 0
        turn = decide(refresh, self.scene(group, refresh, seen))
        keep(group, turn.refresh)
        for state in (*group.instance_states, *warm_of(group)):
            if state.instance.id in (*turn.replaced, *turn.cooled):
                take_away(state)
        if turn.refresh.status == "Successful" and turn.refresh.desired:
            self._surroundings.configure(group, turn.refresh.desired)
        return turn.surge

    def turn_around(self, group: ScalingGroup, refresh: Refresh, seen: Seen) -> None:
        keep(group, roll_back(refresh, "Rolled back by the user.", self.scene(group, refresh, seen)))

    def count_failure(self, group: ScalingGroup, instance: str = "") -> None:
        """A launch failed, or one that the refresh launched is unhealthy."""
        refresh = active(group)
        if refresh and instance not in refresh.old:
            keep(group, replace(refresh, failures=refresh.failures + 1))

    def scene(self, group: ScalingGroup, refresh: Refresh, seen: Seen) -> Scene:
        return Scene(
            desired=group.desired_capacity or 0,
            members=tuple(self._member(group, refresh, seen, state) for state in group.instance_states),
            now=self.now(),
            alarm=next(iter(self.alarmed(refresh.preferences.alarms, "ALARM")), ""),
            is_paused=bool(NEEDED & seen.suspended),
            warm=tuple(self._member(group, refresh, seen, state) for state in warm_of(group)),
            pool=size_of(group),
        )

    def alarmed(self, names: Sequence[str], *states: str) -> list[str]:
        """Those of the alarms that are in one of these states; one that is not there has insufficient data."""
        alarms = self._surroundings.alarms()
        return [name for name in names if alarms.get(name, "INSUFFICIENT_DATA") in states]

    def matching(self, group: ScalingGroup, wanted: Configuration) -> set[str]:
        """The members, and those in the warm pool, that were launched from this."""
        ids = [state.instance.id for state in (*group.instance_states, *warm_of(group))]
        return {each for each in ids if self._surroundings.is_launched_from(group, each, wanted)}

    def _member(self, group: ScalingGroup, refresh: Refresh, seen: Seen, state: MemberState) -> Member:
        instance = state.instance.id
        is_healthy = state.lifecycle_state == "InService" and state.health_status == "Healthy"
        if "ELB" in group.health_check_type:
            is_healthy = is_healthy and self._surroundings.is_serving(group, instance)
        is_warm = instance in refresh.old or seen.in_service_seconds(instance) >= refresh.preferences.warmup
        return Member(
            id=instance,
            zone=state.instance.placement.zone or "",
            lifecycle=state.lifecycle_state,
            is_ready=is_healthy and is_warm,
            is_protected=bool(state.protected_from_scale_in),
            is_former=self._surroundings.is_launched_from(group, instance, configuration(group)),
        )

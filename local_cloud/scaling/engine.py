"""Auto Scaling groups that act: a loop that keeps each group at its desired capacity with real instances.

Whoever serves the API keeps a group's settings (sizes, members, suspended processes); only this engine launches and
terminates. What a group does next is decided in capacity.py.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from local_cloud.scaling.activities import Activities
from local_cloud.scaling.capacity import Group, Launch, Member, Terminate, decide
from local_cloud.scaling.group import MemberState, ScalingGroup, is_alive, suspended
from local_cloud.scaling.launching import Launching
from local_cloud.scaling.lifecycle import Result, Waits
from local_cloud.scaling.members import Members
from local_cloud.scaling.refreshes import Refreshes, refreshes_of
from local_cloud.scaling.surroundings import Surroundings
from local_cloud.scaling.triggers import Triggers
from local_cloud.scaling.warm_pool import filling
from local_cloud.scaling.warm_pools import WarmPools, size_of, warm_of

TURN_SECONDS = 0.2
_SURPLUS = "an instance was taken out of service in response to a difference between desired and actual capacity, \
shrinking the capacity."
_UNUSED = "an instance was taken out of the warm pool, which is larger than it should be."
_REFRESHED = "an instance was taken out of service in response to an instance refresh."

log = logging.getLogger(__name__)


class Scaling:
    """The engine. `lock` guards all groups; whoever changes one holds it, and nobody boots a machine under it.
    `changed` is called when a group has changed, so that the change is kept."""

    def __init__(
        self,
        surroundings: Surroundings,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.lock = threading.RLock()
        self._surroundings, self._changed, self._clock = surroundings, changed, clock
        self._waits = Waits()
        self.activities = Activities(now)
        self.refreshes = Refreshes(surroundings, now)
        self.triggers = Triggers(surroundings, now)
        self.pools = WarmPools(surroundings, self._waits, self.activities, clock)
        self._launching = Launching(surroundings, self.pools, self.refreshes, self.activities, clock)
        self.members = Members(
            surroundings, self._launching, self.refreshes, self._waits, self.activities, clock, self.wake
        )
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="scaling", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self, changed: str = "") -> None:
        """The API changed something: look now. The group `changed` may launch again at once."""
        self._launching.forgive(changed)
        self._wake.set()

    def turn(self) -> None:
        """One step for each group."""
        with self.lock:
            for group in self._surroundings.groups():
                try:
                    self._turn_group(group)
                except Exception:
                    # One group that fails must not stop the others; the next turn tries again.
                    log.exception("Auto Scaling group %s", group.name)

    def _run(self) -> None:
        while not self._stopping:
            self.turn()
            self._wake.wait(TURN_SECONDS)
            self._wake.clear()

    def status(self) -> list[dict[str, Any]]:
        """All groups, for people."""
        with self.lock:
            return [
                {
                    "name": group.name,
                    "desired": group.desired_capacity,
                    "instances": {state.instance.id: state.lifecycle_state for state in group.instance_states},
                    "warm": {state.instance.id: state.lifecycle_state for state in warm_of(group)},
                    "suspended": sorted(suspended(group)),
                }
                for group in self._surroundings.groups()
            ]

    def complete(self, instance: str, hook: str, result: Result) -> bool:
        """Somebody's word for a lifecycle hook; False where no instance waits for it."""
        self.wake()
        return self._waits.complete(instance, hook, result)

    def heartbeat(self, instance: str, hook: str) -> bool:
        return self._waits.heartbeat(instance, hook, self._clock())

    def delete(self, group: ScalingGroup) -> None:
        """Terminate all that the group has, at once."""
        for state in group.instance_states:
            self._surroundings.deregister(group, state.instance.id)
            self._surroundings.terminate(group, state.instance.id)
            self.members.drop(group, state)
        self.pools.end(group)
        self._launching.forgive(group.name)
        self.activities.forget(group.name)

    def _turn_group(self, group: ScalingGroup) -> None:
        before = _kept(group)
        self.triggers.turn(group, suspended(group))
        self._step(group)
        if before != _kept(group):
            self._changed()

    def _step(self, group: ScalingGroup) -> None:
        for state in list(group.instance_states):
            self.members.advance(group, state)
        surge = self.refreshes.step(group, self.members.seen(group), lambda state: self._replace(group, state))
        now = self._as_decided(group, surge)
        for action in decide(now):
            if isinstance(action, Launch):
                self._launching.launch_member(group, action.zone)
            else:
                self._scale_in(group, action)
        self._fill(group, now)

    def _fill(self, group: ScalingGroup, now: Group) -> None:
        """Keep the group's warm pool; a launch that fails there keeps the group from launching, too."""
        if group.warm_pool is None:
            return
        if self.pools.advance(group):
            self._launching.hold_off(group)
        there = {state.instance.id: state for state in warm_of(group)}
        pool = replace(now, desired=size_of(group), members=tuple(_member(state) for state in there.values()))
        for action in filling(pool, now.members):
            if isinstance(action, Terminate):
                self.pools.begin_termination(group, there[action.id], _UNUSED)
            else:
                self._launching.launch_warm(group, action.zone)

    def _replace(self, group: ScalingGroup, state: MemberState) -> None:
        if state in warm_of(group):
            self.pools.begin_termination(group, state, _REFRESHED)
        else:
            self.members.begin_termination(group, state, _REFRESHED)

    def _scale_in(self, group: ScalingGroup, action: Terminate) -> None:
        state = next(state for state in group.instance_states if state.instance.id == action.id)
        cause = self.members.why_unhealthy(action.id) if action.is_replaced else _SURPLUS
        self.members.begin_termination(group, state, cause)

    def _as_decided(self, group: ScalingGroup, surge: int) -> Group:
        return Group(
            desired=(group.desired_capacity or 0) + surge,
            zones=tuple(dict.fromkeys(group.availability_zones)),
            members=tuple(_member(state) for state in group.instance_states),
            suspended=suspended(group),
            policies=tuple(group.termination_policies),
            may_launch=self._launching.may_launch(group),
        )


def _kept(group: ScalingGroup) -> Any:
    """What of a group is kept when it changes."""
    states = (*group.instance_states, *warm_of(group))
    members = [(state.instance.id, state.lifecycle_state, state.health_status) for state in states]
    sizes = (group.min_size, group.max_size, group.desired_capacity)
    return members, list(refreshes_of(group)), sizes, group.warm_pool is None


def _member(state: MemberState) -> Member:
    version = state.launch_template["Version"] if state.launch_template else 0
    return Member(
        id=state.instance.id,
        zone=state.instance.placement.zone or "",
        lifecycle=state.lifecycle_state,
        is_healthy=state.health_status == "Healthy",
        is_alive=is_alive(state.instance),
        is_protected=bool(state.protected_from_scale_in),
        template=int(version),
        launched_at=state.instance.launch_time.timestamp(),
    )

"""Auto Scaling groups that act: a loop that keeps each group at its desired capacity with real instances.

moto keeps what the API was told of a group (sizes, members, suspended processes); this engine alone
launches and terminates. What a group does next is decided in capacity.py; what the engine needs of EC2
and of load balancing is `Surroundings`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.ec2.models.instances import Instance

from local_cloud.scaling.activities import Activities, Activity
from local_cloud.scaling.capacity import Group, Launch, Member, Terminate, decide
from local_cloud.scaling.launches import Configuration
from local_cloud.scaling.lifecycle import LAUNCHING, TERMINATING, Result, Waits
from local_cloud.scaling.refreshes import Refreshes, Seen, active, launched_from_now, refreshes_of
from local_cloud.scaling.refreshes import Surroundings as OfRefreshes
from local_cloud.scaling.triggers import Triggers
from local_cloud.scaling.warm_pool import filling
from local_cloud.scaling.warm_pools import Surroundings as OfWarmPools
from local_cloud.scaling.warm_pools import WarmPools, size_of, warm_of

TURN_SECONDS = 0.2
LONGEST_BACK_OFF = 30.0

log = logging.getLogger(__name__)


class LaunchFailed(Exception):
    """EC2 refused to launch; the message is its own."""


class Surroundings(OfRefreshes, OfWarmPools, Protocol):
    """What the engine needs of the rest of the cloud."""

    def groups(self) -> Sequence[FakeAutoScalingGroup]: ...

    def launch(self, group: FakeAutoScalingGroup, zone: str, configuration: Configuration) -> Instance:
        """Launch an instance from what the configuration comes to now. Raises LaunchFailed."""

    def released(self, group: FakeAutoScalingGroup, instance: str) -> None:
        """It is detached: no member any more."""

    def register(self, group: FakeAutoScalingGroup, instance: str) -> None: ...

    def deregister(self, group: FakeAutoScalingGroup, instance: str) -> None: ...

    def is_idle(self, instance: str) -> bool:
        """Whether no load balancer asks it anything any more."""

    def cloudwatch(self) -> Any:
        """moto's backend."""

    def is_refused(self, group: FakeAutoScalingGroup, instance: str) -> bool:
        """Whether a load balancer of the group calls it unhealthy."""


@dataclass(slots=True)
class _BackOff:
    failures: int = 0
    until: float = 0


class Scaling:
    """The engine. `lock` guards all groups; whoever changes one holds it, and nobody boots a machine under it.
    `changed` is told when a group has got on, so that it is kept."""

    def __init__(
        self,
        surroundings: Surroundings,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.lock = threading.RLock()
        self.activities = Activities(now)
        self.refreshes = Refreshes(surroundings, now)
        self.triggers = Triggers(surroundings.cloudwatch, now)
        self._surroundings, self._changed = surroundings, changed
        self._clock = clock
        self._waits = Waits()
        self.pools = WarmPools(surroundings, self._waits, self.activities, clock)
        self._returning: set[str] = set()
        self._in_service_at: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self._back_off: dict[str, _BackOff] = {}
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
        self._back_off.pop(changed, None)
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

    def _turn_group(self, group: FakeAutoScalingGroup) -> None:
        before = _kept(group)
        self.triggers.turn(group, suspended(group))
        self._step(group)
        if before != _kept(group):
            self._changed()

    def _step(self, group: FakeAutoScalingGroup) -> None:
        for state in list(group.instance_states):
            self._advance(group, state)
        surge = self.refreshes.step(group, self.seen(group), lambda state: self._replace(group, state))
        now = self._as_decided(group, surge)
        for action in decide(now):
            if isinstance(action, Launch):
                self._launch(group, action.zone)
            else:
                self._scale_in(group, action)
        self._fill(group, now)

    def _fill(self, group: FakeAutoScalingGroup, now: Group) -> None:
        """Keep the group's warm pool; a launch that fails there keeps the group from launching, too."""
        if group.warm_pool is None:
            return
        if self.pools.advance(group):
            self._hold_off(group)
        there = {state.instance.id: state for state in warm_of(group)}
        pool = replace(now, desired=size_of(group), members=tuple(_member(state) for state in there.values()))
        for action in filling(pool, now.members):
            if isinstance(action, Terminate):
                self.pools.begin_termination(group, there[action.id], _UNUSED)
            elif launched := self._launched(group, action.zone):
                self.pools.add(group, launched)

    def _advance(self, group: FakeAutoScalingGroup, state: InstanceState) -> None:
        """Bring one member a step further in its lifecycle."""
        instance, is_dead = state.instance, not _is_alive(state.instance)
        if state.lifecycle_state.startswith("Pending"):
            self._begin(group, state, is_dead=is_dead)
        elif state.lifecycle_state == "InService":
            self._check(group, state)
        elif state.lifecycle_state.startswith("Terminating"):
            self._end(group, state, is_dead=is_dead)
        elif is_dead:
            self._drop(group, state)
        elif state.lifecycle_state == "Detaching" and self._surroundings.is_idle(instance.id):
            self._surroundings.released(group, instance.id)
            self._drop(group, state)

    def _begin(self, group: FakeAutoScalingGroup, state: InstanceState, *, is_dead: bool) -> None:
        """Pending, perhaps Pending:Wait for the group's lifecycle hooks, then InService."""
        instance = state.instance
        if is_dead:
            self._failed(group, instance.id, f"{instance.state_reason.message}. Launching EC2 instance failed.")
            self._drop(group, state)
        elif state.lifecycle_state == "Pending" and instance.state == "running":
            state.lifecycle_state = "Pending:Wait"
            hooks = [] if instance.id in self._returning else self._surroundings.hooks(group, LAUNCHING)
            self._waits.begin(instance.id, hooks, self._clock())
        if state.lifecycle_state == "Pending:Wait":
            outcome = self._waits.outcome(instance.id, self._clock())
            if outcome == "CONTINUE":
                self.enter_service(group, state)
            elif outcome == "ABANDON":
                self._failed(group, instance.id, "A lifecycle action was abandoned. Launching EC2 instance failed.")
                self.begin_termination(group, state, "an instance was taken out of service: it was abandoned.")

    def complete(self, instance: str, hook: str, result: Result) -> bool:
        """Somebody's word for a lifecycle hook; False where no instance waits for it."""
        self.wake()
        return self._waits.complete(instance, hook, result)

    def heartbeat(self, instance: str, hook: str) -> bool:
        return self._waits.heartbeat(instance, hook, self._clock())

    def enter_service(self, group: FakeAutoScalingGroup, state: InstanceState) -> None:
        """Pending to InService: registered, unless AddToLoadBalancer is suspended."""
        state.lifecycle_state = "InService"
        self._waits.end(state.instance.id)
        self._returning.discard(state.instance.id)
        self._in_service_at[state.instance.id] = self._clock()
        self._back_off.pop(group.name, None)
        if "AddToLoadBalancer" not in suspended(group):
            self._surroundings.register(group, state.instance.id)
        self.activities.end(group.name, state.instance.id)

    def is_in_grace(self, group: FakeAutoScalingGroup, instance: str) -> bool:
        grace = float(group.health_check_grace_period or 0)
        return self._clock() - self._in_service_at.get(instance, 0) < grace

    def _check(self, group: FakeAutoScalingGroup, state: InstanceState) -> None:
        """EC2's word counts at once, the load balancers' after the grace period, where the group listens to them."""
        if "HealthCheck" in suspended(group) or state.health_status == "Unhealthy":
            return
        instance = state.instance.id
        listens = "ELB" in group.health_check_type and not self.is_in_grace(group, instance)
        if not _is_alive(state.instance):
            self._unhealthy(group, state, _DEAD)
        elif listens and self._surroundings.is_refused(group, instance):
            self._unhealthy(group, state, _REFUSED)

    def _unhealthy(self, group: FakeAutoScalingGroup, state: InstanceState, why: str) -> None:
        state.health_status, self._why[state.instance.id] = "Unhealthy", why
        self.refreshes.failed(group, state.instance.id)

    def seen(self, group: FakeAutoScalingGroup) -> Seen:
        """What refreshes ask of the group's members."""
        now = self._clock()
        return Seen(lambda instance: now - self._in_service_at.get(instance, now), suspended(group))

    def _replace(self, group: FakeAutoScalingGroup, state: InstanceState) -> None:
        if state in warm_of(group):
            self.pools.begin_termination(group, state, _REFRESHED)
        else:
            self.begin_termination(group, state, _REFRESHED)

    def _as_decided(self, group: FakeAutoScalingGroup, surge: int) -> Group:
        back_off = self._back_off.get(group.name)
        return Group(
            desired=(group.desired_capacity or 0) + surge,
            zones=tuple(dict.fromkeys(group.availability_zones)),
            members=tuple(_member(state) for state in group.instance_states),
            suspended=suspended(group),
            policies=tuple(group.termination_policies),
            may_launch=back_off is None or self._clock() >= back_off.until,
        )

    def _launch(self, group: FakeAutoScalingGroup, zone: str) -> None:
        """From the warm pool, where it has one; not one that a refresh is to replace."""
        refresh = active(group)
        if self.pools.take(group, zone, lambda instance: refresh is None or instance not in refresh.old):
            return
        instance = self._launched(group, zone)
        if instance is None:
            return
        state = InstanceState(
            instance,
            lifecycle_state="Pending",
            protected_from_scale_in=group.new_instances_protected_from_scale_in,
            autoscaling_group=group,
        )
        group.instance_states.append(state)
        self.activities.begin(group.name, f"Launching a new EC2 instance: {instance.id}", _LACKING, instance.id)

    def _launched(self, group: FakeAutoScalingGroup, zone: str) -> Instance | None:
        back_off = self._back_off.get(group.name)
        if back_off and self._clock() < back_off.until:  # another launch of this very turn failed
            return None
        try:
            return self._surroundings.launch(group, zone, launched_from_now(group))
        except LaunchFailed as error:
            self._failed(group, "", f"{error}. Launching EC2 instance failed.")
            return None

    def _hold_off(self, group: FakeAutoScalingGroup) -> None:
        back_off = self._back_off.setdefault(group.name, _BackOff())
        back_off.failures += 1
        self.refreshes.failed(group)
        back_off.until = self._clock() + min(LONGEST_BACK_OFF, 2.0 ** (back_off.failures - 1))

    def _failed(self, group: FakeAutoScalingGroup, instance: str, message: str) -> None:
        self._hold_off(group)
        if instance:
            self.activities.end(group.name, instance, failure=message)
        else:
            activity = self.activities.begin(group.name, "Launching a new EC2 instance", _LACKING)
            self.activities.close(activity, failure=message)

    def _scale_in(self, group: FakeAutoScalingGroup, action: Terminate) -> None:
        state = next(state for state in group.instance_states if state.instance.id == action.id)
        cause = self._why.pop(action.id, _CALLED_UNHEALTHY) if action.is_replaced else _SURPLUS
        self.begin_termination(group, state, cause)

    def begin_termination(self, group: FakeAutoScalingGroup, state: InstanceState, cause: str) -> Activity:
        """Out of the load balancers; terminated when they ask it nothing any more."""
        state.lifecycle_state = "Terminating"
        self._waits.end(state.instance.id)
        self._surroundings.deregister(group, state.instance.id)
        self.wake()
        description = f"Terminating EC2 instance: {state.instance.id}"
        return self.activities.begin(group.name, description, cause, state.instance.id)

    def leave(self, group: FakeAutoScalingGroup, state: InstanceState, lifecycle: str, what: str) -> Activity:
        """Out of the load balancers and on as `lifecycle`: Detaching or Standby."""
        state.lifecycle_state = lifecycle
        self._surroundings.deregister(group, state.instance.id)
        self.wake()
        cause = f"instance {state.instance.id} was {what} in response to a user request."
        return self.activities.begin(group.name, f"{_DOING[lifecycle]}: {state.instance.id}", cause, state.instance.id)

    def come_back(self, group: FakeAutoScalingGroup, state: InstanceState) -> Activity:
        """Standby to Pending, and on without lifecycle hooks:
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html"""
        state.lifecycle_state = "Pending"
        self._returning.add(state.instance.id)
        self.wake()
        cause = f"instance {state.instance.id} was moved out of standby in response to a user request."
        about = f"Moving EC2 instance out of Standby: {state.instance.id}"
        return self.activities.begin(group.name, about, cause, state.instance.id)

    def register_all(self, group: FakeAutoScalingGroup) -> None:
        """Register those in service, where a load balancer was attached to the group."""
        if "AddToLoadBalancer" in suspended(group):
            return
        for state in group.instance_states:
            if state.lifecycle_state == "InService":
                self._surroundings.register(group, state.instance.id)

    def delete(self, group: FakeAutoScalingGroup) -> None:
        """Terminate all that the group has, at once."""
        for state in group.instance_states:
            self._surroundings.deregister(group, state.instance.id)
            self._surroundings.terminate(group, state.instance.id)
            self._drop(group, state)
        self.pools.end(group)
        self._back_off.pop(group.name, None)
        self.activities.forget(group.name)

    def _end(self, group: FakeAutoScalingGroup, state: InstanceState, *, is_dead: bool) -> None:
        """Terminating, drained, perhaps Terminating:Wait for the group's lifecycle hooks, then terminated."""
        instance = state.instance.id
        if state.instance.state == "terminated":
            self._drop(group, state)
        elif state.lifecycle_state == "Terminating" and (is_dead or self._surroundings.is_idle(instance)):
            if hooks := self._surroundings.hooks(group, TERMINATING):
                state.lifecycle_state = "Terminating:Wait"
                self._waits.begin(instance, hooks, self._clock())
            elif state.instance.state != "shutting-down":
                self._surroundings.terminate(group, instance)
        elif state.lifecycle_state == "Terminating:Wait" and (is_dead or self._waits.outcome(instance, self._clock())):
            state.lifecycle_state = "Terminating:Proceed"
            self._surroundings.terminate(group, instance)

    def _drop(self, group: FakeAutoScalingGroup, state: InstanceState) -> None:
        group.instance_states = [each for each in group.instance_states if each is not state]
        self._in_service_at.pop(state.instance.id, None)
        self._why.pop(state.instance.id, None)
        self._returning.discard(state.instance.id)
        self._waits.end(state.instance.id)
        self.activities.end(group.name, state.instance.id)


_LACKING = "an instance was started in response to a difference between desired and actual capacity, increasing the \
capacity."
_SURPLUS = "an instance was taken out of service in response to a difference between desired and actual capacity, \
shrinking the capacity."
_DEAD = "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or \
stopped."
_REFUSED = "an instance was taken out of service in response to an ELB system health check failure."
_CALLED_UNHEALTHY = "an instance was taken out of service in response to a user health-check."
_UNUSED = "an instance was taken out of the warm pool, which is larger than it is to be."
_REFRESHED = "an instance was taken out of service in response to an instance refresh."
_DOING = {"Detaching": "Detaching EC2 instance", "Standby": "Moving EC2 instance to Standby"}


def _kept(group: FakeAutoScalingGroup) -> Any:
    """What of a group is kept when it changes."""
    states = (*group.instance_states, *warm_of(group))
    members = [(state.instance.id, state.lifecycle_state, state.health_status) for state in states]
    sizes = (group.min_size, group.max_size, group.desired_capacity)
    return members, list(refreshes_of(group)), sizes, group.warm_pool is None


def suspended(group: FakeAutoScalingGroup) -> frozenset[str]:
    return frozenset(process["ProcessName"] for process in group.suspended_processes)


def _is_alive(instance: Instance) -> bool:
    return instance.state in ("pending", "running")


def _member(state: InstanceState) -> Member:
    version = state.launch_template["Version"] if state.launch_template else 0
    return Member(
        id=state.instance.id,
        zone=state.instance.placement.zone or "",
        lifecycle=state.lifecycle_state,
        is_healthy=state.health_status == "Healthy",
        is_alive=_is_alive(state.instance),
        is_protected=bool(state.protected_from_scale_in),
        template=int(version),
        launched_at=state.instance.launch_time.timestamp(),
    )

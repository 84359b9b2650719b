"""Does what warm pools do: prepare instances beside a group, for its next scale-out.

A pool is kept with its group. Its instances are the group's by their tag, but no members and in no load balancer. What
is launched and terminated next is decided in warm_pool.py.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from local_cloud.scaling.activities import Activities
from local_cloud.scaling.group import Instance, MemberState, ScalingGroup, WarmPool
from local_cloud.scaling.lifecycle import LAUNCHING, TERMINATING, LifecycleHook, Waits
from local_cloud.scaling.warm_pool import READY, size


class WarmPoolSurroundings(Protocol):
    """What warm pools need of the rest of the cloud."""

    def member(self, group: ScalingGroup, instance: Instance, lifecycle: str) -> MemberState:
        """An instance as a future member of the group or of its pool."""

    def terminate(self, group: ScalingGroup, instance: str) -> None: ...

    def stop(self, group: ScalingGroup, instance: str) -> None: ...

    def start(self, group: ScalingGroup, instance: str) -> None: ...

    def hooks(self, group: ScalingGroup, transition: str) -> Sequence[LifecycleHook]: ...


def warm_of(group: Any) -> list[MemberState]:
    """The instances in a group's pool."""
    kept: list[MemberState] = group.__dict__.setdefault("warm_states", [])
    return kept


def size_of(group: ScalingGroup) -> int:
    """How many instances the group's pool is to have: none, where it has no pool or that is being deleted."""
    pool = group.warm_pool
    if pool is None or is_ending(pool):
        return 0
    return size(group.desired_capacity or 0, group.max_size or 0, pool.min_size, pool.max_group_prepared_capacity)


def is_ending(pool: WarmPool) -> bool:
    """Whether the pool is being deleted."""
    return getattr(pool, "status", None) == "PendingDelete"


class WarmPools:
    """Those of all groups; whoever calls holds the engine's lock."""

    def __init__(
        self, surroundings: WarmPoolSurroundings, waits: Waits, activities: Activities, clock: Callable[[], float]
    ) -> None:
        self._surroundings, self._waits, self._activities, self._clock = surroundings, waits, activities, clock

    def advance(self, group: ScalingGroup) -> bool:
        """Bring each a step further; return whether a launch failed. A pool that was deleted is none when its last
        instance has gone."""
        went_well = [self._advance(group, state) for state in list(warm_of(group))]
        if group.warm_pool and is_ending(group.warm_pool) and not warm_of(group):
            group.warm_pool = None
        return not all(went_well)

    def add(self, group: ScalingGroup, instance: Instance) -> None:
        """One was launched into the pool."""
        warm_of(group).append(self._surroundings.member(group, instance, "Warmed:Pending"))
        about = f"Launching a new EC2 instance into warm pool: {instance.id}"
        self._activities.begin(group.name, about, _LACKING, instance.id)

    def take(self, group: ScalingGroup, zone: str, may_be: Callable[[str], bool]) -> MemberState | None:
        """The longest prepared of this zone, as a Pending member, started where it is stopped; None where there is
        none."""
        ready = [each for each in warm_of(group) if each.lifecycle_state in READY and each.availability_zone == zone]
        state = next((each for each in ready if may_be(each.instance.id)), None)
        if state is None:
            return None
        warm_of(group).remove(state)
        if state.lifecycle_state == "Warmed:Stopped":
            self._surroundings.start(group, state.instance.id)
        state.lifecycle_state = "Pending"
        state.protected_from_scale_in = group.new_instances_protected_from_scale_in
        group.instance_states.append(state)
        about = f"Launching a new EC2 instance from warm pool: {state.instance.id}"
        self._activities.begin(group.name, about, _TAKEN, state.instance.id)
        return state

    def begin_termination(self, group: ScalingGroup, state: MemberState, cause: str) -> None:
        """It goes, after the group's lifecycle hooks."""
        self._waits.end(state.instance.id)
        state.lifecycle_state = "Warmed:Terminating"
        about = f"Terminating EC2 instance: {state.instance.id}"
        self._activities.begin(group.name, about, cause, state.instance.id)

    def end(self, group: ScalingGroup) -> None:
        """Terminate all, without lifecycle hooks."""
        for state in warm_of(group):
            self._terminate(group, state)

    def _advance(self, group: ScalingGroup, state: MemberState) -> bool:
        """False where its launch failed."""
        instance = state.instance
        if instance.state == "terminated":
            self._drop(group, state)
        elif state.lifecycle_state.startswith("Warmed:Terminating"):
            self._leave(group, state)
        elif instance.state == "shutting-down":  # by somebody's TerminateInstances
            state.lifecycle_state = "Warmed:Terminating:Proceed"
        elif state.lifecycle_state in READY:
            self._check(group, state)
        else:
            return self._prepare(group, state)
        return True

    def _prepare(self, group: ScalingGroup, state: MemberState) -> bool:
        """Warmed:Pending, there held by the lifecycle hooks for launches, then as the pool's state has it."""
        instance = state.instance
        if state.lifecycle_state == "Warmed:Pending:Proceed":
            if instance.state == "stopped":
                self._keep_ready(group, state, "Warmed:Stopped")
            return True
        if instance.state in ("stopping", "stopped"):
            return self._give_up(group, state, "The instance stopped while it was prepared.")
        if state.lifecycle_state == "Warmed:Pending" and instance.state == "running":
            state.lifecycle_state = "Warmed:Pending:Wait"
            self._waits.begin(instance.id, self._surroundings.hooks(group, LAUNCHING), self._clock())
        if state.lifecycle_state == "Warmed:Pending:Wait":
            outcome = self._waits.outcome(instance.id, self._clock())
            if outcome == "ABANDON":
                return self._give_up(group, state, "A lifecycle action was abandoned.")
            if outcome == "CONTINUE":
                self._put_by(group, state)
        return True

    def _put_by(self, group: ScalingGroup, state: MemberState) -> None:
        if group.warm_pool and group.warm_pool.pool_state == "Running":
            self._keep_ready(group, state, "Warmed:Running")
            return
        state.lifecycle_state = "Warmed:Pending:Proceed"
        self._surroundings.stop(group, state.instance.id)

    def _keep_ready(self, group: ScalingGroup, state: MemberState, lifecycle: str) -> None:
        state.lifecycle_state = lifecycle
        self._waits.end(state.instance.id)
        self._activities.end(group.name, state.instance.id)

    def _give_up(self, group: ScalingGroup, state: MemberState, why: str) -> bool:
        self._activities.end(group.name, state.instance.id, failure=f"{why} Launching EC2 instance failed.")
        self.begin_termination(group, state, _FAILED)
        return False

    def _check(self, group: ScalingGroup, state: MemberState) -> None:
        """Health checks of a pool ask EC2, and there is no grace period:
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pools-health-checks-monitor-view-status.html"""
        if state.lifecycle_state == "Warmed:Running" and state.instance.state != "running":
            self.begin_termination(group, state, _DEAD)

    def _leave(self, group: ScalingGroup, state: MemberState) -> None:
        instance = state.instance.id
        if state.lifecycle_state == "Warmed:Terminating":
            state.lifecycle_state = "Warmed:Terminating:Wait"
            self._waits.begin(instance, self._surroundings.hooks(group, TERMINATING), self._clock())
        is_free = state.lifecycle_state != "Warmed:Terminating:Wait" or self._waits.outcome(instance, self._clock())
        if is_free and state.instance.state != "shutting-down":
            self._terminate(group, state)

    def _terminate(self, group: ScalingGroup, state: MemberState) -> None:
        state.lifecycle_state = "Warmed:Terminating:Proceed"
        self._surroundings.terminate(group, state.instance.id)

    def _drop(self, group: ScalingGroup, state: MemberState) -> None:
        warm_of(group).remove(state)
        self._waits.end(state.instance.id)
        self._activities.end(group.name, state.instance.id)


_LACKING = "an instance was started in response to a difference between desired and actual capacity of the warm pool."
_TAKEN = "an instance was taken from the warm pool in response to a difference between desired and actual capacity, \
increasing the capacity."
_FAILED = "an instance was taken out of the warm pool: it could not be prepared."
_DEAD = "an instance was taken out of the warm pool in response to an EC2 health check indicating it has been \
terminated or stopped."

"""The members of a group on their way: into service, out of it, and away; each step when the one before is done."""

from collections.abc import Callable

from local_cloud.scaling.activities import Activities, Activity
from local_cloud.scaling.group import MemberState, ScalingGroup, is_alive, suspended
from local_cloud.scaling.launching import Launching
from local_cloud.scaling.lifecycle import LAUNCHING, TERMINATING, Waits
from local_cloud.scaling.refreshes import Refreshes, Seen
from local_cloud.scaling.surroundings import Surroundings

_DEAD = "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or \
stopped."
_REFUSED = "an instance was taken out of service in response to an ELB system health check failure."
_CALLED_UNHEALTHY = "an instance was taken out of service in response to a user health-check."
_DOING = {"Detaching": "Detaching EC2 instance", "Standby": "Moving EC2 instance to Standby"}


class Members:
    """Those of all groups; whoever calls holds the engine's lock. `wake` has the engine look at once."""

    def __init__(
        self,
        surroundings: Surroundings,
        launching: Launching,
        refreshes: Refreshes,
        waits: Waits,
        activities: Activities,
        clock: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._surroundings, self._launching, self._refreshes = surroundings, launching, refreshes
        self._waits, self._activities, self._clock, self._wake = waits, activities, clock, wake
        self._returning: set[str] = set()
        self._in_service_at: dict[str, float] = {}
        self._why: dict[str, str] = {}

    def advance(self, group: ScalingGroup, state: MemberState) -> None:
        """Bring one member a step further in its lifecycle."""
        instance, is_dead = state.instance, not is_alive(state.instance)
        if state.lifecycle_state.startswith("Pending"):
            self._begin(group, state, is_dead=is_dead)
        elif state.lifecycle_state == "InService":
            self._check(group, state)
        elif state.lifecycle_state.startswith("Terminating"):
            self._end(group, state, is_dead=is_dead)
        elif is_dead:
            self.drop(group, state)
        elif state.lifecycle_state == "Detaching" and self._surroundings.is_idle(instance.id):
            self._surroundings.release(group, instance.id)
            self.drop(group, state)

    def enter_service(self, group: ScalingGroup, state: MemberState) -> None:
        """Pending to InService: registered, unless AddToLoadBalancer is suspended."""
        state.lifecycle_state = "InService"
        self._waits.end(state.instance.id)
        self._returning.discard(state.instance.id)
        self._in_service_at[state.instance.id] = self._clock()
        self._launching.forgive(group.name)
        if "AddToLoadBalancer" not in suspended(group):
            self._surroundings.register(group, state.instance.id)
        self._activities.end(group.name, state.instance.id)

    def is_in_grace(self, group: ScalingGroup, instance: str) -> bool:
        grace = float(group.health_check_grace_period or 0)
        return self._clock() - self._in_service_at.get(instance, 0) < grace

    def seen(self, group: ScalingGroup) -> Seen:
        """What refreshes ask of the group's members."""
        now = self._clock()
        return Seen(lambda instance: now - self._in_service_at.get(instance, now), suspended(group))

    def why_unhealthy(self, instance: str) -> str:
        """Why it is replaced; asked once."""
        return self._why.pop(instance, _CALLED_UNHEALTHY)

    def begin_termination(self, group: ScalingGroup, state: MemberState, cause: str) -> Activity:
        """Out of the load balancers; terminated when they ask it nothing any more."""
        state.lifecycle_state = "Terminating"
        self._waits.end(state.instance.id)
        self._surroundings.deregister(group, state.instance.id)
        self._wake()
        description = f"Terminating EC2 instance: {state.instance.id}"
        return self._activities.begin(group.name, description, cause, state.instance.id)

    def leave(self, group: ScalingGroup, state: MemberState, lifecycle: str, what: str) -> Activity:
        """Out of the load balancers and on as `lifecycle`: Detaching or Standby."""
        state.lifecycle_state = lifecycle
        self._surroundings.deregister(group, state.instance.id)
        self._wake()
        cause = f"instance {state.instance.id} was {what} in response to a user request."
        return self._activities.begin(group.name, f"{_DOING[lifecycle]}: {state.instance.id}", cause, state.instance.id)

    def come_back(self, group: ScalingGroup, state: MemberState) -> Activity:
        """Standby to Pending, and on without lifecycle hooks:
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html"""
        state.lifecycle_state = "Pending"
        self._returning.add(state.instance.id)
        self._wake()
        cause = f"instance {state.instance.id} was moved out of standby in response to a user request."
        about = f"Moving EC2 instance out of Standby: {state.instance.id}"
        return self._activities.begin(group.name, about, cause, state.instance.id)

    def register_all(self, group: ScalingGroup) -> None:
        """Register those in service, where a load balancer was attached to the group."""
        if "AddToLoadBalancer" in suspended(group):
            return
        for state in group.instance_states:
            if state.lifecycle_state == "InService":
                self._surroundings.register(group, state.instance.id)

    def drop(self, group: ScalingGroup, state: MemberState) -> None:
        """It is no member any more."""
        group.instance_states = [each for each in group.instance_states if each is not state]
        self._in_service_at.pop(state.instance.id, None)
        self._why.pop(state.instance.id, None)
        self._returning.discard(state.instance.id)
        self._waits.end(state.instance.id)
        self._activities.end(group.name, state.instance.id)

    def _begin(self, group: ScalingGroup, state: MemberState, *, is_dead: bool) -> None:
        """Pending, perhaps Pending:Wait for the group's lifecycle hooks, then InService."""
        instance = state.instance
        if is_dead:
            self._launching.fail(group, instance.id, f"{instance.state_reason.message}. Launching EC2 instance failed.")
            self.drop(group, state)
        elif state.lifecycle_state == "Pending" and instance.state == "running":
            state.lifecycle_state = "Pending:Wait"
            hooks = [] if instance.id in self._returning else self._surroundings.hooks(group, LAUNCHING)
            self._waits.begin(instance.id, hooks, self._clock())
        if state.lifecycle_state == "Pending:Wait":
            self._heed_hooks(group, state)

    def _heed_hooks(self, group: ScalingGroup, state: MemberState) -> None:
        outcome = self._waits.outcome(state.instance.id, self._clock())
        if outcome == "CONTINUE":
            self.enter_service(group, state)
        elif outcome == "ABANDON":
            message = "A lifecycle action was abandoned. Launching EC2 instance failed."
            self._launching.fail(group, state.instance.id, message)
            self.begin_termination(group, state, "an instance was taken out of service: it was abandoned.")

    def _check(self, group: ScalingGroup, state: MemberState) -> None:
        """EC2's word counts at once, the load balancers' after the grace period, where the group listens to them."""
        if "HealthCheck" in suspended(group) or state.health_status == "Unhealthy":
            return
        instance = state.instance.id
        listens = "ELB" in group.health_check_type and not self.is_in_grace(group, instance)
        if not is_alive(state.instance):
            self._call_unhealthy(group, state, _DEAD)
        elif listens and self._surroundings.is_refused(group, instance):
            self._call_unhealthy(group, state, _REFUSED)

    def _call_unhealthy(self, group: ScalingGroup, state: MemberState, why: str) -> None:
        state.health_status, self._why[state.instance.id] = "Unhealthy", why
        self._refreshes.count_failure(group, state.instance.id)

    def _end(self, group: ScalingGroup, state: MemberState, *, is_dead: bool) -> None:
        """Terminating, drained, perhaps Terminating:Wait for the group's lifecycle hooks, then terminated."""
        instance = state.instance.id
        if state.instance.state == "terminated":
            self.drop(group, state)
        elif state.lifecycle_state == "Terminating" and (is_dead or self._surroundings.is_idle(instance)):
            if hooks := self._surroundings.hooks(group, TERMINATING):
                state.lifecycle_state = "Terminating:Wait"
                self._waits.begin(instance, hooks, self._clock())
            elif state.instance.state != "shutting-down":
                self._surroundings.terminate(group, instance)
        elif state.lifecycle_state == "Terminating:Wait" and (is_dead or self._waits.outcome(instance, self._clock())):
            state.lifecycle_state = "Terminating:Proceed"
            self._surroundings.terminate(group, instance)

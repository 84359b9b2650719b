"""Hooks into what is done with the members of a group: attach, detach, standby, terminate, health and protection."""

from collections.abc import Sequence
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import ASG_NAME_TAG, AutoScalingBackend, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.scaled import Scaled
from local_cloud.scaling.capacity import COUNTED
from local_cloud.scaling.group import suspended
from local_cloud.scaling.warm_pools import warm_of

HOOKS = Hooks()


MOST_AT_ONCE = 20
"""Instances that one call may attach, detach or put on standby:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html"""


MOST_PROTECTED = 50
"""https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html"""


@HOOKS.before(AutoScalingBackend, "attach_instances")
def _attach(cloud: Scaled, original: Hook, backend: Any, name: str, instance_ids: Sequence[str]) -> None:
    """moto attaches anything, in any number, and forgets Standby when it counts."""
    _must_be_few(instance_ids)
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        _must_launch(group)
        for instance_id in instance_ids:
            _must_be_free(backend, group, instance_id)
        wanted = group.desired_capacity + len(instance_ids)
        if wanted > group.max_size:
            raise ValidationError(
                f"New instances count {len(instance_ids)} plus existing desired capacity {group.desired_capacity} is "
                f"above max size {group.max_size} for group {name}. Please update sizes appropriately"
            )
        group.desired_capacity = wanted
        for instance_id in instance_ids:
            state = _join(backend, group, instance_id)
            cause = "an instance was attached in response to a user request."
            about = f"Attaching an existing EC2 instance: {instance_id}"
            cloud.scaling.activities.begin(name, about, cause, instance_id)
            cloud.scaling.members.enter_service(group, state)
    cloud.scaling.wake(name)


def _join(backend: Any, group: Any, instance_id: str) -> Any:
    instance = backend.ec2_backend.get_instance(instance_id)
    # moto takes the group of an instance that was in another one before from there.
    instance.autoscaling_group = group
    state = InstanceState(instance, protected_from_scale_in=group.new_instances_protected_from_scale_in)
    backend.ec2_backend.create_tags([instance_id], {ASG_NAME_TAG: group.name, **group.get_propagated_tags()})
    group.instance_states.append(state)
    return state


def _must_be_free(backend: Any, group: Any, instance_id: str) -> None:
    instance = backend.ec2_backend.get_instance_by_id(instance_id)
    if instance is None:
        raise ValidationError(f"Invalid Instance ID(s): [{instance_id}] specified.")
    if instance.state != "running":
        raise ValidationError(
            f"Instance {instance_id} is not in correct state. Instance(s) must be in 'running' state."
        )
    for other in backend.autoscaling_groups.values():
        if any(state.instance.id == instance_id for state in (*other.instance_states, *warm_of(other))):
            raise ValidationError(f"Instance {instance_id} is already part of AutoScalingGroup:{other.name}.")
    if instance.placement.zone not in group.availability_zones:
        raise ValidationError(
            f"The availability zone {instance.placement.zone} of instance {instance_id} is not one of the group's: "
            f"{', '.join(group.availability_zones)}."
        )


def _must_be_few(instance_ids: Sequence[str], most: int = MOST_AT_ONCE) -> None:
    if not 1 <= len(instance_ids) <= most:
        raise ValidationError(
            f"1 validation error detected: Value '{list(instance_ids)}' at 'instanceIds' failed to satisfy constraint: "
            f"Member must have length less than or equal to {most}"
        )


def _must_launch(group: Any) -> None:
    if "Launch" in suspended(group):
        raise AutoscalingClientError(
            "ScalingActivityInProgress", f"The Launch process of AutoScalingGroup {group.name} is suspended."
        )


@HOOKS.before(AutoScalingBackend, "detach_instances")
def _detach(
    cloud: Scaled, original: Hook, backend: Any, name: str, instance_ids: Sequence[str], decrement: bool
) -> Any:
    """moto drops them at once, still registered; here they are deregistered and drain as Detaching."""
    _must_be_few(instance_ids)
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        states = _members(group, instance_ids, "InService", "Standby")
        counted = [state for state in states if state.lifecycle_state == "InService"]
        _shrink(group, len(counted) if decrement else 0, f"detach {len(counted)} instances")
        activities = [cloud.scaling.members.leave(group, state, "Detaching", "detached") for state in states]
    cloud.scaling.wake(name)
    return [each.shown(group.arn) for each in activities]


@HOOKS.before(AutoScalingBackend, "enter_standby_instances")
def _enter_standby(
    cloud: Scaled, original: Hook, backend: Any, name: str, instance_ids: Sequence[str], decrement: bool
) -> Any:
    """moto leaves them in the load balancers."""
    _must_be_few(instance_ids)
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        states = _members(group, instance_ids, "InService")
        _shrink(group, len(states) if decrement else 0, f"place into standby {len(states)} instances")
        activities = [cloud.scaling.members.leave(group, state, "Standby", "moved to standby") for state in states]
        for activity in activities:
            cloud.scaling.activities.close(activity)
    cloud.scaling.wake(name)
    return [each.shown(group.arn) for each in activities]


@HOOKS.before(AutoScalingBackend, "exit_standby_instances")
def _exit_standby(cloud: Scaled, original: Hook, backend: Any, name: str, instance_ids: Sequence[str]) -> Any:
    """moto does not bring them back into the load balancers, nor mind the group's maximum."""
    _must_be_few(instance_ids)
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        states = _members(group, instance_ids, "Standby")
        _must_launch(group)
        if group.desired_capacity + len(states) > group.max_size:
            raise ValidationError(_sizes(group, f"move {len(states)} instances out of standby"))
        group.desired_capacity += len(states)
        activities = [cloud.scaling.members.come_back(group, state) for state in states]
    cloud.scaling.wake(name)
    return [each.shown(group.arn) for each in activities]


@HOOKS.before(AutoScalingBackend, "terminate_instance")
def _terminate(cloud: Scaled, original: Hook, backend: Any, instance_id: str, decrement: bool) -> Any:
    """moto terminates in the call itself; here the instance is deregistered, drains, and is terminated then."""
    with cloud.scaling.lock:
        group, state = _member(backend, instance_id)
        is_counted = state.lifecycle_state in COUNTED
        if decrement and is_counted and group.desired_capacity <= group.min_size:
            raise ValidationError(
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement "
                "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or "
                "lower group's min size."
            )
        before = group.desired_capacity
        group.desired_capacity -= 1 if decrement and is_counted else 0
        cause = f"instance {instance_id} was taken out of service in response to a user request"
        cause += f", shrinking the capacity from {before} to {group.desired_capacity}." if decrement else "."
        activity = cloud.scaling.members.begin_termination(group, state, cause)
    cloud.scaling.wake(group.name)
    return activity.shown(group.arn)


@HOOKS.before(AutoScalingBackend, "notify_terminate_instances")
def _instances_end(cloud: Scaled, original: Hook, backend: Any, instance_ids: Sequence[str]) -> None:
    """moto replaces them in the call itself; the engine's health check finds them."""
    cloud.scaling.wake()


@HOOKS.before(AutoScalingResponse, "set_instance_health")
def _set_health(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores ShouldRespectGracePeriod, and answers 500 for an instance of no group."""
    with cloud.scaling.lock:
        instance_id = response._get_param("InstanceId")
        group, _ = _member(response.autoscaling_backend, instance_id)
        respects = response._get_bool_param("ShouldRespectGracePeriod", True)
        if respects and cloud.scaling.members.is_in_grace(group, instance_id):
            return EmptyResult()
        result = original(response)
    cloud.scaling.wake()
    return result


@HOOKS.before(AutoScalingBackend, "set_instance_protection")
def _protect(cloud: Scaled, original: Hook, backend: Any, name: str, instance_ids: Sequence[str], on: bool) -> None:
    """moto takes ids that are not in the group, and answers nothing."""
    _must_be_few(instance_ids, MOST_PROTECTED)
    with cloud.scaling.lock:
        _members(backend.autoscaling_groups[name], instance_ids, "InService", "Pending", "Standby")
        original(backend, name, instance_ids, on)


def _member(backend: Any, instance_id: str) -> tuple[Any, Any]:
    for group in backend.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance.id == instance_id and not state.lifecycle_state.startswith(("Terminating", "Detaching")):
                return group, state
    raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


def _members(group: Any, instance_ids: Sequence[str], *lifecycles: str) -> list[Any]:
    states = {state.instance.id: state for state in group.instance_states}
    for instance_id in instance_ids:
        if instance_id not in states:
            raise ValidationError(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
        if states[instance_id].lifecycle_state not in lifecycles:
            raise ValidationError(
                f"The instance {instance_id} is not in {' or '.join(lifecycles)}: it is in "
                f"{states[instance_id].lifecycle_state}."
            )
    return [states[instance_id] for instance_id in instance_ids]


def _shrink(group: Any, by: int, what: str) -> None:
    if group.desired_capacity - by < group.min_size:
        raise ValidationError(_sizes(group, what))
    group.desired_capacity -= by


def _sizes(group: Any, what: str) -> str:
    return (
        f"AutoScalingGroup {group.name} has min-size={group.min_size}, max-size={group.max_size}, and "
        f"desired-size={group.desired_capacity}. To {what}, please update the AutoScalingGroup sizes appropriately."
    )

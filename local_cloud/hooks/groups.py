"""Hooks into moto's Auto Scaling: each closes one gap between moto and AWS.

moto keeps the groups and what they were told; the engine (scaling.py) alone launches and terminates.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Protocol

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import ASG_NAME_TAG, AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.backends import get_backend
from moto.core.responses import ActionResult, EmptyResult

from local_cloud.config import ACCOUNT, REGION
from local_cloud.hooks import notifications, warm_pools  # noqa: F401 (imported, their hooks are marked)
from local_cloud.hooks.hooking import Hook, addition, hook
from local_cloud.hooks.refreshes import must_be_changeable
from local_cloud.hooks.triggers import forget
from local_cloud.scaling.capacity import COUNTED
from local_cloud.scaling.engine import Scaling, suspended
from local_cloud.scaling.launches import completed, configure
from local_cloud.scaling.warm_pools import warm_of

MOST_AT_ONCE = 20
"""Instances that one call may attach, detach or put on standby:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html"""

MOST_PROTECTED = 50
"""https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html"""


class Scaled(Protocol):
    """What the hooks need of the rest."""

    scaling: Scaling


def groups_now() -> list[FakeAutoScalingGroup]:
    """All groups."""
    backend: Any = get_backend("autoscaling")[ACCOUNT][REGION]
    return list(backend.autoscaling_groups.values())


def settle() -> None:
    """After a start: members that did not outlive the last daemon are none, whatever is suspended."""
    for group in groups_now():
        for states in (group.instance_states, warm_of(group)):
            states[:] = [state for state in states if state.instance.state != "terminated"]


class Groups(OrderedDict[str, FakeAutoScalingGroup]):
    """The groups by name; one that is not there is the client's mistake, not the server's."""

    def __missing__(self, name: str) -> FakeAutoScalingGroup:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


# ------------------------------------------------------------------ groups and their sizes


@hook(AutoScalingBackend, "__init__")
def _backend(cloud: Scaled, original: Hook, backend: Any, *rest: Any, **named: Any) -> None:
    """moto answers 500 for a group that is not there."""
    original(backend, *rest, **named)
    backend.autoscaling_groups = Groups()


@hook(AutoScalingBackend, "create_auto_scaling_group")
def _create(cloud: Scaled, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto takes a name twice, any sizes and target groups, and makes a grace period of 0 one of 300 s."""
    if name in backend.autoscaling_groups:
        raise AutoscalingClientError("AlreadyExists", f"AutoScalingGroup by this name already exists - {name}")
    smallest, largest = int(named["min_size"]), int(named["max_size"])
    wanted = named.get("desired_capacity")
    _must_fit(smallest, largest, smallest if wanted is None else int(wanted))
    if any(arn not in backend.elbv2_backend.target_groups for arn in named.get("target_group_arns") or []):
        raise ValidationError("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    _must_be_configured(backend, named.get("launch_config_name"))
    if named.get("mixed_instances_policy"):
        given = {"MixedInstancesPolicy": named["mixed_instances_policy"]}
        named["mixed_instances_policy"] = completed(None, given)["MixedInstancesPolicy"]
    with cloud.scaling.lock:
        group = original(backend, name, *rest, **named)
        group.health_check_grace_period = int(named.get("health_check_period") or 0)
        group.launch_configuration_name = named.get("launch_config_name")
    cloud.scaling.wake(name)
    return group


@hook(AutoScalingBackend, "update_auto_scaling_group")
def _update(cloud: Scaled, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto mixes up what a group launches from with what it launched from before, and takes any sizes."""
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        smallest, largest = (
            group.min_size if named.get("min_size") is None else named["min_size"],
            group.max_size if named.get("max_size") is None else named["max_size"],
        )
        if named.get("desired_capacity") is None:
            named["desired_capacity"] = max(smallest, min(largest, group.desired_capacity))
        _must_fit(smallest, largest, named["desired_capacity"])
        given = {key: named[argument] for key, argument in _LAUNCHED_FROM.items() if named.get(argument)}
        _must_be_one(backend, group, given)
        policy = group.mixed_instances_policy
        original(backend, name, *rest, **(named | _NOTHING))
        group.mixed_instances_policy = policy
        if given:
            configure(group, given)
    cloud.scaling.wake(name)
    return group


_LAUNCHED_FROM = {
    "LaunchConfigurationName": "launch_config_name",
    "LaunchTemplate": "launch_template",
    "MixedInstancesPolicy": "mixed_instances_policy",
}
_NOTHING: dict[str, Any] = {"launch_config_name": None, "launch_template": {}, "mixed_instances_policy": None}


def _must_be_one(backend: Any, group: Any, given: Mapping[str, Any]) -> None:
    if len(given) > 1:
        raise ValidationError(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName or MixedInstancesPolicy "
            "parameter."
        )
    if given:
        must_be_changeable(group)
    _must_be_configured(backend, given.get("LaunchConfigurationName"))


def _must_be_configured(backend: Any, name: str | None) -> None:
    if name and name not in backend.launch_configurations:
        raise ValidationError(f"Launch configuration name not found - Launch configuration {name} not found")


@hook(AutoScalingResponse, "describe_auto_scaling_groups")
def _describe(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores IncludeInstances, and shows no WarmPoolSize."""
    with cloud.scaling.lock:
        result = original(response)
        for group in result.result["AutoScalingGroups"]:
            group.warm_pool_size = len(warm_of(group)) if group.warm_pool else None
        if response._get_bool_param("IncludeInstances", True) is False:
            shown = [copy(group) for group in result.result["AutoScalingGroups"]]
            for group in shown:
                group.instance_states = []
            result.result["AutoScalingGroups"] = shown
    return result


@hook(AutoScalingResponse, "create_auto_scaling_group")
def _create_call(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores DefaultInstanceWarmup."""
    return _with_the_rest(cloud, original, response)


@hook(AutoScalingResponse, "update_auto_scaling_group")
def _update_call(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores these."""
    return _with_the_rest(cloud, original, response)


def _with_the_rest(cloud: Scaled, original: Hook, response: Any) -> Any:
    with cloud.scaling.lock:
        result = original(response)
        group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
        for parameter, attribute in _IGNORED.items():
            if (value := response._get_param(parameter)) is not None:
                setattr(group, attribute, value)
    return result


_IGNORED = {
    "TerminationPolicies": "termination_policies",
    "DefaultCooldown": "default_cooldown",
    "DefaultInstanceWarmup": "default_instance_warmup",
    "CapacityRebalance": "capacity_rebalance",
}


def _must_fit(smallest: int, largest: int, wanted: int) -> None:
    if smallest > largest:
        raise ValidationError(f"Max bound, {largest}, must be greater than or equal to min bound, {smallest}")
    if not smallest <= wanted <= largest:
        raise ValidationError(
            f"Desired capacity:{wanted} must be between the specified min size:{smallest} and max size:{largest}"
        )


@hook(AutoScalingBackend, "set_desired_capacity")
def _set_desired(cloud: Scaled, original: Hook, backend: Any, name: str, wanted: int) -> None:
    """moto takes a desired capacity outside the group's sizes."""
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        for bound, size, is_outside in (
            ("above max", group.max_size, wanted > group.max_size),
            ("below min", group.min_size, wanted < group.min_size),
        ):
            if is_outside:
                raise ValidationError(
                    f"New SetDesiredCapacity value {wanted} is {bound} value {size} for the AutoScalingGroup."
                )
        original(backend, name, wanted)
    cloud.scaling.wake(name)


@hook(FakeAutoScalingGroup, "set_desired_capacity")
def _note_desired(cloud: Scaled, original: Hook, group: Any, wanted: int | None) -> None:
    """moto launches and terminates in the call itself; here it is noted, and the engine acts."""
    group.desired_capacity = group.min_size if wanted is None else wanted


@hook(AutoScalingBackend, "update_attached_elbs")
def _leave_elbs(cloud: Scaled, original: Hook, backend: Any, name: str) -> None:
    """moto registers all members whenever something changes; the engine registers each one once."""


@hook(AutoScalingBackend, "update_attached_target_groups")
def _leave_target_groups(cloud: Scaled, original: Hook, backend: Any, name: str) -> None:
    """As above."""


@hook(AutoScalingResponse, "delete_auto_scaling_group")
def _delete(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores ForceDelete, and deletes a group that has instances without it."""
    backend, name = response.autoscaling_backend, response._get_param("AutoScalingGroupName")
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        if (group.instance_states or warm_of(group)) and not response._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group.",
            )
        cloud.scaling.delete(group)
        del backend.autoscaling_groups[name]
        forget(backend, name)
    return EmptyResult()


@hook(FakeAutoScalingGroup, "launch_template")
def _template_of_group(cloud: Scaled, original: Hook, group: Any) -> dict[str, Any] | None:
    """moto shows a mixed group's template at the top, too."""
    return None if group.mixed_instances_policy else original(group)


@hook(InstanceState, "launch_template")
def _template_of_instance(cloud: Scaled, original: Hook, state: Any) -> dict[str, Any] | None:
    """moto shows the template's default version; here is what the instance was launched from."""
    tags = {tag["key"]: tag["value"] for tag in state.instance.get_tags()}
    if "aws:ec2launchtemplate:id" not in tags:
        return None
    template = tags["aws:ec2launchtemplate:id"]
    known = state.instance.ec2_backend.launch_templates.get(template)
    return {
        "LaunchTemplateId": template,
        "LaunchTemplateName": known.name if known else None,
        "Version": tags["aws:ec2launchtemplate:version"],
    }


@hook(InstanceState, "launch_configuration_name")
def _configuration_of_instance(cloud: Scaled, original: Hook, state: Any) -> str | None:
    """moto shows the group's; here is what the instance was launched from, while it is there."""
    name = getattr(state.instance, "launch_configuration_name", None)
    return name if name in state.auto_scaling_group.autoscaling_backend.launch_configurations else None


@hook(AutoScalingBackend, "create_launch_configuration")
def _create_configuration(cloud: Scaled, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto takes a name twice."""
    if name in backend.launch_configurations:
        raise AutoscalingClientError("AlreadyExists", f"Launch Configuration by this name already exists - {name}")
    return original(backend, name, *rest, **named)


@hook(AutoScalingBackend, "delete_launch_configuration")
def _delete_configuration(cloud: Scaled, original: Hook, backend: Any, name: str) -> None:
    """moto deletes one that a group launches from, and one that is not there."""
    _must_be_configured(backend, name)
    if any(getattr(group, "launch_configuration_name", None) == name for group in backend.autoscaling_groups.values()):
        message = f"Cannot delete launch configuration {name} because it is attached to AutoScalingGroup"
        raise AutoscalingClientError("ResourceInUse", message)
    original(backend, name)


@hook(AutoScalingResponse, "describe_scaling_activities")
def _activities(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto's list is empty."""
    backend = response.autoscaling_backend
    name, wanted = response._get_param("AutoScalingGroupName"), response._get_param("ActivityIds", [])
    groups = [backend.autoscaling_groups[name]] if name else list(backend.autoscaling_groups.values())
    shown = [each.shown(group.arn) for group in groups for each in cloud.scaling.activities.of(group.name)]
    shown = [each for each in shown if not wanted or each["ActivityId"] in wanted]
    first, most = int(response._get_param("NextToken") or 0), response._get_int_param("MaxRecords", 100)
    token = str(first + most) if len(shown) > first + most else None
    return ActionResult({"Activities": shown[first : first + most], "NextToken": token})


# ------------------------------------------------------------------ processes


@hook(AutoScalingBackend, "resume_processes")
def _resume(cloud: Scaled, original: Hook, backend: Any, name: str, processes: Sequence[str]) -> None:
    """The engine looks at once."""
    with cloud.scaling.lock:
        original(backend, name, processes)
    cloud.scaling.wake(name)


@hook(AutoScalingBackend, "suspend_processes")
def _suspend(cloud: Scaled, original: Hook, backend: Any, name: str, processes: Sequence[str]) -> None:
    """Not while the engine decides."""
    with cloud.scaling.lock:
        original(backend, name, processes)


# ------------------------------------------------------------------ members


@hook(AutoScalingBackend, "attach_instances")
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
            cloud.scaling.enter_service(group, state)
    cloud.scaling.wake(name)


def _join(backend: Any, group: Any, instance_id: str) -> InstanceState:
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


@hook(AutoScalingBackend, "detach_instances")
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
        activities = [cloud.scaling.leave(group, state, "Detaching", "detached") for state in states]
    cloud.scaling.wake(name)
    return [each.shown(group.arn) for each in activities]


@hook(AutoScalingBackend, "enter_standby_instances")
def _enter_standby(
    cloud: Scaled, original: Hook, backend: Any, name: str, instance_ids: Sequence[str], decrement: bool
) -> Any:
    """moto leaves them in the load balancers."""
    _must_be_few(instance_ids)
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[name]
        states = _members(group, instance_ids, "InService")
        _shrink(group, len(states) if decrement else 0, f"place into standby {len(states)} instances")
        activities = [cloud.scaling.leave(group, state, "Standby", "moved to standby") for state in states]
        for activity in activities:
            cloud.scaling.activities.close(activity)
    cloud.scaling.wake(name)
    return [each.shown(group.arn) for each in activities]


@hook(AutoScalingBackend, "exit_standby_instances")
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
        activities = [cloud.scaling.come_back(group, state) for state in states]
    cloud.scaling.wake(name)
    return [each.shown(group.arn) for each in activities]


@hook(AutoScalingBackend, "terminate_instance")
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
        activity = cloud.scaling.begin_termination(group, state, cause)
    cloud.scaling.wake(group.name)
    return activity.shown(group.arn)


@addition(AutoScalingResponse, "complete_lifecycle_action")
def _complete_lifecycle_action(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    result = response._get_param("LifecycleActionResult")
    if result not in ("CONTINUE", "ABANDON"):
        raise ValidationError("The lifecycle action result must be CONTINUE or ABANDON.")
    with cloud.scaling.lock:
        _must_wait(response, cloud.scaling.complete(*_waiting(response), result))
    return EmptyResult()


@addition(AutoScalingResponse, "record_lifecycle_action_heartbeat")
def _heartbeat(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    with cloud.scaling.lock:
        _must_wait(response, cloud.scaling.heartbeat(*_waiting(response)))
    return EmptyResult()


def _waiting(response: Any) -> tuple[str, str]:
    """The instance and the hook. There are no tokens here: they are told by notifications, which nobody gets."""
    return response._get_param("InstanceId") or "", response._get_param("LifecycleHookName")


def _must_wait(response: Any, does_wait: bool) -> None:
    if not does_wait:
        instance = response._get_param("InstanceId")
        raise ValidationError(f"No active Lifecycle Action found with instance ID {instance}")


@hook(AutoScalingBackend, "notify_terminate_instances")
def _instances_end(cloud: Scaled, original: Hook, backend: Any, instance_ids: Sequence[str]) -> None:
    """moto replaces them in the call itself; the engine's health check finds them."""
    cloud.scaling.wake()


@hook(AutoScalingResponse, "set_instance_health")
def _set_health(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores ShouldRespectGracePeriod, and answers 500 for an instance of no group."""
    with cloud.scaling.lock:
        instance_id = response._get_param("InstanceId")
        group, _ = _member(response.autoscaling_backend, instance_id)
        respects = response._get_bool_param("ShouldRespectGracePeriod", True)
        if respects and cloud.scaling.is_in_grace(group, instance_id):
            return EmptyResult()
        result = original(response)
    cloud.scaling.wake()
    return result


@hook(AutoScalingBackend, "set_instance_protection")
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


# ------------------------------------------------------------------ target groups and load balancers


@hook(AutoScalingBackend, "attach_load_balancer_target_groups")
def _attach_groups(cloud: Scaled, original: Hook, backend: Any, name: str, arns: Sequence[str]) -> None:
    """moto registers members on standby, too."""
    with cloud.scaling.lock:
        original(backend, name, arns)
        cloud.scaling.register_all(backend.autoscaling_groups[name])


@hook(AutoScalingBackend, "attach_load_balancers")
def _attach_elbs(cloud: Scaled, original: Hook, backend: Any, name: str, balancers: Sequence[str]) -> None:
    """As above."""
    with cloud.scaling.lock:
        original(backend, name, balancers)
        cloud.scaling.register_all(backend.autoscaling_groups[name])

"""Hooks into moto's Auto Scaling: each closes one gap between moto and AWS.

moto keeps the groups and their settings; only the engine (`scaling`) launches and terminates.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.backends import get_backend
from moto.core.responses import ActionResult, EmptyResult

from local_cloud.config import ACCOUNT, REGION
from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.launch_sources import configure
from local_cloud.hooks.launched_from import must_be_configured
from local_cloud.hooks.refreshes import must_be_changeable
from local_cloud.hooks.scaled import Scaled
from local_cloud.hooks.triggers import forget
from local_cloud.scaling.launches import completed
from local_cloud.scaling.warm_pools import warm_of

HOOKS = Hooks()


def groups_now() -> list[Any]:
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


@HOOKS.before(AutoScalingBackend, "__init__")
def _backend(cloud: Scaled, original: Hook, backend: Any, *rest: Any, **named: Any) -> None:
    """moto answers 500 for a group that is not there."""
    original(backend, *rest, **named)
    backend.autoscaling_groups = Groups()


@HOOKS.before(AutoScalingBackend, "create_auto_scaling_group")
def _create(cloud: Scaled, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto takes a name twice, any sizes and target groups, and makes a grace period of 0 one of 300 s."""
    if name in backend.autoscaling_groups:
        raise AutoscalingClientError("AlreadyExists", f"AutoScalingGroup by this name already exists - {name}")
    smallest, largest = int(named["min_size"]), int(named["max_size"])
    wanted = named.get("desired_capacity")
    _must_fit(smallest, largest, smallest if wanted is None else int(wanted))
    if any(arn not in backend.elbv2_backend.target_groups for arn in named.get("target_group_arns") or []):
        raise ValidationError("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    must_be_configured(backend, named.get("launch_config_name"))
    if named.get("mixed_instances_policy"):
        given = {"MixedInstancesPolicy": named["mixed_instances_policy"]}
        named["mixed_instances_policy"] = completed(None, given)["MixedInstancesPolicy"]
    with cloud.scaling.lock:
        group = original(backend, name, *rest, **named)
        group.health_check_grace_period = int(named.get("health_check_period") or 0)
        group.launch_configuration_name = named.get("launch_config_name")
    cloud.scaling.wake(name)
    return group


@HOOKS.before(AutoScalingBackend, "update_auto_scaling_group")
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
    must_be_configured(backend, given.get("LaunchConfigurationName"))


@HOOKS.before(AutoScalingResponse, "describe_auto_scaling_groups")
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


@HOOKS.before(AutoScalingResponse, "create_auto_scaling_group")
def _create_call(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores DefaultInstanceWarmup."""
    return _with_the_rest(cloud, original, response)


@HOOKS.before(AutoScalingResponse, "update_auto_scaling_group")
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


@HOOKS.before(AutoScalingBackend, "set_desired_capacity")
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


@HOOKS.before(FakeAutoScalingGroup, "set_desired_capacity")
def _note_desired(cloud: Scaled, original: Hook, group: Any, wanted: int | None) -> None:
    """moto launches and terminates in the call itself; here it is noted, and the engine acts."""
    group.desired_capacity = group.min_size if wanted is None else wanted


@HOOKS.before(AutoScalingBackend, "update_attached_elbs")
def _leave_elbs(cloud: Scaled, original: Hook, backend: Any, name: str) -> None:
    """moto registers all members whenever something changes; the engine registers each one once."""


@HOOKS.before(AutoScalingBackend, "update_attached_target_groups")
def _leave_target_groups(cloud: Scaled, original: Hook, backend: Any, name: str) -> None:
    """As above."""


@HOOKS.before(AutoScalingResponse, "delete_auto_scaling_group")
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


@HOOKS.before(AutoScalingResponse, "describe_scaling_activities")
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


@HOOKS.before(AutoScalingBackend, "resume_processes")
def _resume(cloud: Scaled, original: Hook, backend: Any, name: str, processes: Sequence[str]) -> None:
    """The engine looks at once."""
    with cloud.scaling.lock:
        original(backend, name, processes)
    cloud.scaling.wake(name)


@HOOKS.before(AutoScalingBackend, "suspend_processes")
def _suspend(cloud: Scaled, original: Hook, backend: Any, name: str, processes: Sequence[str]) -> None:
    """Not while the engine decides."""
    with cloud.scaling.lock:
        original(backend, name, processes)


@HOOKS.before(AutoScalingBackend, "attach_load_balancer_target_groups")
def _attach_groups(cloud: Scaled, original: Hook, backend: Any, name: str, arns: Sequence[str]) -> None:
    """moto registers members on standby, too."""
    with cloud.scaling.lock:
        original(backend, name, arns)
        cloud.scaling.members.register_all(backend.autoscaling_groups[name])


@HOOKS.before(AutoScalingBackend, "attach_load_balancers")
def _attach_elbs(cloud: Scaled, original: Hook, backend: Any, name: str, balancers: Sequence[str]) -> None:
    """As above."""
    with cloud.scaling.lock:
        original(backend, name, balancers)
        cloud.scaling.members.register_all(backend.autoscaling_groups[name])

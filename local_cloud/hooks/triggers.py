"""Hooks into moto's scaling policies and scheduled actions: each closes one gap between moto and AWS."""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.scaled import Scaled
from local_cloud.scaling.cron import is_due

HOOKS = Hooks()


def forget(backend: Any, group: str) -> None:
    """With a group go its policies and scheduled actions."""
    for kept in (backend.policies, backend.scheduled_actions, backend.lifecycle_hooks):
        for key in [key for key, each in kept.items() if each.auto_scaling_group_name == group]:
            del kept[key]


@HOOKS.before(AutoScalingBackend, "put_scheduled_update_group_action")
def _put_action(cloud: Scaled, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto keeps one action of a name, whichever group's, and takes any recurrence."""
    group, name = backend.autoscaling_groups[named["name"]], named["scheduled_action_name"]
    if named.get("recurrence"):
        _must_be_cron(cloud, named["recurrence"])
    with cloud.scaling.lock:
        action = original(backend, *rest, **named)
        backend.scheduled_actions[f"{group.name}/{name}"] = backend.scheduled_actions.pop(name)
    return action


def _must_be_cron(cloud: Scaled, expression: str) -> None:
    try:
        is_due(expression, cloud.scaling.refreshes.now())
    except ValueError as error:
        raise ValidationError(f"Given recurrence string: {error}") from None


@HOOKS.before(AutoScalingBackend, "delete_scheduled_action")
def _delete_action(
    cloud: Scaled, original: Hook, backend: Any, auto_scaling_group_name: str, scheduled_action_name: str
) -> None:
    """As above."""
    with cloud.scaling.lock:
        if backend.scheduled_actions.pop(f"{auto_scaling_group_name}/{scheduled_action_name}", None) is None:
            raise ValidationError("Scheduled action name not found")


@HOOKS.before(AutoScalingBackend, "put_scaling_policy")
def _put_policy(cloud: Scaled, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto keeps one policy of a name, whichever group's."""
    group, name = backend.autoscaling_groups[named["as_name"]], named["name"]
    with cloud.scaling.lock:
        policy = original(backend, *rest, **named)
        backend.policies[f"{group.name}/{name}"] = backend.policies.pop(name)
    return policy


@HOOKS.before(AutoScalingResponse, "put_scaling_policy")
def _put_policy_call(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto misspells the ARN's name, so that nobody gets it."""
    return ActionResult({"PolicyARN": original(response).result["PolicyArn"]})


@HOOKS.before(AutoScalingResponse, "delete_policy")
def _delete_policy(cloud: Scaled, original: Hook, response: Any) -> Any:
    """As above."""
    with cloud.scaling.lock:
        key, _ = _policy(response)
        del response.autoscaling_backend.policies[key]
    return EmptyResult()


@HOOKS.before(AutoScalingResponse, "execute_policy")
def _execute_policy(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto knows neither steps nor cooldowns."""
    with cloud.scaling.lock:
        _, policy = _policy(response)
        if policy.policy_type not in ("SimpleScaling", "StepScaling"):
            raise ValidationError(f"A policy of the type {policy.policy_type} cannot be executed.")
        group = response.autoscaling_backend.autoscaling_groups[policy.auto_scaling_group_name]
        breach = float(response._get_param("MetricValue", 0)) - float(response._get_param("BreachThreshold", 0))
        honours = response._get_bool_param("HonorCooldown", False)
        if not cloud.scaling.triggers.execute(group, policy, breach, honours_cooldown=honours):
            raise AutoscalingClientError("ScalingActivityInProgress", f"The cooldown of {group.name} is not over.")
    return EmptyResult()


def _policy(response: Any) -> tuple[str, Any]:
    """By its ARN, or by its name and its group's."""
    name, group = response._get_param("PolicyName"), response._get_param("AutoScalingGroupName")
    for key, policy in response.autoscaling_backend.policies.items():
        if policy.arn == name or (policy.name == name and policy.auto_scaling_group_name == group):
            return key, policy
    raise ValidationError(f"PolicyName {name} not found")

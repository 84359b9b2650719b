"""Lifecycle actions by the API, which moto lacks: somebody's word for an instance that waits."""

from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from local_cloud.hooks.hooking import Hooks
from local_cloud.hooks.scaled import Scaled

HOOKS = Hooks()


@HOOKS.addition(AutoScalingResponse, "complete_lifecycle_action")
def _complete_lifecycle_action(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    result = response._get_param("LifecycleActionResult")
    if result not in ("CONTINUE", "ABANDON"):
        raise ValidationError("The lifecycle action result must be CONTINUE or ABANDON.")
    with cloud.scaling.lock:
        _must_wait(response, cloud.scaling.complete(*_waiting(response), result))
    return EmptyResult()


@HOOKS.addition(AutoScalingResponse, "record_lifecycle_action_heartbeat")
def _heartbeat(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    with cloud.scaling.lock:
        _must_wait(response, cloud.scaling.heartbeat(*_waiting(response)))
    return EmptyResult()


def _waiting(response: Any) -> tuple[str, str]:
    """The instance and the hook. There are no tokens here: AWS sends them in notifications, which nobody gets here."""
    return response._get_param("InstanceId") or "", response._get_param("LifecycleHookName")


def _must_wait(response: Any, does_wait: bool) -> None:
    if not does_wait:
        instance = response._get_param("InstanceId")
        raise ValidationError(f"No active Lifecycle Action found with instance ID {instance}")

"""Notifications of Auto Scaling groups: moto knows none. They are kept and described; nobody is notified."""

from collections.abc import Mapping
from typing import Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from local_cloud.hooks.hooking import Hooks
from local_cloud.hooks.scaled import Scaled

HOOKS = Hooks()


@HOOKS.addition(AutoScalingResponse, "put_notification_configuration")
def _put(cloud: Scaled, response: Any) -> Any:
    """Absent from moto. A topic's types are those of the last call."""
    topic, types = response._get_param("TopicARN"), response._get_param("NotificationTypes", [])
    with cloud.scaling.lock:
        group = _groups(response)[response._get_param("AutoScalingGroupName")]
        group.notifications = {**_notifications(group), topic: tuple(types)}
    return EmptyResult()


@HOOKS.addition(AutoScalingResponse, "delete_notification_configuration")
def _delete(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    topic = response._get_param("TopicARN")
    with cloud.scaling.lock:
        group = _groups(response)[response._get_param("AutoScalingGroupName")]
        group.notifications = {arn: types for arn, types in _notifications(group).items() if arn != topic}
    return EmptyResult()


@HOOKS.addition(AutoScalingResponse, "describe_notification_configurations")
def _describe(cloud: Scaled, response: Any) -> Any:
    """Absent from moto."""
    names = response._get_param("AutoScalingGroupNames", [])
    with cloud.scaling.lock:
        found = [
            {"AutoScalingGroupName": group.name, "TopicARN": topic, "NotificationType": each}
            for group in _groups(response).values()
            if not names or group.name in names
            for topic, types in _notifications(group).items()
            for each in types
        ]
    return ActionResult({"NotificationConfigurations": found})


def _groups(response: Any) -> Mapping[str, Any]:
    groups: Mapping[str, Any] = response.autoscaling_backend.autoscaling_groups
    return groups


def _notifications(group: Any) -> Mapping[str, tuple[str, ...]]:
    """The types by topic."""
    found: Mapping[str, tuple[str, ...]] = getattr(group, "notifications", {})
    return found

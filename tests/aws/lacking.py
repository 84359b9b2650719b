"""What moto lacks of Auto Scaling, with its state: instance refreshes, notifications, and that a name is taken."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient

Answer = tuple[int, dict[str, Any]]


class Lacking:
    """Answers these operations before they reach moto; all others go on to it. `asked` holds each request's body."""

    def __init__(self, client: "AutoScalingClient") -> None:
        self.refreshes: list[dict[str, Any]] = []
        self.notifications: dict[str, set[tuple[str, str]]] = {}
        self.asked: list[dict[str, Any]] = []
        self._client = client
        for operation, answer in {
            "StartInstanceRefresh": self._start,
            "DescribeInstanceRefreshes": lambda _: (200, {"InstanceRefreshes": self.refreshes}),
            "CancelInstanceRefresh": self._cancel,
            "PutNotificationConfiguration": self._notify,
            "DescribeNotificationConfigurations": self._notified,
        }.items():
            self._answer(operation, answer)
        taken: Any = self._taken
        client.meta.events.register("before-call.autoscaling.CreateAutoScalingGroup", taken)

    def _answer(self, operation: str, answer: Callable[[dict[str, Any]], Answer]) -> None:
        given: list[dict[str, Any]] = []

        def remember(params: dict[str, Any], **_: Any) -> None:
            given.append(params)

        def before(**_: Any) -> tuple[Any, dict[str, Any]]:
            self.asked.append(given[-1])
            return _response(*answer(given[-1]))

        self._client.meta.events.register(f"provide-client-params.autoscaling.{operation}", remember)
        answering: Any = before  # botocore's stubs do not know that what it answers counts
        self._client.meta.events.register(f"before-call.autoscaling.{operation}", answering)

    def _start(self, params: dict[str, Any]) -> Answer:
        if any(each["Status"] == "InProgress" for each in self.refreshes):
            return _error("InstanceRefreshInProgress", "An instance refresh is already in progress")
        made = {"InstanceRefreshId": f"refresh-{len(self.refreshes)}", "Status": "InProgress", "PercentageComplete": 40}
        if "DesiredConfiguration" in params:
            made["DesiredConfiguration"] = params["DesiredConfiguration"]
        self.refreshes.insert(0, made)
        return 200, {"InstanceRefreshId": made["InstanceRefreshId"]}

    def _cancel(self, _: dict[str, Any]) -> Answer:
        if not self.refreshes or self.refreshes[0]["Status"] != "InProgress":
            return _error("ActiveInstanceRefreshNotFound", "No active instance refresh found")
        self.refreshes[0]["Status"] = "Cancelled"
        return 200, {"InstanceRefreshId": self.refreshes[0]["InstanceRefreshId"]}

    def _notify(self, params: dict[str, Any]) -> Answer:
        group, topic = params["AutoScalingGroupName"], params["TopicARN"]
        others = {each for each in self.notifications.get(group, set()) if each[0] != topic}
        self.notifications[group] = others | {(topic, each) for each in params["NotificationTypes"]}
        return 200, {}

    def _notified(self, params: dict[str, Any]) -> Answer:
        (group,) = params["AutoScalingGroupNames"]
        found = sorted(self.notifications.get(group, set()))
        each = [{"AutoScalingGroupName": group, "TopicARN": topic, "NotificationType": kind} for topic, kind in found]
        return 200, {"NotificationConfigurations": each}

    def _taken(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        body = params["body"]
        name = (body if isinstance(body, dict) else dict(parse_qsl(body)))["AutoScalingGroupName"]
        if self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
            return _response(*_error("AlreadyExists", "AutoScalingGroup by this name already exists"))
        return None


def _error(code: str, message: str) -> Answer:
    return 400, {"Error": {"Code": code, "Message": message}}


def _response(status: int, parsed: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    from botocore.awsrequest import AWSResponse

    found = {**parsed, "ResponseMetadata": {"HTTPStatusCode": status}}
    return AWSResponse("", status, {}, None), found  # type: ignore[arg-type]

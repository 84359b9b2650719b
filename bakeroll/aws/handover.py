"""Hands over what acts on an Auto Scaling group by itself to another group.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/scaling-overview.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bakeroll.aws.session import Clients, taken_by, translated

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import ScalingPolicyTypeDef, ScheduledUpdateGroupActionTypeDef
    from types_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
BY_ALARM = frozenset({"SimpleScaling", "StepScaling"})
"""Policies that somebody's alarm triggers. The alarms of other policies are AWS's own, and AWS makes new ones."""
DIMENSION = "AutoScalingGroupName"


class HandOver:
    """Hands over from the group `name` to the group `to`. It can be repeated, and undone in the other direction."""

    def __init__(self, clients: Clients, name: str, to: str) -> None:
        self._clients, self._client = clients, clients.autoscaling
        self._name, self._to = name, to

    def perform(self, now: datetime) -> None:
        policies = list(self._policies(self._name))
        for each in policies:
            self._put_policy(each)
        arns = {each["PolicyName"]: each["PolicyARN"] for each in self._policies(self._to)}
        made = {each["PolicyARN"]: arns[each["PolicyName"]] for each in policies}
        for each in policies:
            if each.get("PolicyType", "SimpleScaling") in BY_ALARM:
                for alarm in self._alarms(each["PolicyARN"]):
                    self._put_alarm(alarm, made)
        self._put_schedule(now)
        self._put_notifications()

    def _policies(self, group: str) -> Iterator[ScalingPolicyTypeDef]:
        with translated("DescribePolicies", group):
            pages = self._client.get_paginator("describe_policies").paginate(AutoScalingGroupName=group)
            for page in pages:
                yield from page["ScalingPolicies"]

    def _put_policy(self, policy: ScalingPolicyTypeDef) -> None:
        copy = self._renamed(taken_by(self._client, "PutScalingPolicy", policy)) | {"AutoScalingGroupName": self._to}
        if "MinAdjustmentMagnitude" in copy:
            copy.pop("MinAdjustmentStep", None)  # the older name of the same
        with translated("PutScalingPolicy", f"{self._to}, {copy['PolicyName']}"):
            self._client.put_scaling_policy(**copy)

    def _alarms(self, policy: str) -> Iterator[MetricAlarmTypeDef]:
        """The alarms that trigger the policy. Only metric alarms can."""
        with translated("DescribeAlarms", policy):
            pages = self._clients.cloudwatch.get_paginator("describe_alarms").paginate(
                ActionPrefix=policy, AlarmTypes=["MetricAlarm"]
            )
            for page in pages:
                yield from page["MetricAlarms"]

    def _put_alarm(self, alarm: MetricAlarmTypeDef, made: Mapping[str, str]) -> None:
        """Change the alarm to trigger the other group's policies, and to watch that group if it watched this one."""
        copy = self._renamed(taken_by(self._clients.cloudwatch, "PutMetricAlarm", alarm))
        copy |= {kind: [made.get(each, each) for each in copy[kind]] for kind in ACTIONS if kind in copy}
        with translated("PutMetricAlarm", alarm["AlarmName"]):
            self._clients.cloudwatch.put_metric_alarm(**copy)

    def _put_schedule(self, now: datetime) -> None:
        with translated("DescribeScheduledActions", self._name):
            pages = self._client.get_paginator("describe_scheduled_actions").paginate(AutoScalingGroupName=self._name)
            actions = [each for page in pages for each in page["ScheduledUpdateGroupActions"]]
        for each in actions:
            if "Recurrence" in each or each["StartTime"] > now:
                self._put_action(each, now)

    def _put_action(self, action: ScheduledUpdateGroupActionTypeDef, now: datetime) -> None:
        copy = taken_by(self._client, "PutScheduledUpdateGroupAction", action) | {"AutoScalingGroupName": self._to}
        copy.pop("Time", None)  # the older name of StartTime
        if "StartTime" in copy and copy["StartTime"] <= now:
            del copy["StartTime"]  # AWS accepts no past time
        with translated("PutScheduledUpdateGroupAction", f"{self._to}, {action['ScheduledActionName']}"):
            self._client.put_scheduled_update_group_action(**copy)

    def _put_notifications(self) -> None:
        with translated("DescribeNotificationConfigurations", self._name):
            pages = self._client.get_paginator("describe_notification_configurations").paginate(
                AutoScalingGroupNames=[self._name]
            )
            found = [each for page in pages for each in page["NotificationConfigurations"]]
        by_topic = defaultdict(list)
        for each in found:
            by_topic[each["TopicARN"]].append(each["NotificationType"])
        for topic, types in by_topic.items():
            with translated("PutNotificationConfiguration", f"{self._to}, {topic}"):
                self._client.put_notification_configuration(
                    AutoScalingGroupName=self._to, TopicARN=topic, NotificationTypes=types
                )

    def _renamed(self, value: Any) -> Any:
        """The value with the other group's name in each metric dimension that names this group."""
        if isinstance(value, list):
            return [self._renamed(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("Name") == DIMENSION and value.get("Value") == self._name:
            return {**value, "Value": self._to}
        return {key: self._renamed(each) for key, each in value.items()}

"""What changes a group's sizes by itself: scheduled actions, alarms that fire scaling policies, target tracking.

Whoever serves the API keeps them; here they act. Except for scheduled actions, what has fired is forgotten when the
cloud goes down.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from local_cloud.scaling.adjustments import adjusted, step, tracked
from local_cloud.scaling.cron import is_due
from local_cloud.scaling.group import ScalingGroup

AGAIN_AFTER = timedelta(minutes=1)
"""An alarm that stays in ALARM fires its scaling policies each minute:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html"""


class ScheduledAction(Protocol):
    """A change of sizes at a time, once or recurring."""

    scheduled_action_name: str
    start_time: Any
    end_time: Any
    recurrence: str | None
    time_zone: str | None
    done_at: datetime
    """The minute in which it was done last; absent before."""


class Policy(Protocol):
    """A scaling policy: simple, step or target tracking."""

    arn: str
    policy_type: str
    adjustment_type: str
    scaling_adjustment: Any
    step_adjustments: Any
    min_adjustment_magnitude: Any
    cooldown: Any
    target_tracking_configuration: Any


class TriggerSurroundings(Protocol):
    """What triggers need of the rest of the cloud."""

    def scheduled_actions(self, group: ScalingGroup) -> Sequence[ScheduledAction]: ...

    def forget_action(self, group: ScalingGroup, action: ScheduledAction) -> None: ...

    def resize(self, group: ScalingGroup, action: ScheduledAction) -> None:
        """Set the group's sizes as the action says, where they are possible."""

    def set_desired(self, group: ScalingGroup, wanted: int) -> None: ...

    def policies(self, group: ScalingGroup) -> list[Policy]: ...

    def watched(self) -> Sequence[Any]:
        """CloudWatch's alarms."""

    def metric_data(self) -> Sequence[Any]:
        """CloudWatch's data, the oldest first."""


class Triggers:
    """Those of all groups."""

    def __init__(self, surroundings: TriggerSurroundings, now: Callable[[], datetime]) -> None:
        self._surroundings, self._now = surroundings, now
        self._fired: dict[tuple[str, str], tuple[datetime, datetime]] = {}
        self._tracked: dict[str, int] = {}
        self._cooled_at: dict[str, datetime] = {}

    def turn(self, group: ScalingGroup, suspended: frozenset[str]) -> None:
        """Do what is due now."""
        for action in self._surroundings.scheduled_actions(group):
            self._schedule(group, action, is_skipped="ScheduledActions" in suspended)
        if "AlarmNotification" not in suspended:
            policies = self._surroundings.policies(group)
            self._hear_alarms(group, policies)
            self._track(group, [each for each in policies if each.policy_type == "TargetTrackingScaling"])

    def execute(self, group: ScalingGroup, policy: Policy, breach: float, *, honours_cooldown: bool) -> bool:
        """Do what a simple or step scaling policy says; False while a cooldown forbids it."""
        now = self._now()
        if honours_cooldown and now < self._cooled_at.get(group.name, now):
            return False
        is_step = policy.policy_type == "StepScaling"
        adjustment = step(policy.step_adjustments, breach) if is_step else int(policy.scaling_adjustment)
        least = int(policy.min_adjustment_magnitude or 0)
        if adjustment or policy.adjustment_type == "ExactCapacity":
            self._scale(group, adjusted(group.desired_capacity or 0, policy.adjustment_type, adjustment, least))
        cooldown = group.default_cooldown if policy.cooldown is None else policy.cooldown
        self._cooled_at[group.name] = now + timedelta(seconds=int(cooldown))
        return True

    def _scale(self, group: ScalingGroup, wanted: int) -> None:
        """Within the group's sizes."""
        bounded = max(group.min_size, min(group.max_size, wanted))
        if bounded != group.desired_capacity:
            self._surroundings.set_desired(group, bounded)

    def _schedule(self, group: ScalingGroup, action: ScheduledAction, *, is_skipped: bool) -> None:
        """A missed one is not made up for: only one without recurrence is done late."""
        now = self._now()
        minute = now.replace(second=0, microsecond=0)
        starts, ends = _moment(action.start_time), _moment(action.end_time)
        if (starts and now < starts) or (ends and now > ends) or getattr(action, "done_at", None) == minute:
            return
        zone = ZoneInfo(action.time_zone or "UTC")
        if action.recurrence and not is_due(action.recurrence, minute.astimezone(zone)):
            return
        action.done_at = minute
        if not action.recurrence:
            self._surroundings.forget_action(group, action)
        if not is_skipped:
            self._surroundings.resize(group, action)

    def _hear_alarms(self, group: ScalingGroup, policies: list[Policy]) -> None:
        now = self._now()
        for alarm in self._surroundings.watched():
            fired = [each for each in policies if alarm.actions_enabled and each.arn in (alarm.alarm_actions or ())]
            for policy in fired if alarm.state_value == "ALARM" else []:
                since, last = self._fired.get((alarm.name, policy.arn), (None, now))
                if since != alarm.state_updated_timestamp or now - last >= AGAIN_AFTER:
                    self._fired[alarm.name, policy.arn] = (alarm.state_updated_timestamp, now)
                    is_simple = policy.policy_type == "SimpleScaling"
                    self.execute(group, policy, _breach(alarm), honours_cooldown=is_simple)

    def _track(self, group: ScalingGroup, policies: list[Policy]) -> None:
        """Once for each new datum, while nothing boots. The policy with the largest capacity counts."""
        if any(state.lifecycle_state.startswith("Pending") for state in group.instance_states):
            return
        wanted = [capacity for policy in policies if (capacity := self._tracking(group, policy)) is not None]
        if wanted:
            self._scale(group, max(wanted))

    def _tracking(self, group: ScalingGroup, policy: Policy) -> int | None:
        given = vars(policy.target_tracking_configuration)
        data = self._data(given.get("CustomizedMetricSpecification") or {})
        if not data or self._tracked.get(policy.arn) == len(data):
            return None
        self._tracked[policy.arn] = len(data)
        newest = data[-1]
        value = newest.value if hasattr(newest, "value") else newest.sum / newest.sample_count
        scales_in = not given.get("DisableScaleIn")
        return tracked(group.desired_capacity or 0, value, float(given["TargetValue"]), scales_in=scales_in)

    def _data(self, metric: dict[str, Any]) -> list[Any]:
        dimensions = {(each["Name"], each["Value"]) for each in metric.get("Dimensions", [])}
        return [
            each
            for each in self._surroundings.metric_data()
            if (each.namespace, each.name) == (metric.get("Namespace"), metric.get("MetricName"))
            and {(dimension.name, dimension.value) for dimension in each.dimensions} == dimensions
        ]


def _moment(given: Any) -> datetime | None:
    if not given:
        return None
    moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _breach(alarm: Any) -> float:
    """How far the metric is above the threshold, by the reason that SetAlarmState was given; 0 where it gave none."""
    data = json.loads(alarm.state_reason_data or "{}").get("recentDatapoints") or []
    return float(data[-1]) - float(alarm.threshold) if data else 0

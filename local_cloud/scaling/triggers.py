"""What changes a group's sizes by itself: scheduled actions, alarms that fire scaling policies, target tracking.

moto keeps them; here they act. What has fired is forgotten when the cloud goes down, but for scheduled actions.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from moto.core.exceptions import ServiceException

from local_cloud.scaling.adjustments import adjusted, step, tracked
from local_cloud.scaling.cron import is_due

AGAIN_AFTER = timedelta(minutes=1)
"""An alarm that stays in ALARM fires its scaling policies each minute:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html"""

log = logging.getLogger(__name__)


class Triggers:
    """Those of all groups. `cloudwatch` gives moto's backend."""

    def __init__(self, cloudwatch: Callable[[], Any], now: Callable[[], datetime]) -> None:
        self._cloudwatch, self._now = cloudwatch, now
        self._fired: dict[tuple[str, str], tuple[datetime, datetime]] = {}
        self._tracked: dict[str, int] = {}
        self._cooled_at: dict[str, datetime] = {}

    def turn(self, group: Any, suspended: frozenset[str]) -> None:
        """Do what is due now."""
        for action in group.autoscaling_backend.describe_scheduled_actions(group.name):
            self._schedule(group, action, is_skipped="ScheduledActions" in suspended)
        if "AlarmNotification" not in suspended:
            policies = group.autoscaling_backend.describe_policies(group.name)
            self._hear_alarms(group, policies)
            self._track(group, [each for each in policies if each.policy_type == "TargetTrackingScaling"])

    def execute(self, group: Any, policy: Any, breach: float, *, honours_cooldown: bool) -> bool:
        """Do what a simple or step scaling policy says; False while a cooldown forbids it."""
        now = self._now()
        if honours_cooldown and now < self._cooled_at.get(group.name, now):
            return False
        is_step = policy.policy_type == "StepScaling"
        adjustment = step(policy.step_adjustments, breach) if is_step else int(policy.scaling_adjustment)
        least = int(policy.min_adjustment_magnitude or 0)
        if adjustment or policy.adjustment_type == "ExactCapacity":
            _scale(group, adjusted(group.desired_capacity, policy.adjustment_type, adjustment, least))
        cooldown = group.default_cooldown if policy.cooldown is None else policy.cooldown
        self._cooled_at[group.name] = now + timedelta(seconds=int(cooldown))
        return True

    def _schedule(self, group: Any, action: Any, *, is_skipped: bool) -> None:
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
            group.autoscaling_backend.delete_scheduled_action(group.name, action.scheduled_action_name)
        if not is_skipped:
            _resize(group, action)

    def _hear_alarms(self, group: Any, policies: list[Any]) -> None:
        now = self._now()
        for alarm in list(self._cloudwatch().alarms.values()):
            fired = [each for each in policies if alarm.actions_enabled and each.arn in (alarm.alarm_actions or ())]
            for policy in fired if alarm.state_value == "ALARM" else []:
                since, last = self._fired.get((alarm.name, policy.arn), (None, now))
                if since != alarm.state_updated_timestamp or now - last >= AGAIN_AFTER:
                    self._fired[alarm.name, policy.arn] = (alarm.state_updated_timestamp, now)
                    is_simple = policy.policy_type == "SimpleScaling"
                    self.execute(group, policy, _breach(alarm), honours_cooldown=is_simple)

    def _track(self, group: Any, policies: list[Any]) -> None:
        """Once for each new datum, while nothing boots. Of several policies the one that wants most counts."""
        if any(state.lifecycle_state.startswith("Pending") for state in group.instance_states):
            return
        wanted = [capacity for policy in policies if (capacity := self._tracking(group, policy)) is not None]
        if wanted:
            _scale(group, max(wanted))

    def _tracking(self, group: Any, policy: Any) -> int | None:
        given = vars(policy.target_tracking_configuration)
        data = self._data(given.get("CustomizedMetricSpecification") or {})
        if not data or self._tracked.get(policy.arn) == len(data):
            return None
        self._tracked[policy.arn] = len(data)
        newest = data[-1]
        value = newest.value if hasattr(newest, "value") else newest.sum / newest.sample_count
        scales_in = not given.get("DisableScaleIn")
        return tracked(group.desired_capacity, value, float(given["TargetValue"]), scales_in=scales_in)

    def _data(self, metric: dict[str, Any]) -> list[Any]:
        dimensions = {(each["Name"], each["Value"]) for each in metric.get("Dimensions", [])}
        return [
            each
            for each in self._cloudwatch().metric_data
            if (each.namespace, each.name) == (metric.get("Namespace"), metric.get("MetricName"))
            and {(dimension.name, dimension.value) for dimension in each.dimensions} == dimensions
        ]


def _scale(group: Any, wanted: int) -> None:
    """Within the group's sizes."""
    bounded = max(group.min_size, min(group.max_size, wanted))
    if bounded != group.desired_capacity:
        group.autoscaling_backend.set_desired_capacity(group.name, bounded)


def _resize(group: Any, action: Any) -> None:
    given = {name: getattr(action, name) for name in ("min_size", "max_size", "desired_capacity")}
    names = ("launch_config_name", "launch_template", "vpc_zone_identifier", "availability_zones")
    given |= dict.fromkeys((*names, "health_check_period", "health_check_type"))
    try:
        group.autoscaling_backend.update_auto_scaling_group(group.name, **given)
    except ServiceException as error:
        log.warning("The scheduled action %s of %s: %s", action.scheduled_action_name, group.name, error.message)


def _moment(given: Any) -> datetime | None:
    if not given:
        return None
    moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _breach(alarm: Any) -> float:
    """How far the metric is above the threshold, by the reason that SetAlarmState was given; 0 where it gave none."""
    data = json.loads(alarm.state_reason_data or "{}").get("recentDatapoints") or []
    return float(data[-1]) - float(alarm.threshold) if data else 0

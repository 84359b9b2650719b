"""What changes sizes by itself, by the API."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.world import World

NAMED = {"AutoScalingGroupName": "links"}
MORE = {"PolicyName": "more", "AdjustmentType": "ChangeInCapacity"}


def cloudwatch() -> Any:
    return boto3.client("cloudwatch", "eu-west-1")


def alarm(arn: str, state: str, **more: Any) -> None:
    cloudwatch().put_metric_alarm(
        AlarmName="busy", Namespace="links", MetricName="load", Statistic="Average", Period=60, EvaluationPeriods=1,
        Threshold=50, ComparisonOperator="GreaterThanThreshold", AlarmActions=[arn],
    )  # fmt: skip
    cloudwatch().set_alarm_state(AlarmName="busy", StateValue=state, StateReason="test", **more)


def desired(world: World) -> int:
    world.cloud.scaling.turn()
    capacity: int = world.described()["DesiredCapacity"]
    return capacity


def simple(world: World, **more: Any) -> str:
    made = world.asg.put_scaling_policy(**NAMED, **{**MORE, "ScalingAdjustment": 1, "Cooldown": 300, **more})
    arn: str = made["PolicyARN"]
    return arn


def test_a_scheduled_action_is_done_once_at_its_time_and_gone(world: World) -> None:
    world.scale()
    at = world.cloud.date() + timedelta(minutes=5)
    action = {"ScheduledActionName": "morning", "StartTime": at, "MinSize": 2, "MaxSize": 6, "DesiredCapacity": 5}
    world.asg.put_scheduled_update_group_action(**NAMED, **action)
    assert desired(world) == 2

    world.cloud.now = 300

    assert desired(world) == 5
    assert (world.described()["MinSize"], world.described()["MaxSize"]) == (2, 6)
    assert world.asg.describe_scheduled_actions(**NAMED)["ScheduledUpdateGroupActions"] == []


def test_a_recurring_one_is_done_each_time_in_its_own_zone(world: World) -> None:
    world.scale()
    action = {"ScheduledActionName": "night", "Recurrence": "30 1 * * *", "TimeZone": "Europe/Berlin"}
    world.asg.put_scheduled_update_group_action(**NAMED, **action, DesiredCapacity=3)

    world.cloud.now = 30 * 60
    assert desired(world) == 3
    world.asg.set_desired_capacity(**NAMED, DesiredCapacity=2)
    assert desired(world) == 2
    world.cloud.now += 24 * 3600

    assert desired(world) == 3


def test_a_scheduled_action_is_skipped_while_they_are_suspended(world: World) -> None:
    world.scale()
    action = {"ScheduledActionName": "morning", "StartTime": world.cloud.date(), "DesiredCapacity": 3}
    world.asg.suspend_processes(**NAMED, ScalingProcesses=["ScheduledActions"])
    world.asg.put_scheduled_update_group_action(**NAMED, **action)
    assert desired(world) == 2

    world.asg.resume_processes(**NAMED)

    assert desired(world) == 2


def test_two_groups_may_have_policies_and_actions_of_one_name(world: World) -> None:
    world.scale()
    world.asg.create_auto_scaling_group(
        AutoScalingGroupName="rechts", MinSize=0, MaxSize=1, LaunchTemplate={"LaunchTemplateName": "links"},
        AvailabilityZones=["eu-west-1a"],
    )  # fmt: skip
    simple(world)
    world.asg.put_scaling_policy(AutoScalingGroupName="rechts", **MORE, ScalingAdjustment=1)
    for group in ("links", "rechts"):
        action = {"ScheduledActionName": "night", "Recurrence": "0 0 * * *", "DesiredCapacity": 1}
        world.asg.put_scheduled_update_group_action(AutoScalingGroupName=group, **action)

    world.asg.delete_auto_scaling_group(AutoScalingGroupName="rechts", ForceDelete=True)

    assert [each["AutoScalingGroupName"] for each in world.asg.describe_policies()["ScalingPolicies"]] == ["links"]
    left = world.asg.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert [each["AutoScalingGroupName"] for each in left] == ["links"]
    world.asg.delete_policy(**NAMED, PolicyName="more")
    world.asg.delete_scheduled_action(**NAMED, ScheduledActionName="night")
    assert world.asg.describe_policies()["ScalingPolicies"] == []


def test_executing_a_policy_scales_within_the_sizes_and_honours_a_cooldown(world: World) -> None:
    world.scale()
    simple(world, ScalingAdjustment=5)

    world.asg.execute_policy(**NAMED, PolicyName="more")

    assert desired(world) == 4
    with pytest.raises(ClientError, match="ScalingActivityInProgress"):
        world.asg.execute_policy(**NAMED, PolicyName="more", HonorCooldown=True)


def test_steps_are_taken_by_the_breach(world: World) -> None:
    world.scale()
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2},
    ]
    world.asg.put_scaling_policy(**NAMED, **MORE, PolicyType="StepScaling", StepAdjustments=steps)

    world.asg.execute_policy(**NAMED, PolicyName="more", MetricValue=65, BreachThreshold=50)

    assert desired(world) == 4


def test_an_alarm_fires_its_policy_and_again_each_minute_past_the_cooldown(world: World) -> None:
    world.scale()
    alarm(simple(world, Cooldown=90), "ALARM")

    assert desired(world) == 3
    assert desired(world) == 3
    world.cloud.now = 60
    assert desired(world) == 3
    world.cloud.now = 120
    assert desired(world) == 4


def test_an_alarm_tells_a_step_policy_how_far_it_is(world: World) -> None:
    world.scale()
    steps = [{"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2}]
    made = world.asg.put_scaling_policy(**NAMED, **MORE, PolicyType="StepScaling", StepAdjustments=steps)

    alarm(made["PolicyARN"], "ALARM", StateReasonData='{"recentDatapoints": [65]}')

    assert desired(world) == 4


def test_alarms_are_not_heard_while_that_is_suspended_and_count_on_resume(world: World) -> None:
    world.scale()
    world.asg.suspend_processes(**NAMED, ScalingProcesses=["AlarmNotification"])
    alarm(simple(world), "ALARM")
    assert desired(world) == 2

    world.asg.resume_processes(**NAMED)

    assert desired(world) == 3


@pytest.mark.parametrize(("value", "disabled", "wanted"), [(100, False, 4), (10, False, 1), (10, True, 2)])
def test_target_tracking_follows_a_metric(world: World, value: float, disabled: bool, wanted: int) -> None:
    world.scale()
    metric = {"Namespace": "links", "MetricName": "load", "Statistic": "Average"}
    configuration = {"CustomizedMetricSpecification": metric, "TargetValue": 50.0, "DisableScaleIn": disabled}
    policy = {"PolicyName": "load", "PolicyType": "TargetTrackingScaling"}
    world.asg.put_scaling_policy(**NAMED, **policy, TargetTrackingConfiguration=configuration)

    cloudwatch().put_metric_data(Namespace="links", MetricData=[{"MetricName": "load", "Value": value}])

    assert desired(world) == wanted
    assert desired(world) == wanted

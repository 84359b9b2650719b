"""Instance refreshes by the API."""

import pickle
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.hooks import groups
from local_cloud.scaling.refreshes import refreshes_of
from tests.local_cloud.world import World

NAMED = {"AutoScalingGroupName": "links"}
WARM = {"InstanceWarmup": 0}
ONE = {"LaunchTemplate": {"LaunchTemplateName": "links", "Version": "1"}}


def desired(version: str) -> dict[str, Any]:
    return {"LaunchTemplate": {"LaunchTemplateName": "links", "Version": version}}


def shown(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.asg.describe_instance_refreshes(**NAMED)["InstanceRefreshes"][0]
    return found


def versions(world: World) -> list[str]:
    return sorted(each["LaunchTemplate"]["Version"] for each in world.described()["Instances"])


def refresh(world: World, to: str | None = None, **preferences: Any) -> str:
    given = {"DesiredConfiguration": desired(to)} if to else {}
    made = world.asg.start_instance_refresh(**NAMED, **given, Preferences={**WARM, **preferences})
    started: str = made["InstanceRefreshId"]
    return started


def alarm(world: World, state: str) -> Any:
    cloudwatch: Any = boto3.client("cloudwatch", "eu-west-1")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="links", MetricName="errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue=state, StateReason="test")
    return cloudwatch


def test_a_refresh_replaces_all_and_sets_the_group_to_what_was_desired(world: World) -> None:
    world.listen()
    world.scale(**ONE, HealthCheckType="ELB")
    before = set(world.members())
    version = world.version("t3.large")

    started = refresh(world, version, MinHealthyPercentage=100, MaxHealthyPercentage=150)
    for _ in range(4):
        world.cloud.settle()

    assert shown(world)["InstanceRefreshId"] == started
    assert (shown(world)["Status"], shown(world)["PercentageComplete"]) == ("Successful", 100)
    assert shown(world)["DesiredConfiguration"] == desired(version)
    assert shown(world)["EndTime"] == world.cloud.date()
    assert versions(world) == [version, version]
    assert not before & set(world.members())
    assert world.described()["LaunchTemplate"]["Version"] == version
    assert any("instance refresh" in each["Cause"] for each in world.activities())


def test_a_new_instance_has_to_be_warm_and_healthy_in_the_load_balancer(world: World) -> None:
    world.listen()
    world.scale(**ONE, HealthCheckType="ELB", HealthCheckGracePeriod=300)
    before = set(world.members())
    refresh(world, world.version(), InstanceWarmup=60)
    world.cloud.settle()
    (new,) = set(world.members()) - before
    world.cloud.balancers.refused = {new}

    world.cloud.now = 61
    world.cloud.settle()
    assert versions(world) == ["1", "2"]
    world.cloud.balancers.refused = set()
    world.cloud.settle()

    assert versions(world) == ["2", "2"]
    assert shown(world)["Status"] == "InProgress"


def test_a_refresh_is_the_same_after_it_was_kept(world: World) -> None:
    world.scale(**ONE)
    refresh(world, world.version(), CheckpointPercentages=[50, 100], AutoRollback=True)

    (kept,) = (refreshes_of(group) for group in groups.groups_now())

    assert pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301 - our own


def test_skip_matching_leaves_what_was_launched_from_it(world: World) -> None:
    world.scale(**ONE)
    before = set(world.members())

    refresh(world, "1", SkipMatching=True)
    world.cloud.settle()

    assert (shown(world)["Status"], set(world.members())) == ("Successful", before)


def test_a_suspended_process_pauses_it(world: World) -> None:
    world.scale(**ONE)
    world.asg.suspend_processes(**NAMED, ScalingProcesses=["InstanceRefresh"])

    refresh(world, world.version())
    world.cloud.settle()
    assert versions(world) == ["1", "1"]
    world.asg.resume_processes(**NAMED)
    for _ in range(3):
        world.cloud.settle()

    assert shown(world)["Status"] == "Successful"


def test_one_that_does_not_launch_is_rolled_back(world: World) -> None:
    world.scale(**ONE)

    refresh(world, world.version(image="ami-0123456789abcdef0"), AutoRollback=True)
    for world.cloud.now in (0, 2, 5, 10, 20, 40):
        world.cloud.settle()

    assert shown(world)["Status"] == "RollbackSuccessful"
    assert "failed to launch" in shown(world)["RollbackDetails"]["RollbackReason"]
    assert versions(world) == ["1", "1"]
    assert world.described()["LaunchTemplate"]["Version"] == "1"


def test_a_person_rolls_it_back(world: World) -> None:
    world.scale(**ONE)
    refresh(world, world.version(), CheckpointPercentages=[50, 100])
    for _ in range(2):
        world.cloud.settle()
    assert versions(world) == ["1", "2"]

    world.asg.rollback_instance_refresh(**NAMED)
    for _ in range(2):
        world.cloud.settle()

    assert (shown(world)["Status"], versions(world)) == ("RollbackSuccessful", ["1", "1"])
    assert shown(world)["RollbackDetails"]["PercentageCompleteOnRollback"] == 50


def test_cancelling_undoes_nothing(world: World) -> None:
    world.scale(**ONE)
    refresh(world, world.version())
    world.cloud.scaling.turn()

    world.asg.cancel_instance_refresh(**NAMED)
    assert shown(world)["Status"] == "Cancelling"
    for _ in range(2):
        world.cloud.settle()

    assert shown(world)["Status"] == "Cancelled"
    assert world.described()["LaunchTemplate"]["Version"] == "1"
    assert len(world.members()) == 2


def test_cancelling_ends_though_the_group_may_not_launch_what_it_lacks(world: World) -> None:
    world.scale(**ONE)
    refresh(world, world.version())
    world.cloud.scaling.turn()
    world.cloud.machines.fail("Server.InternalError: no machine")
    world.asg.suspend_processes(**NAMED, ScalingProcesses=["Launch"])

    world.asg.cancel_instance_refresh(**NAMED)
    for _ in range(2):
        world.cloud.settle()

    assert shown(world)["Status"] == "Cancelled"
    assert len(world.members()) == 1


def test_an_alarm_meanwhile_fails_it(world: World) -> None:
    world.scale(**ONE)
    alarm(world, "OK")
    refresh(world, world.version(), AlarmSpecification={"Alarms": ["errors"]}, BakeTime=60)
    for _ in range(3):
        world.cloud.settle()
    assert shown(world)["Status"] == "Baking"

    alarm(world, "ALARM")
    world.cloud.settle()

    assert shown(world)["Status"] == "Failed"
    assert "errors" in shown(world)["StatusReason"]
    assert world.described()["LaunchTemplate"]["Version"] == "1"


@pytest.mark.parametrize("state", ["ALARM", "INSUFFICIENT_DATA"])
def test_an_alarm_beforehand_refuses_the_start(world: World, state: str) -> None:
    world.scale(**ONE)
    alarm(world, state)

    with pytest.raises(ClientError, match="errors"):
        refresh(world, world.version(), AlarmSpecification={"Alarms": ["errors"]})


def test_meanwhile_there_is_no_second_one_and_no_other_template(world: World) -> None:
    world.scale(**ONE)
    refresh(world, world.version())

    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        refresh(world)
    with pytest.raises(ClientError, match="not available for update"):
        world.asg.update_auto_scaling_group(**NAMED, **ONE)
    world.asg.update_auto_scaling_group(**NAMED, MaxSize=5)


def test_without_one_there_is_nothing_to_cancel_or_roll_back(world: World) -> None:
    world.scale(**ONE)

    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        world.asg.cancel_instance_refresh(**NAMED)
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        world.asg.rollback_instance_refresh(**NAMED)


def test_without_a_desired_configuration_nothing_leads_back(world: World) -> None:
    world.scale(**ONE)

    with pytest.raises(ClientError, match="AutoRollback parameter cannot be set to true"):
        refresh(world, AutoRollback=True)
    refresh(world)
    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        world.asg.rollback_instance_refresh(**NAMED)


def test_from_latest_nothing_leads_back(world: World) -> None:
    world.scale()
    refresh(world, world.version())

    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        world.asg.rollback_instance_refresh(**NAMED)

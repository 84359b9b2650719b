"""Warm pools by the API: moto in this process, machines made up."""

import pickle
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bakeroll.aws.autoscaling import AutoScaling
from bakeroll.aws.session import clients
from bakeroll.aws.templates import Templates
from bakeroll.fleet import Warm
from local_cloud.hooks import groups
from local_cloud.scaling.warm_pools import warm_of
from tests.local_cloud.world import World

NAMED = {"AutoScalingGroupName": "links"}
ONE = {"LaunchTemplate": {"LaunchTemplateName": "links", "Version": "1"}}


def pool(world: World, **given: Any) -> None:
    world.asg.put_warm_pool(**NAMED, **given)
    world.cloud.settle()


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_pool_holds_what_lacks_to_the_maximum_stopped_and_in_no_load_balancer(world: World) -> None:
    world.listen()
    world.scale(Tags=[{"Key": "fleet", "Value": "links", "PropagateAtLaunch": True}])

    pool(world)

    assert list(world.warm().values()) == ["Warmed:Stopped"] * 2
    assert not set(world.warm()) & set(world.members())
    assert set(world.targets()) == set(world.members())
    group = world.described()
    assert (group["WarmPoolSize"], group["WarmPoolConfiguration"]["PoolState"]) == (2, "Stopped")
    found = world.ec2.describe_instances(Filters=[{"Name": "tag:aws:autoscaling:groupName", "Values": ["links"]}])
    shown = [instance for each in found["Reservations"] for instance in each["Instances"]]
    assert {each["InstanceId"] for each in shown} == {*world.members(), *world.warm()}
    assert sorted(each["State"]["Name"] for each in shown) == ["running", "running", "stopped", "stopped"]
    assert "into warm pool" in world.activities()[0]["Description"]


def test_each_is_pending_until_it_runs_and_proceeds_until_it_is_stopped(world: World) -> None:
    world.scale()
    world.asg.put_warm_pool(**NAMED, MinSize=1, MaxGroupPreparedCapacity=1)

    seen = []
    for _ in range(3):
        world.cloud.scaling.turn()
        seen += list(world.warm().values())
        world.cloud.machines.boot()

    assert seen == ["Warmed:Pending", "Warmed:Pending:Proceed", "Warmed:Stopped"]


def test_a_pool_in_the_state_running_leaves_them_running(world: World) -> None:
    world.scale()

    pool(world, PoolState="Running", MinSize=1, MaxGroupPreparedCapacity=0)

    assert list(world.warm().values()) == ["Warmed:Running"]


def test_a_scale_out_starts_one_of_the_pool_in_its_zone_and_launches_what_the_pool_lacks(world: World) -> None:
    world.listen()
    world.scale(DesiredCapacity=1)
    pool(world, MinSize=1, MaxGroupPreparedCapacity=1)
    (warm,) = world.warm()

    world.asg.set_desired_capacity(**NAMED, DesiredCapacity=2)
    world.cloud.scaling.turn()
    assert world.members()[warm] == "Pending"
    world.cloud.settle()

    assert world.members()[warm] == "InService"
    assert world.targets()[warm] == "healthy"
    assert {each["AvailabilityZone"] for each in world.described()["Instances"]} == {"eu-west-1a", "eu-west-1b"}
    assert any("from warm pool" in each["Description"] for each in world.activities())
    assert list(world.warm().values()) == ["Warmed:Stopped"]
    assert warm not in world.warm()


def test_an_empty_pool_means_a_cold_start(world: World) -> None:
    world.scale(MaxSize=2)
    pool(world)

    world.asg.update_auto_scaling_group(**NAMED, MaxSize=4, DesiredCapacity=3)
    world.cloud.scaling.turn()

    assert world.warm() != {}
    assert sorted(world.members().values()) == ["InService", "InService", "Pending"]
    assert "Launching a new EC2 instance: " in " ".join(each["Description"] for each in world.activities())


def test_a_pool_that_is_too_large_shrinks(world: World) -> None:
    world.scale()
    pool(world)

    pool(world, MaxGroupPreparedCapacity=3)
    world.cloud.settle()

    assert list(world.warm().values()) == ["Warmed:Stopped"]


def test_an_update_keeps_what_it_does_not_name_and_minus_one_takes_the_capacity_away(world: World) -> None:
    world.scale()
    pool(world, MinSize=1, MaxGroupPreparedCapacity=2, PoolState="Running")

    pool(world, MaxGroupPreparedCapacity=-1)

    assert world.described()["WarmPoolConfiguration"] == {"MinSize": 1, "PoolState": "Running"}
    assert len(world.warm()) == 2


def test_one_that_somebody_terminates_is_replaced(world: World) -> None:
    world.scale()
    pool(world)
    gone = next(iter(world.warm()))

    world.ec2.terminate_instances(InstanceIds=[gone])
    world.cloud.settle()

    assert list(world.warm().values()) == ["Warmed:Stopped"] * 2
    assert gone not in world.warm()


def test_a_running_one_that_stops_is_replaced(world: World) -> None:
    world.scale()
    pool(world, PoolState="Running", MinSize=1, MaxGroupPreparedCapacity=0)
    (dead,) = world.warm()

    world.cloud.machines.die(dead)
    for _ in range(2):
        world.cloud.settle()

    assert list(world.warm().values()) == ["Warmed:Running"]
    assert dead not in world.warm()


def test_a_launch_hook_holds_it_once_on_its_way_into_the_pool_and_again_into_service(world: World) -> None:
    world.scale(DesiredCapacity=1)
    world.asg.put_lifecycle_hook(
        **NAMED, LifecycleHookName="ready", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        DefaultResult="ABANDON", HeartbeatTimeout=300,
    )  # fmt: skip
    pool(world, MinSize=1, MaxGroupPreparedCapacity=1)
    (warm,) = world.warm()

    assert world.warm()[warm] == "Warmed:Pending:Wait"
    complete = {**NAMED, "LifecycleHookName": "ready", "InstanceId": warm, "LifecycleActionResult": "CONTINUE"}
    world.asg.complete_lifecycle_action(**complete)
    world.cloud.settle()
    assert world.warm()[warm] == "Warmed:Stopped"
    world.asg.set_desired_capacity(**NAMED, DesiredCapacity=2)
    world.cloud.settle()
    assert world.members()[warm] == "Pending:Wait"


def test_an_abandoned_one_is_terminated_and_the_group_waits_before_the_next(world: World) -> None:
    world.scale()
    world.asg.put_lifecycle_hook(
        **NAMED, LifecycleHookName="ready", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        DefaultResult="ABANDON", HeartbeatTimeout=300,
    )  # fmt: skip
    pool(world, MinSize=1, MaxGroupPreparedCapacity=1)
    first = set(world.warm())

    world.cloud.now = 301
    for _ in range(3):
        world.cloud.settle()
    assert world.warm() == {}
    world.cloud.now = 303
    world.cloud.settle()

    assert world.warm()
    assert not first & set(world.warm())
    assert any(each["StatusCode"] == "Failed" for each in world.activities())


def test_a_refresh_replaces_those_in_service_first_and_then_those_in_the_pool(world: World) -> None:
    world.listen()
    world.scale(**ONE)
    pool(world)
    before, version = set(world.warm()), world.version("t3.large")
    desired = {"LaunchTemplate": {"LaunchTemplateName": "links", "Version": version}}

    world.asg.start_instance_refresh(
        **NAMED, DesiredConfiguration=desired, Preferences={"InstanceWarmup": 0, "MinHealthyPercentage": 50}
    )
    seen = []
    for _ in range(40):
        world.cloud.scaling.turn()
        world.cloud.machines.boot()
        left = world.asg.describe_instance_refreshes(**NAMED)["InstanceRefreshes"][0]["ProgressDetails"]
        seen.append((left["LivePoolProgress"]["InstancesToUpdate"], left["WarmPoolProgress"]["InstancesToUpdate"]))

    assert world.asg.describe_instance_refreshes(**NAMED)["InstanceRefreshes"][0]["Status"] == "Successful"
    assert list(world.warm().values()) == ["Warmed:Stopped"] * 2
    assert not before & {*world.warm(), *world.members()}
    found = world.asg.describe_warm_pool(**NAMED)["Instances"]
    assert {each["LaunchTemplate"]["Version"] for each in found} == {version}
    assert seen == sorted(seen, reverse=True)
    assert (0, 1) in seen


def test_a_refresh_skips_what_matches_in_the_pool_too(world: World) -> None:
    world.scale(**ONE)
    pool(world)
    before = set(world.warm())

    world.asg.start_instance_refresh(**NAMED, Preferences={"InstanceWarmup": 0, "SkipMatching": True})
    for _ in range(3):
        world.cloud.settle()

    assert world.asg.describe_instance_refreshes(**NAMED)["InstanceRefreshes"][0]["Status"] == "Successful"
    assert set(world.warm()) == before


def test_a_group_that_scales_out_during_a_refresh_takes_nothing_that_is_to_be_replaced(world: World) -> None:
    world.scale(**ONE)
    pool(world)
    before, version = set(world.warm()), world.version("t3.large")
    desired = {"LaunchTemplate": {"LaunchTemplateName": "links", "Version": version}}

    world.asg.start_instance_refresh(**NAMED, DesiredConfiguration=desired, Preferences={"InstanceWarmup": 0})
    world.asg.set_desired_capacity(**NAMED, DesiredCapacity=3)
    world.cloud.settle()

    assert not before & set(world.members())


def test_a_pool_with_instances_is_deleted_by_force_alone(world: World) -> None:
    world.scale()
    pool(world)

    with pytest.raises(ClientError) as caught:
        world.asg.delete_warm_pool(**NAMED)
    assert code(caught) == "ResourceInUse"
    world.asg.delete_warm_pool(**NAMED, ForceDelete=True)
    assert world.described()["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    world.cloud.settle()

    assert "WarmPoolConfiguration" not in world.described()
    assert "WarmPoolSize" not in world.described()
    assert "running" not in {world.cloud.machines.state(each) for each in world.warm()}


def test_a_group_goes_with_its_pool(world: World) -> None:
    world.scale()
    pool(world)
    warm = list(world.warm())

    world.asg.delete_auto_scaling_group(**NAMED, ForceDelete=True)

    assert {world.cloud.machines.state(each) for each in warm} == {"terminated"}


def test_what_cannot_be_done_is_refused(world: World) -> None:
    world.scale()
    for given in ({"PoolState": "Hibernated"}, {"InstanceReusePolicy": {"ReuseOnScaleIn": True}}):
        with pytest.raises(ClientError) as caught:
            world.asg.put_warm_pool(**NAMED, **given)
        assert code(caught) == "ValidationError"

    with pytest.raises(ClientError, match="No warm pool found"):
        world.asg.delete_warm_pool(**NAMED)


def test_a_group_of_spot_instances_has_no_pool(world: World) -> None:
    policy = {
        "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": "links", "Version": "1"}},
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50},
    }
    world.scale(MixedInstancesPolicy=policy)

    with pytest.raises(ClientError, match="Spot"):
        world.asg.put_warm_pool(**NAMED)


def test_a_warm_instance_is_no_member_to_be_terminated_or_attached(world: World) -> None:
    world.scale()
    pool(world, PoolState="Running")
    warm = next(iter(world.warm()))

    with pytest.raises(ClientError, match="No managed instance found"):
        world.asg.terminate_instance_in_auto_scaling_group(InstanceId=warm, ShouldDecrementDesiredCapacity=False)
    with pytest.raises(ClientError, match="already part of AutoScalingGroup:links"):
        world.asg.attach_instances(**NAMED, InstanceIds=[warm])
    found = world.asg.describe_auto_scaling_instances(InstanceIds=[warm])["AutoScalingInstances"]
    assert [each["LifecycleState"] for each in found] == ["Warmed:Running"]


def test_a_roll_sees_what_is_in_the_pool_and_stays_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    world.scale()
    pool(world)
    going, *staying = world.warm()
    world.ec2.terminate_instances(InstanceIds=[going])
    world.cloud.scaling.turn()
    aws = clients("eu-west-1")

    found = AutoScaling(aws, Templates(aws)).warm("links")

    template = world.described()["LaunchTemplate"]["LaunchTemplateId"]
    assert [each for each in found if each.id in staying] == [Warm(staying[0], template, "1")]
    assert going not in {each.id for each in found}


def test_the_pool_is_shown_in_pages(world: World) -> None:
    world.scale()
    pool(world)

    first = world.asg.describe_warm_pool(**NAMED, MaxRecords=1)
    second = world.asg.describe_warm_pool(**NAMED, MaxRecords=1, NextToken=first["NextToken"])

    assert "NextToken" not in second
    assert {each["InstanceId"] for each in first["Instances"] + second["Instances"]} == set(world.warm())


def test_a_pool_outlives_the_daemon_with_those_that_were_stopped(world: World) -> None:
    world.scale()
    pool(world)
    (group,) = groups.groups_now()

    kept = pickle.loads(pickle.dumps(group))  # noqa: S301 (our own)
    groups.settle()

    assert [each.lifecycle_state for each in warm_of(kept)] == ["Warmed:Stopped"] * 2
    assert len(world.warm()) == 2

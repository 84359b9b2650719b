"""A fleet of real machines behind a real load balancer, driven by the API alone."""

import os
import socket
import time
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from local_cloud.client import asking, control
from local_cloud.client.shell import step_in
from local_cloud.config import Config
from local_cloud.host import cgroup
from local_cloud.host.sweep import leftovers
from tests.local_cloud.fleet import Aws, Load, eventually

pytestmark = pytest.mark.machine


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    config = Config(
        state=tmp_path_factory.mktemp("cloud"), bridge="brfleet", network=IPv4Network("10.97.0.0/16"), port=5697
    )
    control.up(config, print)
    yield config
    control.down(config, print)
    assert leftovers(config) == []


@pytest.fixture
def aws(config: Config) -> Iterator[Aws]:
    aws = Aws(config)
    aws.make(f"links-{time.time_ns() % 100000}")
    eventually(lambda: len(aws.healthy()) == 2)
    yield aws
    aws.unmake()


def test_a_fleet_is_replaced_under_load_without_one_failed_request(aws: Aws) -> None:
    old = sorted(aws.members())

    with Load(aws.host) as load:
        aws.asg.set_desired_capacity(AutoScalingGroupName=aws.name, DesiredCapacity=4)
        eventually(lambda: len(aws.healthy()) == 4)
        for instance in old:
            aws.asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
        assert {aws.members()[each] for each in old} == {"Terminating"}
        eventually(lambda: not set(aws.members()) & set(old))
        time.sleep(1)

    assert load.failures == []
    assert load.answered > 500
    assert len(aws.healthy()) == 2


def test_an_instance_refresh_replaces_a_fleet_under_load_without_one_failed_request(aws: Aws) -> None:
    old = set(aws.members())
    data = {"InstanceType": "t3.large"}
    aws.ec2.create_launch_template_version(LaunchTemplateName=aws.name, SourceVersion="1", LaunchTemplateData=data)
    desired = {"LaunchTemplate": {"LaunchTemplateName": aws.name, "Version": "2"}}
    preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 0}

    with Load(aws.host) as load:
        aws.asg.start_instance_refresh(
            AutoScalingGroupName=aws.name, DesiredConfiguration=desired, Preferences=preferences
        )
        eventually(lambda: _refresh(aws)["Status"] == "Successful")

    assert load.failures == []
    assert not old & set(aws.members())
    assert len(aws.healthy()) == 2
    found = aws.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[aws.name])["AutoScalingGroups"][0]
    assert found["LaunchTemplate"]["Version"] == "2"
    assert {each["InstanceType"] for each in found["Instances"]} == {"t3.large"}


def test_a_scale_out_starts_a_machine_that_was_prepared_in_the_warm_pool(aws: Aws) -> None:
    named = {"AutoScalingGroupName": aws.name}
    hook = {**named, "LifecycleHookName": "prepared"}
    aws.asg.put_lifecycle_hook(**hook, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=300)
    aws.asg.put_warm_pool(**named, MinSize=1, MaxGroupPreparedCapacity=1)
    eventually(lambda: list(_warm(aws).values()) == ["Warmed:Pending:Wait"])
    (warm,) = _warm(aws)
    eventually(lambda: _serves(aws, warm))
    step_in(aws.config, warm, "touch /srv/prepared")
    aws.asg.complete_lifecycle_action(**hook, InstanceId=warm, LifecycleActionResult="CONTINUE")
    eventually(lambda: _warm(aws) == {warm: "Warmed:Stopped"})
    assert _states(aws, [warm]) == ["stopped"]
    assert warm not in aws.health()

    with Load(aws.host) as load:
        aws.asg.set_desired_capacity(**named, DesiredCapacity=3)
        eventually(lambda: aws.members().get(warm) == "Pending:Wait")
        aws.asg.complete_lifecycle_action(**hook, InstanceId=warm, LifecycleActionResult="CONTINUE")
        eventually(lambda: warm in aws.healthy())

    assert load.failures == []
    assert len(aws.healthy()) == 3
    assert step_in(aws.config, warm, "test -e /srv/prepared") == 0
    assert len(_warm(aws)) == 1


def _warm(aws: Aws) -> dict[str, str]:
    found = aws.asg.describe_warm_pool(AutoScalingGroupName=aws.name)["Instances"]
    return {each["InstanceId"]: each["LifecycleState"] for each in found}


def _serves(aws: Aws, instance: str) -> bool:
    found = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    with socket.socket() as asking:
        return asking.connect_ex((found["PrivateIpAddress"], 8000)) == 0


def _refresh(aws: Aws) -> Any:
    return aws.asg.describe_instance_refreshes(AutoScalingGroupName=aws.name)["InstanceRefreshes"][0]


def test_new_machines_beside_the_group_take_over_by_register_and_deregister(aws: Aws) -> None:
    old = sorted(aws.members())
    new = [
        each["InstanceId"]
        for each in aws.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": aws.name}, MinCount=2, MaxCount=2, SubnetId=_subnet(aws)
        )["Instances"]
    ]
    eventually(lambda: all(state == "running" for state in _states(aws, new)))

    with Load(aws.host) as load:
        aws.elbv2.register_targets(**aws.targets(new))
        eventually(lambda: set(new) <= aws.healthy())
        aws.asg.suspend_processes(AutoScalingGroupName=aws.name, ScalingProcesses=["AZRebalance"])
        aws.asg.attach_instances(AutoScalingGroupName=aws.name, InstanceIds=new)
        aws.elbv2.deregister_targets(**aws.targets(old))
        assert {aws.health()[each] for each in old} == {"draining"}
        eventually(lambda: not set(aws.health()) & set(old))
        for instance in old:
            aws.asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
        eventually(lambda: sorted(aws.members()) == sorted(new))

    assert load.failures == []
    assert aws.healthy() == set(new)


def _subnet(aws: Aws) -> str:
    found = aws.ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": ["eu-west-1a"]}])
    subnet: str = found["Subnets"][0]["SubnetId"]
    return subnet


def _states(aws: Aws, instances: list[str]) -> list[str]:
    found = aws.ec2.describe_instances(InstanceIds=instances)["Reservations"]
    return [each["State"]["Name"] for reservation in found for each in reservation["Instances"]]


def test_a_machine_that_dies_is_replaced(aws: Aws) -> None:
    victim = sorted(aws.members())[0]
    init = cgroup.init_of(cgroup.of_cloud(aws.config.bridge) / victim)
    assert init

    os.kill(init, 9)

    eventually(lambda: victim not in aws.members() and len(aws.healthy()) == 2)
    assert any("EC2 health check" in each["Cause"] for each in aws.activities())


def test_a_machine_that_answers_503_is_unhealthy_and_replaced_after_the_grace_period(aws: Aws) -> None:
    aws.asg.update_auto_scaling_group(AutoScalingGroupName=aws.name, HealthCheckGracePeriod=1)
    victim = sorted(aws.members())[0]
    aws.asg.suspend_processes(AutoScalingGroupName=aws.name, ScalingProcesses=["ReplaceUnhealthy"])

    step_in(aws.config, victim, "touch /srv/sick")

    eventually(lambda: aws.health()[victim] == "unhealthy")
    described = aws.elbv2.describe_target_health(**aws.targets([victim]))["TargetHealthDescriptions"][0]
    assert described["TargetHealth"]["Description"] == "Health checks failed with these codes: [503]"
    assert victim in aws.members()
    aws.asg.resume_processes(AutoScalingGroupName=aws.name)
    eventually(lambda: victim not in aws.members() and len(aws.healthy()) == 2)


def test_the_fleet_serves_again_after_the_daemon_was_killed(aws: Aws) -> None:
    before = set(aws.members())
    os.kill(asking.status(aws.config)["pid"], 9)

    control.up(aws.config, print)

    eventually(lambda: len(aws.healthy()) == 2 and not before & set(aws.members()))
    with Load(aws.host) as load:
        time.sleep(1)
    assert load.failures == []


def test_a_group_whose_image_is_not_there_waits_with_failed_activities(config: Config) -> None:
    aws = Aws(config)
    aws.make("absent", image="ami-0123456789abcdef0")

    eventually(lambda: len(aws.activities()) >= 1)

    activity = aws.activities()[0]
    assert activity["StatusCode"] == "Failed"
    assert "does not exist" in activity["StatusMessage"]
    assert aws.members() == {}
    aws.unmake()


def test_load_is_seen(config: Config, tmp_path: Path) -> None:
    """The load of these tests counts what fails: against nothing, everything does."""
    with Load(str(config.gateway)) as load:
        time.sleep(0.1)

    assert load.failures

"""Faults on demand, for real: what clients, load balancers and groups see of them."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import boto3
import pytest
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError, ConnectionClosedError

from local_cloud.client import asking, control
from local_cloud.client import faults as fault_client
from local_cloud.config import Config, endpoint
from local_cloud.errors import LocalCloudError
from local_cloud.host.sweep import leftovers
from tests.local_cloud.fleet import Aws, Load, eventually

pytestmark = pytest.mark.machine


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Two machines behind a load balancer, which a fault takes from none of the tests for good."""
    config = Config(
        state=tmp_path_factory.mktemp("cloud"), bridge="brfault0", network=IPv4Network("10.102.0.0/16"), port=5702
    )
    control.up(config, print)
    aws = Aws(config)
    aws.make("faults")
    eventually(lambda: len(aws.healthy()) == 2)
    yield aws
    control.reset(config, print)
    assert leftovers(config) == []


@pytest.fixture(autouse=True)
def whole(aws: Aws) -> Iterator[None]:
    yield
    fault_client.clear(aws.config)
    aws.asg.resume_processes(AutoScalingGroupName=aws.name)
    eventually(lambda: len(aws.healthy()) == 2 and set(aws.members().values()) == {"InService"})


def ec2(aws: Aws, attempts: int) -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=endpoint(aws.config).url,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=BotoConfig(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


def launch(aws: Aws, attempts: int = 1, **more: Any) -> str:
    asked = {"LaunchTemplate": {"LaunchTemplateName": aws.name}, "MinCount": 1, "MaxCount": 1} | more
    instance: str = ec2(aws, attempts).run_instances(**asked)["Instances"][0]["InstanceId"]
    return instance


def with_token(aws: Aws, token: str) -> list[str]:
    """The instances launched with a client token."""
    found = aws.ec2.describe_instances()["Reservations"]
    return [each["InstanceId"] for r in found for each in r["Instances"] if each.get("ClientToken") == token]


def test_an_instance_that_flaps_is_unhealthy_and_healthy_in_turns_and_its_neighbour_serves(aws: Aws) -> None:
    aws.asg.suspend_processes(AutoScalingGroupName=aws.name, ScalingProcesses=["ReplaceUnhealthy"])
    victim, neighbour = sorted(aws.members())
    fault_client.inflict(aws.config, "flaps", instance=victim, after=4)

    eventually(lambda: aws.health()[victim] == "unhealthy")
    described = aws.elbv2.describe_target_health(**aws.targets([victim]))["TargetHealthDescriptions"][0]
    assert described["TargetHealth"]["Reason"] == "Target.Timeout"
    with Load(aws.host) as load:
        eventually(lambda: load.answered > 50)
    assert load.failures == []
    eventually(lambda: aws.healthy() == {victim, neighbour})
    eventually(lambda: aws.health()[victim] == "unhealthy")


def test_what_is_launched_unhealthy_runs_and_never_serves_until_the_fault_ends(aws: Aws) -> None:
    fault_client.inflict(aws.config, "unhealthy", times=1)
    sick = launch(aws)
    well = launch(aws)
    aws.ec2.get_waiter("instance_running").wait(InstanceIds=[sick, well], WaiterConfig={"Delay": 1})

    aws.elbv2.register_targets(**aws.targets([sick, well]))

    eventually(lambda: well in aws.healthy())
    eventually(lambda: aws.health()[sick] == "unhealthy")
    fault_client.clear(aws.config)
    eventually(lambda: sick in aws.healthy())
    aws.ec2.terminate_instances(InstanceIds=[sick, well])
    eventually(lambda: len(aws.healthy()) == 2)


def test_an_instance_that_dies_is_gone_and_replaced(aws: Aws) -> None:
    victim = sorted(aws.members())[0]

    fault_client.inflict(aws.config, "dies", instance=victim, after=0.5)

    eventually(lambda: victim not in aws.members() and len(aws.healthy()) == 2)
    shown = aws.ec2.describe_instances(InstanceIds=[victim])["Reservations"][0]["Instances"][0]
    assert shown["State"]["Name"] == "terminated"
    assert "Server.InternalError" in shown["StateReason"]["Message"]
    assert fault_client.in_force(aws.config) == []


def test_a_lost_launch_did_launch_and_the_same_token_finds_it(aws: Aws) -> None:
    fault_client.inflict(aws.config, "lost", action="RunInstances", times=1)

    with pytest.raises(ConnectionClosedError):
        launch(aws, ClientToken="lost-1")

    launched = with_token(aws, "lost-1")
    assert launch(aws, ClientToken="lost-1") in launched
    assert len(launched) == 1
    aws.ec2.terminate_instances(InstanceIds=launched)


def test_a_throttled_call_recovers_by_the_retries_of_its_client(aws: Aws) -> None:
    before = fault_client.calls(aws.config)["counts"].get("ec2:RunInstances", 0)
    fault_client.inflict(aws.config, "throttled", action="ec2:RunInstances", times=2)

    launched = launch(aws, attempts=3)

    assert fault_client.calls(aws.config)["counts"]["ec2:RunInstances"] == before + 1
    aws.ec2.terminate_instances(InstanceIds=[launched])


def test_capacity_is_refused_in_one_zone_to_calls_and_to_groups(aws: Aws) -> None:
    zones = {each["AvailabilityZone"]: each["SubnetId"] for each in aws.ec2.describe_subnets()["Subnets"]}
    fault_client.inflict(aws.config, "no-capacity", zone="eu-west-1a")

    with pytest.raises(ClientError, match="InsufficientInstanceCapacity") as refused:
        launch(aws, SubnetId=zones["eu-west-1a"])
    elsewhere = launch(aws, SubnetId=zones["eu-west-1b"])
    aws.asg.set_desired_capacity(AutoScalingGroupName=aws.name, DesiredCapacity=4)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    eventually(
        lambda: any("sufficient t3.small capacity" in each.get("StatusMessage", "") for each in aws.activities())
    )
    aws.asg.set_desired_capacity(AutoScalingGroupName=aws.name, DesiredCapacity=2)
    aws.ec2.terminate_instances(InstanceIds=[elsewhere])


def test_a_new_instance_is_not_shown_until_the_fault_lets_it(aws: Aws) -> None:
    fault_client.inflict(aws.config, "stale", after=3)
    launched = launch(aws, ClientToken="stale-1")

    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        aws.ec2.describe_instances(InstanceIds=[launched])
    assert with_token(aws, "stale-1") == []
    eventually(lambda: with_token(aws, "stale-1") == [launched])

    aws.ec2.terminate_instances(InstanceIds=[launched])


def test_a_fault_that_cannot_be_is_refused_with_a_word_of_help(aws: Aws) -> None:
    with pytest.raises(LocalCloudError, match="Did you mean “eu-west-1b”"):
        fault_client.inflict(aws.config, "no-capacity", zone="eu-west1b")

    assert asking.status(aws.config)["faults"] == []

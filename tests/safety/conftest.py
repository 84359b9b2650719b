"""One local cloud for all attacks on it, with two machines and a load balancer."""

import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from local_cloud.client import control
from local_cloud.config import Config
from local_cloud.host.sweep import leftovers
from tests.local_cloud.cloud import Cloud, told

SECRET = "made-up-secret-of-the-caller"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory = tmp_path_factory.mktemp("brsafe")
    config = Config(state=directory / "state", bridge="brsafet", network=IPv4Network("10.104.0.0/16"), port=5704)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOY_TOKEN", SECRET)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        cloud = Cloud(config, directory)
    try:
        yield cloud
    finally:
        control.reset(config, told)
    assert leftovers(config) == []


class Machine:
    """A machine of the cloud, and a shell of its root in it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.described = cloud.wait_for(cloud.launch(UserData="#!/bin/sh\n")["InstanceId"], "running")

    @property
    def id(self) -> str:
        return str(self.described["InstanceId"])

    def root(self, script: str) -> str:
        """By sshd and sudo, so with what a process in a machine may do, and no more."""
        options = ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR"]
        where = ["-i", str(self.cloud.key), f"admin@{self.described['PrivateIpAddress']}", "sudo sh 2>&1"]
        done = subprocess.run(
            ["ssh", *options, *where], input=script, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout.strip()

    def status(self, *curl: str) -> str:
        """The status that curl sees; 000 where it cannot connect."""
        return self.root(f"curl -sg -m 1 -o /dev/null -w %{{http_code}} {' '.join(curl)}")[-3:]


@pytest.fixture(scope="session")
def machine(cloud: Cloud) -> Machine:
    return Machine(cloud)


@pytest.fixture(scope="session")
def neighbour(cloud: Cloud) -> Machine:
    return Machine(cloud)


@pytest.fixture(scope="session")
def balancer(cloud: Cloud) -> str:
    """The address of a load balancer that listens at port 80 and has no target: it answers 503."""
    elbv2 = cloud.service("elbv2")
    subnets = [each["SubnetId"] for each in cloud.ec2.describe_subnets()["Subnets"]]
    made = elbv2.create_load_balancer(Name="safe", Subnets=subnets)["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name="safe", Protocol="HTTP", Port=8000, VpcId=cloud.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(made["DNSName"])

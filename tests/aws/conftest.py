"""moto in this process, with a fleet made in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto import mock_aws

from bakeroll.aws.autoscaling import AutoScaling
from bakeroll.aws.dynamodb import DocumentTable
from bakeroll.aws.ec2 import EC2
from bakeroll.aws.elbv2 import TargetGroups
from bakeroll.aws.provision import table
from bakeroll.aws.session import Clients, clients

NAME = "links-dev"


@dataclass(frozen=True)
class Account:
    """An account with a group of two instances, its target group, and the table."""

    clients: Clients
    template: str
    target_group: str
    subnets: tuple[str, ...]

    @property
    def scaling(self) -> AutoScaling:
        return AutoScaling(self.clients.autoscaling)

    @property
    def machines(self) -> EC2:
        return EC2(self.clients.ec2)

    @property
    def balancers(self) -> TargetGroups:
        return TargetGroups(self.clients.elbv2)

    @property
    def table(self) -> DocumentTable:
        return DocumentTable(self.clients.dynamodb, "bakeroll")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield _account(clients("eu-west-1"))


def _account(made: Clients) -> Account:
    list(table(made.dynamodb, "bakeroll"))
    subnets = made.ec2.describe_subnets()["Subnets"]
    template = made.ec2.create_launch_template(
        LaunchTemplateName=NAME, LaunchTemplateData={"ImageId": "ami-00000000000000001", "InstanceType": "t3.small"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    arn = made.elbv2.create_target_group(Name=NAME, Protocol="HTTP", Port=8000, VpcId=subnets[0]["VpcId"])[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    made.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=NAME,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        MinSize=1,
        MaxSize=8,
        DesiredCapacity=2,
        VPCZoneIdentifier=",".join(each["SubnetId"] for each in subnets),
        TargetGroupARNs=[arn],
        Tags=[
            {"Key": "application", "Value": "links", "PropagateAtLaunch": True},
            {"Key": "cost", "Value": "7", "PropagateAtLaunch": False},
        ],
    )
    return Account(made, template, arn, tuple(each["SubnetId"] for each in subnets))

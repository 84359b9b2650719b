"""moto in this process, with a fleet made in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto import mock_aws

from bakeroll.aws.autoscaling import AutoScaling
from bakeroll.aws.balancers import Balancers
from bakeroll.aws.cloudwatch import CloudWatch
from bakeroll.aws.dynamodb import DocumentTable
from bakeroll.aws.ec2 import EC2
from bakeroll.aws.provision import table
from bakeroll.aws.session import Clients, clients
from bakeroll.aws.templates import Templates
from bakeroll.fleet import Group
from bakeroll.process import run
from bakeroll.roll.ports import Ports
from bakeroll.roll.probe.commands import Probing
from bakeroll.roll.probe.http import ask_over_http

NAME = "links-dev"


@dataclass(frozen=True)
class Account:
    """An account with a group of two instances, its target group, and the table."""

    clients: Clients
    template: str
    target_group: str
    subnets: tuple[str, ...]

    @property
    def ports(self) -> Ports:
        return Ports(
            scaling=self.scaling,
            machines=self.machines,
            templates=self.templates,
            balancers=self.balancers,
            table=self.table,
            ask=ask_over_http,
            probes=Probing(CloudWatch(self.clients), run),
        )

    @property
    def templates(self) -> Templates:
        return Templates(self.clients)

    @property
    def scaling(self) -> AutoScaling:
        return AutoScaling(self.clients, self.templates)

    @property
    def machines(self) -> EC2:
        return EC2(self.clients.ec2, self.templates)

    @property
    def balancers(self) -> Balancers:
        return Balancers(self.clients)

    @property
    def table(self) -> DocumentTable:
        return DocumentTable(self.clients.dynamodb, "bakeroll")

    @property
    def group(self) -> Group:
        return self.scaling.describe(NAME)[NAME]


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

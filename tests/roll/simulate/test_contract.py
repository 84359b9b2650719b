"""One contract for the ports of a roll: the cloud in memory and the adapters on moto keep it alike.

So the fake that rolls are proved on stays honest. Where moto itself differs from AWS, the local cloud's hooks
mend it and tests/local_cloud proves them; here stands what all three have in common.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from moto import mock_aws

from bakeroll.aws.autoscaling import AutoScaling
from bakeroll.aws.balancers import Balancers
from bakeroll.aws.cloudwatch import CloudWatch
from bakeroll.aws.dynamodb import DocumentTable
from bakeroll.aws.ec2 import EC2
from bakeroll.aws.provision import table
from bakeroll.aws.session import clients
from bakeroll.aws.templates import Templates
from bakeroll.document import Document
from bakeroll.errors import CloudError
from bakeroll.fleet import Group, Instance, Slot, TargetGroup
from bakeroll.process import run
from bakeroll.roll.ports import Ports
from bakeroll.roll.probe.commands import Probing
from bakeroll.roll.probe.http import ask_over_http
from bakeroll.roll.simulate.model import world
from bakeroll.roll.simulate.parts import TEMPLATE
from bakeroll.roll.simulate.ports import ports
from tests.roll.scene import GOOD

NAME = "links-dev"


@dataclass(frozen=True)
class Side:
    """A world with a group of two instances (1 to 4), and what is named differently in each."""

    ports: Ports
    template: str
    subnets: tuple[str, ...]
    arn: str
    image: str
    is_plain_moto: bool = False

    def skip_plain_moto(self, because: str) -> None:
        """The local cloud's hooks mend it, which tests/local_cloud proves."""
        if self.is_plain_moto:
            pytest.skip(f"plain moto {because}")

    def slot(self, mark: str = "t-0", version: str = "1") -> Slot:
        subnet = self.ports.machines.subnets([self.subnets[0]])[0]
        return Slot(mark, self.template, version, subnet, {"bakeroll:roll": "t", "bakeroll:slot": "0"})

    def launched(self, mark: str = "t-0") -> str:
        """A new instance that runs."""
        (identifier,) = self.ports.machines.launch(self.slot(mark))
        for _ in range(100):
            if self.launched_instance(identifier).state == "running":
                break
        return identifier

    def launched_instance(self, identifier: str) -> Instance:
        return next(each for each in self.ports.machines.launched_by(["t"]) if each.id == identifier)

    @property
    def target_group(self) -> TargetGroup:
        return self.ports.balancers.target_groups([self.arn])[0]

    @property
    def group(self) -> Group:
        return self.ports.scaling.describe(NAME)[NAME]


@pytest.fixture(params=["the cloud in memory", "the adapters on moto"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    if request.param == "the cloud in memory":
        fleet = world(2, GOOD, maximum=4)
        yield Side(ports(fleet), TEMPLATE, fleet.group.subnets, "tg-a", "ami-new")
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield _on_moto()


def _on_moto() -> Side:
    aws = clients("eu-west-1")
    list(table(aws.dynamodb, "bakeroll"))
    subnets = aws.ec2.describe_subnets()["Subnets"]
    image = aws.ec2.register_image(Name="links", Architecture="x86_64")["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.small"}
    template = aws.ec2.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=data)["LaunchTemplate"]  # type: ignore[arg-type]
    vpc = subnets[0]["VpcId"]
    made = aws.elbv2.create_target_group(Name=NAME, Protocol="HTTP", Port=8000, VpcId=vpc)["TargetGroups"][0]
    identifier = template["LaunchTemplateId"]
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=NAME,
        LaunchTemplate={"LaunchTemplateId": identifier, "Version": "1"},
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=",".join(each["SubnetId"] for each in subnets),
        TargetGroupARNs=[made["TargetGroupArn"]],
    )
    versions = Templates(aws)
    found = Ports(
        scaling=AutoScaling(aws, versions),
        machines=EC2(aws.ec2, versions),
        templates=versions,
        balancers=Balancers(aws),
        table=DocumentTable(aws.dynamodb, "bakeroll"),
        ask=ask_over_http,
        probes=Probing(CloudWatch(aws), run),
    )
    return Side(found, identifier, tuple(each["SubnetId"] for each in subnets), made["TargetGroupArn"], image, True)


def test_attaching_raises_desired_capacity_and_registers(side: Side) -> None:
    new = side.launched()

    side.ports.scaling.attach(NAME, [new])

    assert side.group.desired == 3
    assert side.group.lifecycles[new] == "InService"
    assert new in side.ports.balancers.health(side.target_group)


def test_what_has_ended_is_told_by_id_and_what_ec2_does_not_know_with_it(side: Side) -> None:
    new, member = side.launched(), min(side.group.lifecycles)
    assert side.ports.machines.ended([new, member]) == []

    side.ports.machines.terminate([new])
    for _ in range(20):
        if side.launched_instance(new).state == "terminated":
            break

    assert side.ports.machines.ended([new, member, "i-0123456789abcdef0"]) == [new, "i-0123456789abcdef0"]


def test_an_instance_that_ended_shows_no_address(side: Side) -> None:
    side.skip_plain_moto("goes on showing it")
    new = side.launched()
    assert side.launched_instance(new).address

    side.ports.machines.terminate([new])
    for _ in range(20):
        if side.launched_instance(new).state == "terminated":
            break

    assert side.launched_instance(new).address == ""


def test_terminating_with_decrement_lowers_desired_capacity_and_without_does_not(side: Side) -> None:
    first, second = sorted(side.group.lifecycles)

    assert side.ports.scaling.terminate(first, decrement=True)
    assert side.group.desired == 1
    assert side.ports.scaling.terminate(second, decrement=False)
    assert side.group.desired == 1


def test_a_stranger_is_not_terminated_and_the_answer_tells_so(side: Side) -> None:
    side.skip_plain_moto("breaks at an instance that is in no group")
    stranger = side.launched()

    assert not side.ports.scaling.terminate(stranger, decrement=True)

    assert side.group.desired == 2
    assert side.launched_instance(stranger).is_alive


def test_the_same_token_launches_its_instances_once(side: Side) -> None:
    side.skip_plain_moto("launches again for the same token")
    ids = {tuple(side.ports.machines.launch(replace(side.slot(), count=2))) for _ in range(2)}

    assert len(ids) == 1
    assert {each.id for each in side.ports.machines.launched_by(["t", "other"])} == set(*ids)


def test_a_template_version_is_made_once_for_a_token_and_deleted_once(side: Side) -> None:
    templates = side.ports.templates

    numbers = {templates.make_version(side.template, "1", "ami-12345678", "0a1b") for _ in range(2)}

    assert numbers == {"2"}
    assert list(templates.versions_made(side.template, ["0a1b", "ffff"])) == ["2"]
    assert templates.version_of(side.template, "$Latest").number == "2"
    assert templates.version_of(side.template, "2").image == "ami-12345678"


def test_an_image_that_does_not_exist_is_left_out(side: Side) -> None:
    found = side.ports.machines.images([side.image, "ami-0123456789abcdef0"])

    assert list(found) == [side.image]
    assert found[side.image].state == "available"


def test_what_is_not_there_is_none_or_left_out(side: Side) -> None:
    assert side.ports.scaling.describe("links-prod") == {}
    assert side.ports.scaling.names() == [NAME]
    assert list(side.ports.machines.members("links-prod")) == []
    assert list(side.ports.scaling.launch_hooks(NAME)) == []
    assert list(side.ports.scaling.warm(NAME)) == []


def test_a_target_that_was_deregistered_is_given_nothing_new(side: Side) -> None:
    group = side.ports.balancers.target_groups([side.arn])[0]
    member = min(side.group.lifecycles)

    side.ports.balancers.deregister(group, [member])

    health = side.ports.balancers.health(side.target_group).get(member)
    assert group.type == "instance"
    assert health is None or health.state in ("draining", "unused")


def test_processes_are_suspended_and_resumed_by_name(side: Side) -> None:
    side.ports.scaling.suspend(NAME, ["AZRebalance", "Terminate"])
    side.ports.scaling.resume(NAME, ["AZRebalance"])

    assert side.group.suspended == {"Terminate"}


def test_a_document_is_written_only_over_what_is_known_and_a_lost_answer_counts(side: Side) -> None:
    there = side.ports.table

    assert there.put("a", "b", Document("first", "1"), over=None) is None
    assert there.put("a", "b", Document("first", "1"), over=None) is None
    assert there.put("a", "b", Document("other", "2"), over=None) == Document("first", "1")
    assert there.put("a", "b", Document("second", "3"), over="1") is None
    assert there.put("a", "b", Document("third", "4"), over="1") == Document("second", "3")
    assert there.get("a", "b") == Document("second", "3")
    assert there.get("a", "c") is None


def test_what_the_group_is_not_is_an_error_of_the_clouds(side: Side) -> None:
    more = [side.launched(f"t-{n}") for n in range(3)]

    with pytest.raises(CloudError, match="AttachInstances"):
        side.ports.scaling.attach(NAME, more)


def test_members_are_those_of_the_group_alone(side: Side) -> None:
    side.launched()

    assert {each.id for each in side.ports.machines.members(NAME)} == set(side.group.lifecycles)


def test_one_that_stands_by_is_not_counted_and_comes_back_as_a_member(side: Side) -> None:
    first = min(side.group.lifecycles)

    side.ports.scaling.enter_standby(NAME, [first], decrement=True)
    away = side.group
    side.ports.scaling.exit_standby(NAME, [first])

    assert away.desired == 1
    assert away.lifecycles[first] in ("EnteringStandby", "Standby")
    assert side.group.desired == 2
    assert side.group.lifecycles[first] in ("Pending", "InService")


def test_sizes_are_set_within_each_other(side: Side) -> None:
    side.ports.scaling.set_sizes(NAME, 0, 3, 5)

    assert (side.group.minimum, side.group.desired, side.group.maximum) == (0, 3, 5)


def test_a_clone_has_no_instance_and_registers_none(side: Side) -> None:
    version = side.ports.templates.make_version(side.template, "1", side.image, "0a1b")

    for _ in range(2):
        side.ports.scaling.clone(NAME, "links-dev-green", version, {"bakeroll:roll": "0a1b"})

    twin = side.ports.scaling.describe(NAME, "links-dev-green")["links-dev-green"]
    assert (twin.desired, twin.template_version, twin.target_groups) == (0, version, side.group.target_groups)
    assert twin.tags["bakeroll:roll"] == "0a1b"
    assert "AddToLoadBalancer" in twin.suspended
    side.ports.scaling.delete("links-dev-green")
    side.ports.scaling.delete("links-dev-green")
    assert list(side.ports.scaling.describe("links-dev-green")) == []

"""The adapters that a roll uses, on moto in this process."""

import subprocess
import sys
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from bakeroll.aws.session import CONNECT_SECONDS, clients, code_of, identity
from bakeroll.document import Document, Item
from bakeroll.errors import CloudError
from bakeroll.fleet import Slot, Subnet
from bakeroll.roll.store import lease
from tests.aws.conftest import NAME, Account


def test_a_group_is_described_with_its_members_and_the_tags_that_it_propagates(account: Account) -> None:
    group = account.group

    assert (group.minimum, group.maximum, group.desired) == (1, 8, 2)
    assert (group.template, group.template_version) == (account.template, "1")
    assert (group.subnets, group.target_groups) == (account.subnets, (account.target_group,))
    assert group.tags == {"application": "links"}
    assert list(group.lifecycles.values()) == ["InService", "InService"]


def test_deletion_protection_is_told_in_the_words_of_aws(account: Account) -> None:
    def protected(response_dict: dict[str, bytes], **_: object) -> None:
        name = f"<AutoScalingGroupName>{NAME}</AutoScalingGroupName>".encode()
        told = name + b"<DeletionProtection>prevent-force-deletion</DeletionProtection>"
        response_dict["body"] = response_dict["body"].replace(name, told, 1)

    before = account.group.deletion_protection
    answered: Any = protected  # moto keeps no such attribute
    account.clients.autoscaling.meta.events.register("before-parse.autoscaling.DescribeAutoScalingGroups", answered)

    assert (before, account.group.deletion_protection) == ("none", "prevent-force-deletion")


def test_a_group_that_is_not_there_is_none(account: Account) -> None:
    assert account.scaling.describe("links-prod") == {}
    assert account.scaling.describe() == {}


def test_processes_are_suspended_and_resumed_by_name_and_an_empty_list_means_none(account: Account) -> None:
    account.scaling.suspend(NAME, ["AZRebalance", "ScheduledActions"])
    account.scaling.suspend(NAME, [])
    account.scaling.resume(NAME, ["AZRebalance"])
    account.scaling.resume(NAME, [])

    group = account.group
    assert group.suspended == {"ScheduledActions"}


def test_sizes_and_template_are_set_one_at_a_time(account: Account) -> None:
    account.templates.make_version(account.template, "1", "ami-new", "0")
    account.scaling.set_maximum(NAME, 9)
    account.scaling.set_template(NAME, account.template, "2")

    group = account.group
    assert (group.minimum, group.maximum, group.desired, group.template_version) == (1, 9, 2, "2")


def test_a_template_version_tells_the_digest_that_it_tags_its_instances_with(account: Account) -> None:
    tags: Any = [{"Key": "Name", "Value": "links"}, {"Key": "bakeroll:launch", "Value": "sha256-7"}]
    account.clients.ec2.create_launch_template_version(
        LaunchTemplateId=account.template,
        LaunchTemplateData={"ImageId": "ami-1", "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]},
    )

    assert account.templates.version_of(account.template, "2").launch == "sha256-7"
    assert account.templates.version_of(account.template, "1").launch == ""


def test_a_template_version_differs_in_its_image_alone_and_is_made_once(account: Account) -> None:
    numbers = {account.templates.make_version(account.template, "1", "ami-new", "0a1b") for _ in range(2)}

    assert numbers == {"2"}
    assert account.templates.version_of(account.template, "2").image == "ami-new"
    assert account.templates.version_of(account.template, "$Latest").number == "2"
    assert account.templates.versions_made(account.template, ["0a1b", "ffff"]) == ["2"]
    raw = account.clients.ec2.describe_launch_template_versions(LaunchTemplateId=account.template, Versions=["2"])
    assert raw["LaunchTemplateVersions"][0]["LaunchTemplateData"].get("InstanceType") == "t3.small"


def test_a_version_that_no_roll_made_is_left_alone(account: Account) -> None:
    account.clients.ec2.create_launch_template_version(
        LaunchTemplateId=account.template, LaunchTemplateData={"ImageId": "ami-theirs"}
    )

    for version in ("2", "7"):
        account.templates.delete_version(account.template, version)

    left = account.clients.ec2.describe_launch_template_versions(LaunchTemplateId=account.template)
    assert sorted(each["VersionNumber"] for each in left["LaunchTemplateVersions"]) == [1, 2]


def test_an_instance_is_launched_from_a_version_with_its_tags_in_its_subnet(account: Account) -> None:
    subnet = account.machines.subnets([account.subnets[1]])[0]
    slot = Slot("0a1b-0", account.template, "1", subnet, {"bakeroll:roll": "0a1b", "Name": NAME})

    (launched,) = account.machines.launch(slot)

    found = account.machines.launched_by(["0a1b", "ffff"])
    assert [each.id for each in found] == [launched]
    assert found[0].zone == subnet.zone
    assert found[0].tags["Name"] == NAME
    assert found[0].address
    assert found[0].image == account.templates.version_of(account.template, "1").image


def test_one_request_launches_as_many_as_its_slot_counts(account: Account) -> None:
    slot = Slot("0a1b-0", account.template, "1", Subnet(account.subnets[0], ""), {"bakeroll:roll": "0a1b"}, count=3)

    launched = account.machines.launch(slot)

    assert len(set(launched)) == 3
    assert {each.id for each in account.machines.launched_by(["0a1b"])} == set(launched)


def test_the_members_of_a_group_are_its_own_and_no_others(account: Account) -> None:
    slot = Slot("0a1b-0", account.template, "1", Subnet(account.subnets[0], ""), {"bakeroll:roll": "0a1b"})
    account.machines.launch(slot)

    assert {each.id for each in account.machines.members(NAME)} == set(account.group.lifecycles)


def test_an_instance_that_is_gone_is_terminated_without_complaint(account: Account) -> None:
    account.machines.terminate(["i-00000000000000000"])


def test_attaching_and_retiring_leave_the_capacity_as_it_was(account: Account) -> None:
    slot = Slot("0a1b-0", account.template, "1", Subnet(account.subnets[0], ""), {"bakeroll:roll": "0a1b"})
    (launched,) = account.machines.launch(slot)
    group = account.group

    account.scaling.attach(NAME, [launched])
    account.scaling.terminate(sorted(group.lifecycles)[0], decrement=True)

    after = account.group
    assert after.desired == 2
    assert launched in after.lifecycles


def test_targets_are_registered_told_and_deregistered(account: Account) -> None:
    group = account.balancers.target_groups([account.target_group])[0]
    scaling = account.group
    member = sorted(scaling.lifecycles)[0]

    account.balancers.register(group, [member])
    registered = account.balancers.health(group)
    account.balancers.deregister(group, [member])

    assert (group.name, group.port) == (NAME, 8000)
    assert member in registered
    assert account.balancers.health(group).get(member) in (None, *registered.values())


def test_a_document_is_written_only_over_what_is_known(account: Account) -> None:
    table = account.table

    assert table.put("a", "b", Document("first", "1"), over=None) is None
    assert table.put("a", "b", Document("other", "2"), over=None) == Document("first", "1")
    assert table.put("a", "b", Document("second", "3"), over="1") is None
    assert table.put("a", "b", Document("third", "4"), over="1") == Document("second", "3")
    assert table.get("a", "b") == Document("second", "3")


def test_a_write_whose_answer_was_lost_counts_as_written(account: Account) -> None:
    account.table.put("a", "b", Document("mine", "1"), over=None)

    assert account.table.put("a", "b", Document("mine", "1"), over=None) is None


def test_the_newest_documents_come_first(account: Account) -> None:
    for day in ("2026-01-01", "2026-03-01", "2026-02-01"):
        account.table.put("a", day, Document(day, day), over=None)

    assert [each.body for each in account.table.newest("a", "", 2)] == ["2026-03-01", "2026-02-01"]
    assert [each.body for each in account.table.newest("a", "2026-01", 9)] == ["2026-01-01"]


@pytest.mark.parametrize(
    ("attributes", "body", "token"),
    [
        ({}, "", ""),
        ({"body": {"N": "1"}, "token": {"S": "t"}}, "", "t"),
        ({"body": {"S": "{}"}, "token": {"L": []}}, "{}", ""),
    ],
)
def test_an_item_without_its_texts_is_given_as_far_as_it_goes_and_says_where_it_lies(
    attributes: Any, body: str, token: str, account: Account
) -> None:
    account.clients.dynamodb.put_item(TableName="bakeroll", Item={"pk": {"S": "a"}, "sk": {"S": "b"}} | attributes)

    found = [account.table.get("a", "b"), *account.table.newest("a", "", 9)]

    assert found == [Document(body, token)] * 2
    assert [each and each.item for each in found] == [Item("bakeroll", "a", "b")] * 2


def test_an_error_names_the_operation_the_resource_and_awss_code(account: Account) -> None:
    with pytest.raises(CloudError, match="AttachInstances of links-dev") as error:
        account.scaling.attach(NAME, [f"i-{n:017x}" for n in range(20)])

    assert code_of(error.value)


def test_the_account_is_told(account: Account) -> None:
    assert identity(account.clients)[0] == "123456789012"


def test_without_credentials_the_next_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from bakeroll.aws.session import clients

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(CloudError, match="no AWS credentials") as error:
        identity(clients("eu-west-1"))

    assert "AWS_PROFILE" in error.value.next_step


def test_nothing_of_boto3_is_imported_before_the_first_use() -> None:
    code = "import sys, bakeroll.aws.session as s; s.clients('eu-west-1'); print('boto3' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "False"


def test_a_target_group_is_found_by_its_name_where_its_address_is_asked_for(account: Account) -> None:
    elbv2 = account.clients.elbv2
    balancer = elbv2.create_load_balancer(Name="links", Subnets=list(account.subnets))["LoadBalancers"][0]
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": account.target_group}],
    )

    assert account.balancers.url([NAME]) == account.balancers.url([account.target_group])
    assert account.balancers.url([NAME]) == f"http://{balancer['DNSName']}"


def test_the_console_of_an_instance_that_gives_no_latest_one_is_what_aws_kept(account: Account) -> None:
    asked: list[str] = []

    def refused(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        asked.append(params["body"]["Latest"])
        if asked[-1] == "false":
            return None
        error = {"Code": "UnsupportedOperation", "Message": "This instance type does not support retrieving it"}
        answer: Any = AWSResponse("", 400, {}, None)  # type: ignore[arg-type]
        return answer, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}

    answering: Any = refused
    account.clients.ec2.meta.events.register("before-call.ec2.GetConsoleOutput", answering)

    assert account.machines.console(next(iter(account.group.lifecycles)))
    assert asked == ["true", "false"]


def test_a_heartbeat_whose_connection_hangs_is_written_by_the_next_before_the_lease_runs_out() -> None:
    config: Any = clients("eu-west-1").dynamodb.meta.config
    hangs = CONNECT_SECONDS + config.read_timeout

    assert lease.SECONDS / lease.HEARTBEATS + hangs < lease.SECONDS

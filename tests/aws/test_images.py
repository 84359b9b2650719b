"""EC2's images over moto: the same questions that a bake asks of AWS."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError
from moto import mock_aws
from pytest_mock import MockerFixture

from bakeroll.aws.images import Ec2Images
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator["EC2Client"]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("ec2", region_name="eu-west-1")


def make_image(ec2: "EC2Client", name: str, **tags: str) -> str:
    image = ec2.register_image(Name=name, RootDeviceName="/dev/xvda")["ImageId"]
    if tags:
        ec2.create_tags(Resources=[image], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return image


def launch(ec2: "EC2Client", **tags: str) -> str:
    source = make_image(ec2, f"source {tags}")
    instance = ec2.run_instances(ImageId=source, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    if tags:
        ec2.create_tags(Resources=[instance], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return instance


def test_own_images_are_found_by_all_of_their_tags(ec2: "EC2Client") -> None:
    wanted = make_image(ec2, "one", kind="base", digest="d1")
    make_image(ec2, "two", kind="base", digest="d2")
    make_image(ec2, "three")

    found = Ec2Images(ec2).own(tags={"kind": "base", "digest": "d1"})

    assert [(ami.id, ami.name, ami.state, ami.tags["digest"]) for ami in found] == [(wanted, "one", "available", "d1")]
    assert found[0].created_at.tzinfo is not None


def test_own_images_are_found_by_their_name(ec2: "EC2Client") -> None:
    wanted = make_image(ec2, "links-1.4.0-1-20261121T033537-caf1851f")
    make_image(ec2, "links-1.4.0-1-20261121T033600-00000000")
    assert [ami.id for ami in Ec2Images(ec2).own(name="*-20261121T033537-caf1851f")] == [wanted]


def test_the_newest_image_of_an_owner_and_a_name_is_found(ec2: "EC2Client") -> None:
    make_image(ec2, "debian-12-amd64-1")
    make_image(ec2, "debian-13-amd64-1")
    images = Ec2Images(ec2)

    found = images.newest("self", "debian-12-amd64-*")

    assert found is not None
    assert found.name == "debian-12-amd64-1"
    assert images.newest("self", "debian-11-*") is None


def test_an_image_is_got_by_its_id_until_it_is_deregistered(ec2: "EC2Client") -> None:
    images, image = Ec2Images(ec2), make_image(ec2, "one")
    found = images.get(image)
    assert found is not None
    assert found.id == image

    images.deregister(image)
    images.deregister(image)

    assert images.own(name="one") == []


def test_builders_are_the_living_instances_with_the_tag(ec2: "EC2Client") -> None:
    builder, gone = launch(ec2, bake="links-dev/1"), launch(ec2, bake="links-dev/2")
    launch(ec2)
    images = Ec2Images(ec2)

    images.terminate([gone])

    assert [(each.id, each.bake) for each in images.builders("bake")] == [(builder, "links-dev/1")]


def test_a_dead_builder_tells_why_it_ended_and_what_its_console_showed(ec2: "EC2Client", mocker: MockerFixture) -> None:
    builder = launch(ec2, bake="links-dev/1")
    ec2.terminate_instances(InstanceIds=[builder])
    images = Ec2Images(ec2)
    mocker.patch.object(ec2, "get_console_output", return_value={"Output": "booting\r\n\r\npanic\r\n"})

    said = images.last_words("bake", "links-dev/1")

    assert said is not None
    assert said.id == builder
    assert said.reason.startswith("Client.UserInitiatedShutdown")
    assert said.console == ["booting", "panic"]
    assert images.last_words("bake", "links-dev/2") is None


def test_a_console_that_may_not_be_seen_hides_no_reason(ec2: "EC2Client", mocker: MockerFixture) -> None:
    builder = launch(ec2, bake="links-dev/1")
    denied = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "No."}}, "GetConsoleOutput")
    mocker.patch.object(ec2, "get_console_output", side_effect=denied)

    said = Ec2Images(ec2).last_words("bake", "links-dev/1")

    assert said is not None
    assert (said.id, said.console) == (builder, ())


def test_key_pairs_are_found_by_their_name_and_deleted(ec2: "EC2Client") -> None:
    for name in ("bakeroll-links-dev-1", "bakeroll-other-dev-1", "mine"):
        ec2.create_key_pair(KeyName=name)
    images = Ec2Images(ec2)

    assert list(images.key_pairs("bakeroll-links-dev-*")) == ["bakeroll-links-dev-1"]
    images.delete_key_pair("bakeroll-links-dev-1")
    images.delete_key_pair("bakeroll-links-dev-1")
    assert list(images.key_pairs("bakeroll-links-dev-*")) == []


def test_security_groups_are_found_by_their_names_and_deleted(ec2: "EC2Client") -> None:
    group = ec2.create_security_group(GroupName="packer_1", Description="Temporary group for Packer")["GroupId"]
    images = Ec2Images(ec2)

    assert images.security_groups([]) == []
    assert images.security_groups(["packer_1", "packer_2"]) == [group]
    images.delete_security_group(group)
    images.delete_security_group(group)
    assert images.security_groups(["packer_1"]) == []


def test_what_ec2_refuses_is_told_with_its_code(ec2: "EC2Client") -> None:
    with pytest.raises(CloudError, match="EC2 refused TerminateInstances: InvalidInstanceID"):
        Ec2Images(ec2).terminate(["i-0123456789abcdef0"])


def test_an_ec2_that_does_not_answer_is_told() -> None:
    nowhere = boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=BotoConfig(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(CloudError, match="EC2 did not answer DescribeImages"):
        Ec2Images(nowhere).own()

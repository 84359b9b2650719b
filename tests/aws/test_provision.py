"""What the toolkit makes in an account, on moto."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bakeroll import settings
from bakeroll.aws import provision

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def make_fleet() -> list[str]:
    environment = settings.load(ROOT, "local")
    clients: list[Any] = [boto3.client(name) for name in ("ec2", "elbv2", "autoscaling")]
    return list(provision.fleet(environment, *clients))


def test_what_is_made_is_told_and_making_it_again_changes_nothing() -> None:
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")

    first = [*provision.table(dynamodb, "bakeroll"), *provision.bucket(s3, "bakeroll-apt", "eu-west-1"), *make_fleet()]
    second = [*provision.table(dynamodb, "bakeroll"), *provision.bucket(s3, "bakeroll-apt", "eu-west-1"), *make_fleet()]

    assert first == [
        "table bakeroll made",
        "bucket bakeroll-apt made",
        "fleet links-local made: 2 instances desired, at most 8",
    ]
    assert second == ["table bakeroll exists", "bucket bakeroll-apt exists", "fleet links-local exists"]


def test_a_fleet_that_was_half_made_is_finished() -> None:
    make_fleet()
    boto3.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="links-local", ForceDelete=True)

    assert make_fleet() == ["fleet links-local made: 2 instances desired, at most 8"]


def test_the_bucket_is_closed_to_the_public() -> None:
    s3 = boto3.client("s3")

    list(provision.bucket(s3, "bakeroll-apt", "eu-west-1"))

    block = s3.get_public_access_block(Bucket="bakeroll-apt")["PublicAccessBlockConfiguration"]
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    assert block == dict.fromkeys(closed, True)

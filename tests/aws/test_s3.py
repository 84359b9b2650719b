from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from bakeroll.aws.s3 import S3Objects
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> "Iterator[S3Client]":
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("s3", region_name="eu-west-1")


@pytest.fixture
def objects(client: "S3Client") -> S3Objects:
    client.create_bucket(Bucket="acme-apt", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return S3Objects(client, "acme-apt")


def test_what_is_not_there_is_none(objects: S3Objects) -> None:
    assert objects.get("dists/dev/InRelease", 1000000) is None


def test_what_was_written_is_read_with_its_tag(objects: S3Objects) -> None:
    assert objects.put("pool/a+b~c.deb", b"content", cache_control="no-cache")

    content, tag = objects.get("pool/a+b~c.deb", 1000000) or (b"", "")

    assert content == b"content"
    assert tag


def test_an_object_that_must_be_absent_is_written_once(objects: S3Objects) -> None:
    assert objects.put("key", b"first", if_absent=True)
    assert not objects.put("key", b"second", if_absent=True)

    assert (objects.get("key", 1000000) or (b"", ""))[0] == b"first"


def test_an_object_is_replaced_only_as_it_was_read(objects: S3Objects) -> None:
    objects.put("key", b"first")
    _, tag = objects.get("key", 1000000) or (b"", "")

    assert objects.put("key", b"second", if_match=tag)
    assert not objects.put("key", b"third", if_match=tag)
    assert not objects.put("gone", b"", if_match=tag)


def test_an_object_that_is_too_large_is_refused_and_not_read(objects: S3Objects) -> None:
    objects.put("key", b"12345")

    assert (objects.get("key", 5) or (b"", ""))[0] == b"12345"
    with pytest.raises(CloudError, match=r"s3://acme-apt/key has 5 bytes; it may have at most 4"):
        objects.get("key", 4)


def test_a_bucket_that_is_not_there_is_named_with_what_makes_it(client: "S3Client") -> None:
    with pytest.raises(CloudError, match="s3://none/key") as caught:
        S3Objects(client, "none").get("key", 1000000)
    assert caught.value.next_step == "Make it: fab account.init, with the same --env"


def test_a_server_that_is_not_there_is_a_cloud_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client = boto3.client("s3", endpoint_url="http://127.0.0.1:1", region_name="eu-west-1")

    with pytest.raises(CloudError, match="Could not connect"):
        S3Objects(client, "acme-apt").put("key", b"")

"""What a request is called, as IAM calls it."""

import io
from typing import Any

import pytest

from local_cloud.requests.calls import Call, Calls, call_of


def signed(service: str, **more: Any) -> dict[str, Any]:
    scope = f"local/20260101/eu-west-1/{service}/aws4_request"
    given = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": "", "wsgi.input": io.BytesIO()}
    return (
        given | {"HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"} | more
    )


def form(service: str, body: bytes) -> dict[str, Any]:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return signed(service, CONTENT_TYPE=kind, CONTENT_LENGTH=str(len(body)), **{"wsgi.input": io.BytesIO(body)})


@pytest.mark.parametrize(
    ("environ", "named", "reads"),
    [
        (signed("dynamodb", HTTP_X_AMZ_TARGET="DynamoDB_20120810.PutItem"), "dynamodb:PutItem", False),
        (signed("dynamodb", HTTP_X_AMZ_TARGET="DynamoDB_20120810.GetItem"), "dynamodb:GetItem", True),
        (form("ec2", b"Action=DescribeImages&Version=1"), "ec2:DescribeImages", True),
        (form("ec2", b"Action=RunInstances&Version=1"), "ec2:RunInstances", False),
        (form("elasticloadbalancing", b"Action=RegisterTargets"), "elasticloadbalancing:RegisterTargets", False),
        (form("monitoring", b"Action=PutMetricAlarm"), "cloudwatch:PutMetricAlarm", False),
    ],
)
def test_a_call_is_named_by_the_service_it_is_signed_for_and_its_action(
    environ: dict[str, Any], named: str, reads: bool
) -> None:
    call = call_of(environ)

    assert str(call) == named
    assert call.is_read is reads


def test_a_body_that_was_looked_at_is_still_there_to_be_read() -> None:
    environ = form("ec2", b"Action=RunInstances&Version=1")

    call_of(environ)

    assert environ["wsgi.input"].read() == b"Action=RunInstances&Version=1"


@pytest.mark.parametrize(
    ("method", "path", "query", "action"),
    [
        ("GET", "/", "", "ListAllMyBuckets"),
        ("HEAD", "/bucket", "", "ListBucket"),
        ("GET", "/bucket", "list-type=2&prefix=pool", "ListBucket"),
        ("PUT", "/bucket", "", "CreateBucket"),
        ("PUT", "/bucket", "versioning", "PutBucketVersioning"),
        ("PUT", "/bucket", "publicAccessBlock", "PutBucketPublicAccessBlock"),
        ("GET", "/bucket", "encryption", "GetEncryptionConfiguration"),
        ("DELETE", "/bucket", "encryption", "PutEncryptionConfiguration"),
        ("DELETE", "/bucket", "policy", "DeleteBucketPolicy"),
        ("POST", "/bucket", "delete", "DeleteObject"),
        ("HEAD", "/bucket/a/key", "", "GetObject"),
        ("GET", "/bucket/a/key", "versionId=1", "GetObjectVersion"),
        ("PUT", "/bucket/a/key", "", "PutObject"),
        ("PUT", "/bucket/a/key", "partNumber=1&uploadId=2", "PutObject"),
        ("DELETE", "/bucket/a/key", "", "DeleteObject"),
    ],
)
def test_calls_of_s3_are_named_as_policies_name_them(method: str, path: str, query: str, action: str) -> None:
    environ = signed("s3", REQUEST_METHOD=method, PATH_INFO=path, QUERY_STRING=query)

    assert call_of(environ) == Call("s3", action)


def test_the_log_holds_counts_and_the_order() -> None:
    calls = Calls()

    for action in ("RunInstances", "CreateTags", "RunInstances"):
        calls.add(Call("ec2", action))

    assert calls.summary() == {
        "counts": {"ec2:CreateTags": 1, "ec2:RunInstances": 2},
        "latest": ["ec2:RunInstances", "ec2:CreateTags", "ec2:RunInstances"],
    }

"""What bounds a request before the API looks at it, and what an SDK sees of that, over real connections."""

import gzip
import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError
from moto import mock_aws

from local_cloud.daemon.api import Api
from local_cloud.daemon.bounded import Bounded
from local_cloud.hooks import catalogue, hooking
from local_cloud.hooks.serving import Server, application, serve
from tests.local_cloud.world import IMAGE, FakeCloud, World

MIB = 1024**2


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the API answers, as it is served, with machines made up."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        cloud = FakeCloud()
        catalogue.install(cloud)
        World(cloud)
        server = serve("127.0.0.1", 0, Bounded(Api(application(), lambda: None)))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.port
        finally:
            server.shutdown()
            server.server_close()
            hooking.remove()


def post(port: int, body: bytes, service: str = "ec2", **headers: str) -> tuple[int, str]:
    scope = f"local/20261127/eu-west-1/{service}/aws4_request"
    given = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-www-form-urlencoded",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/", body, given)
    answer = connection.getresponse()
    said = answer.status, answer.read().decode()
    connection.close()
    return said


def client(port: int, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=BotoConfig(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


@pytest.mark.parametrize(
    ("service", "call", "given", "status", "code", "message"),
    [
        ("ec2", "create_key_pair", {}, 400, "MissingParameter", "must contain the parameter KeyName"),
        ("ec2", "describe_instances", {"MaxResults": "1_0"}, 400, "InvalidParameterValue", "MaxResults"),
        ("ec2", "describe_instances", {"MaxResults": "many"}, 400, "InvalidParameterValue", "must be of type integer"),
        ("ec2", "create_volume", {"AvailabilityZone": "a", "VolumeType": "x"}, 400, "InvalidParameterValue", "enum"),
        ("ec2", "allocate_hosts", {"Quantity": 2**31 - 1}, 400, "InvalidParameterValue", "equal to 1000"),
        ("ec2", "create_key_pair", {"KeyName": "a\0b"}, 400, "InvalidParameterValue", "character 0x0"),
        ("autoscaling", "delete_auto_scaling_group", {}, 400, "ValidationError", "at 'autoScalingGroupName' failed"),
        (
            "autoscaling",
            "delete_auto_scaling_group",
            {"AutoScalingGroupName": "x" * 256},
            400,
            "ValidationError",
            "length less than or equal to 255",
        ),
        ("autoscaling", "describe_policies", {"MaxRecords": "ten"}, 400, "ValidationError", "MaxRecords"),
        ("elbv2", "delete_load_balancer", {}, 400, "ValidationError", "loadBalancerArn"),
        ("elb", "delete_load_balancer", {}, 400, "ValidationError", "loadBalancerName"),
        ("dynamodb", "describe_table", {}, 400, "ValidationException", "tableName"),
        ("dynamodb", "list_tables", {"Limit": "5"}, 400, "SerializationException", "must be of type integer"),
        ("dynamodb", "list_tables", {"Limit": 101}, 400, "ValidationException", "less than or equal to 100"),
        ("sts", "assume_role", {"RoleArn": "x", "RoleSessionName": "y"}, 400, "ValidationError", "roleArn"),
        ("s3", "put_bucket_versioning", {"Bucket": "b"}, 400, None, None),
    ],
)
def test_what_aws_would_refuse_is_refused_with_its_code(
    port: int, service: str, call: str, given: dict[str, Any], status: int, code: str | None, message: str | None
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client(port, service), call)(**given)

    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (status, 404)
    assert code in (None, error["Code"])
    assert message is None or message in error["Message"]


@pytest.mark.parametrize(
    ("service", "code"), [("ec2", "InvalidAction"), ("autoscaling", "InvalidAction"), ("sts", "InvalidAction")]
)
@pytest.mark.parametrize("body", [b"Action=MakeCoffee&Version=2016-11-15", b"Version=2016-11-15", b"Action=%00"])
def test_an_action_that_does_not_exist_is_told_in_the_services_form(
    port: int, service: str, code: str, body: bytes
) -> None:
    status, said = post(port, body, service)

    assert status == 400
    assert f"<Code>{code}</Code>" in said


def test_an_operation_of_dynamodb_that_does_not_exist_is_told_as_json(port: int) -> None:
    for target in ("DynamoDB_20120810.MakeCoffee", "nothing", "DynamoDB_x"):
        status, said = post(port, b"{}", "dynamodb", X_Amz_Target=target)

        assert status == 400
        assert json.loads(said)["__type"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        pytest.param(b"", {"Content_Length": str(2 * MIB)}, 413, "RequestEntityTooLarge", id="too large a body"),
        pytest.param(b"", {"Content_Length": "many"}, 400, "InvalidRequest", id="no length"),
        pytest.param(b"", {"Transfer_Encoding": "chunked"}, 411, "MissingContentLength", id="no end"),
        pytest.param(b"a&" * 6000, {}, 400, "MalformedQueryString", id="too many parameters"),
        pytest.param(b"a." * 100 + b"=1", {}, 400, "MalformedQueryString", id="too deep a parameter"),
        pytest.param(gzip.compress(b"A" * 5 * MIB), {"Content_Encoding": "gzip"}, 413, "TooLarge", id="a bomb"),
        pytest.param(b"Action=x", {"Content_Encoding": "gzip"}, 400, "InvalidRequest", id="no gzip"),
        pytest.param(b"x", {"X_Odd": "x" * 60_000, "X_Odder": "x" * 60_000}, 400, "HeaderSection", id="headers"),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_read(
    port: int, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answered, said = post(port, body, **headers)

    assert answered == status
    assert code in said
    assert said.startswith("<")


def test_json_that_is_nested_without_end_is_refused(port: int) -> None:
    status, said = post(port, b"[" * 500_000, "dynamodb", X_Amz_Target="DynamoDB_20120810.PutItem")

    assert (status, json.loads(said)["__type"]) == (400, "SerializationException")


def test_gzip_within_the_bounds_is_read(port: int) -> None:
    status, said = post(port, gzip.compress(b"Action=DescribeKeyPairs&Version=2016-11-15"), Content_Encoding="gzip")

    assert (status, "DescribeKeyPairsResponse" in said) == (200, True)


def test_what_is_no_http_gets_no_page(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        said = connection.recv(4096).lower()

    assert b"<html" not in said
    assert b"<!doctype" not in said


def test_an_error_that_is_unforeseen_is_no_page_and_is_not_repeated() -> None:
    def broken(*_: object) -> list[bytes]:
        raise ZeroDivisionError("</Message>")

    said = answered(Bounded(broken))

    assert said == ("400 Bad Request", "InternalFailure", "ZeroDivisionError('&lt;/Message&gt;')")


def test_a_cloud_that_is_full_takes_no_more_and_lets_go() -> None:
    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"<Code>done</Code>"]

    full = Bounded(application, is_full=lambda: True)

    assert answered(full, b"Action=RunInstances")[:2] == ("400 Bad Request", "LimitExceeded")
    assert answered(full, b"Action=TerminateInstances")[:2] == ("200 OK", "done")
    assert answered(full, b"Action=DescribeInstances")[:2] == ("200 OK", "done")


def answered(application: Bounded, body: bytes = b"Action=RunInstances") -> tuple[str, str, str]:
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": "Credential=local/20261127/eu-west-1/ec2/aws4_request",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    told = b"".join(application(environ, lambda status, _: said.append(status))).decode()
    return said[0], told.partition("<Code>")[2].partition("<")[0], told.partition("this: ")[2].partition("</Mess")[0]


def test_a_server_serves_so_many_at_once_and_others_when_they_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "_CONNECTIONS", 2)
    monkeypatch.setattr(Server, "_WAIT_SECONDS", 0.0)
    came, leave = threading.Semaphore(0), threading.Event()

    def busy(_: Any, start_response: Any) -> list[bytes]:
        came.release()
        leave.wait(10)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    server = serve("127.0.0.1", 0, busy)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    asking = [threading.Thread(target=is_served, args=(server.port,)) for _ in range(2)]
    for each in asking:
        each.start()
        assert came.acquire(timeout=10)

    assert not is_served(server.port)
    leave.set()
    for each in asking:
        each.join(10)

    deadline = time.monotonic() + 10
    while not (served := is_served(server.port)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert served
    server.shutdown()
    server.server_close()


def is_served(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (http.client.HTTPException, ConnectionError):
        return False
    finally:
        connection.close()


def test_a_load_of_the_worst_requests_leaves_the_memory_as_it_was(port: int) -> None:
    """Each of these made things by the million, one a request, before it was bounded."""
    many = 2**31 - 1
    ec2, dynamodb = client(port, "ec2"), client(port, "dynamodb")
    image = {"ImageId": IMAGE}
    worst = [
        lambda: ec2.run_instances(**image, MinCount=99_999, MaxCount=99_999),
        lambda: ec2.request_spot_instances(InstanceCount=many, LaunchSpecification=image),
        lambda: ec2.allocate_hosts(Quantity=many, AvailabilityZone="eu-west-1a", InstanceType="t3.small"),
        lambda: ec2.create_network_interface(SubnetId="subnet-1", SecondaryPrivateIpAddressCount=many),
        lambda: dynamodb.put_item(TableName="none", Item={"key": {"S": "x" * (MIB // 2)}}),
    ]
    for warm in worst:
        _refused(warm)
    before = resident()

    for turn in range(8):
        for ask in worst:
            _refused(ask)
        post(port, b"Action=DescribeInstances&Filter.999999999.Name=x&InstanceId.999999999=i-1&Version=2016-11-15")
        post(port, b"&".join(b"InstanceId.%d=i-%d" % (number, number) for number in range(4000)))
        post(port, b"Action=DescribeInstances&Version=2016-11-15", X_Moto_Account_Id=f"{turn:012}")
        post(port, b"Action=" + b"x" * (MIB - 100))

    assert resident() - before < 100 * MIB


def test_what_was_uploaded_is_on_the_disk_and_no_more_in_memory(port: int) -> None:
    s3 = client(port, "s3")
    s3.create_bucket(Bucket="large", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    body = bytes(20 * MIB)
    s3.put_object(Bucket="large", Key="first", Body=body)
    before = resident()

    for number in range(4):
        s3.put_object(Bucket="large", Key=str(number), Body=body)

    assert resident() - before < 50 * MIB


def _refused(ask: Any) -> None:
    with pytest.raises(ClientError) as refused:
        ask()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

"""The API behind the faults, without a machine: what an SDK meets over real connections."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError, ConnectionClosedError

from local_cloud.daemon.api import Api
from local_cloud.daemon.front import Front
from local_cloud.faults.fault import Fault, must_be_there
from local_cloud.faults.in_force import Faults
from local_cloud.faults.stale import Stale
from local_cloud.hooks.serving import application, serve


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Cloud:
    """moto behind the faults, at a port of its own. `slept` are the delays, which nobody waits for."""

    def __init__(self) -> None:
        self.clock, self.slept, self.saved = Clock(), list[float](), 0
        self.young: frozenset[str] = frozenset()
        self.faults = Faults(self.clock)
        stale = Stale(lambda _: self.young, self.clock)
        known = {"action": ["RegisterTargets", "DescribeKeyPairs"]}
        front = Front(
            Api(application(), self._save),
            self.faults,
            stale,
            dict,
            lambda f: must_be_there(f, known),
            self.slept.append,
        )
        self.server = serve("127.0.0.1", 0, front)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def _save(self) -> None:
        self.saved += 1

    def client(self, service: str, attempts: int = 1) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=f"http://127.0.0.1:{self.server.port}",
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=BotoConfig(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )

    def page(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=5)
        connection.request(method, path, body)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    for pair in cloud.client("ec2").describe_key_pairs()["KeyPairs"]:
        cloud.client("ec2").delete_key_pair(KeyName=pair["KeyName"])
    cloud.server.shutdown()
    cloud.server.server_close()


@pytest.mark.parametrize(
    ("service", "call", "throttled", "failing"),
    [
        ("ec2", "describe_key_pairs", (503, "RequestLimitExceeded"), (500, "InternalError")),
        ("autoscaling", "describe_auto_scaling_groups", (400, "Throttling"), (500, "InternalFailure")),
        ("elbv2", "describe_load_balancers", (400, "Throttling"), (500, "InternalFailure")),
        (
            "dynamodb",
            "list_tables",
            (400, "ProvisionedThroughputExceededException"),
            (500, "InternalServerError"),
        ),
        ("s3", "list_buckets", (503, "SlowDown"), (500, "InternalError")),
    ],
)
def test_each_service_refuses_in_its_own_words(
    cloud: Cloud, service: str, call: str, throttled: tuple[int, str], failing: tuple[int, str]
) -> None:
    def refused() -> tuple[int, str]:
        with pytest.raises(ClientError) as error:
            getattr(cloud.client(service), call)()
        return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]

    cloud.faults.add(Fault("throttled", times=1))
    cloud.faults.add(Fault("failing", times=1))

    assert refused() == throttled
    assert refused() == failing
    assert getattr(cloud.client(service), call)()
    assert sum(cloud.page("GET", "/bakeroll/calls")[1]["counts"].values()) == 1  # what was refused was not carried out


def test_a_lost_call_was_carried_out(cloud: Cloud) -> None:
    cloud.faults.add(Fault("lost", action="CreateKeyPair", times=1))

    with pytest.raises(ConnectionClosedError):
        cloud.client("ec2").create_key_pair(KeyName="lost")

    assert [each["KeyName"] for each in cloud.client("ec2").describe_key_pairs()["KeyPairs"]] == ["lost"]
    assert cloud.saved == 1


def test_a_slow_call_is_answered_after_its_delay(cloud: Cloud) -> None:
    cloud.faults.add(Fault("slow", after=3, times=1))

    cloud.client("ec2").describe_key_pairs()
    cloud.client("ec2").describe_key_pairs()

    assert cloud.slept == [3]


def test_a_stale_call_shows_a_change_when_it_is_old_enough(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    cloud.faults.add(Fault("stale", action="Describe*", after=5))
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    ec2.create_key_pair(KeyName="new")

    cloud.clock.now = 4.9
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    cloud.clock.now = 5

    assert [each["KeyName"] for each in ec2.describe_key_pairs()["KeyPairs"]] == ["new"]


def test_a_stale_answer_is_not_given_to_another_question(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    ec2.create_key_pair(KeyName="one")
    ec2.create_key_pair(KeyName="two")
    cloud.faults.add(Fault("stale", action="Describe*", after=5))

    found = [ec2.describe_key_pairs(KeyNames=[name])["KeyPairs"][0]["KeyName"] for name in ("one", "two")]

    assert found == ["one", "two"]


def test_a_stale_answer_ends_when_an_instance_comes_of_age(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    cloud.faults.add(Fault("stale", action="Describe*", after=5))
    cloud.young = frozenset({"i-1"})
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    ec2.create_key_pair(KeyName="new")

    cloud.young = frozenset()

    assert len(ec2.describe_key_pairs()["KeyPairs"]) == 1


def test_an_error_is_not_given_again(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    cloud.faults.add(Fault("stale", action="Describe*", after=5))
    with pytest.raises(ClientError, match=r"InvalidKeyPair\.NotFound"):
        ec2.describe_key_pairs(KeyNames=["new"])

    ec2.create_key_pair(KeyName="new")

    assert ec2.describe_key_pairs(KeyNames=["new"])["KeyPairs"]


def test_what_was_carried_out_is_told_in_its_order(cloud: Cloud) -> None:
    cloud.client("ec2").create_key_pair(KeyName="new")
    cloud.client("dynamodb").list_tables()
    with pytest.raises(ClientError):
        cloud.client("ec2").create_key_pair(KeyName="new")

    assert cloud.page("GET", "/bakeroll/calls") == (
        200,
        {
            "counts": {"dynamodb:ListTables": 1, "ec2:CreateKeyPair": 2},
            "latest": ["ec2:CreateKeyPair", "dynamodb:ListTables", "ec2:CreateKeyPair"],
        },
    )


def test_faults_are_set_told_and_ended_by_the_page(cloud: Cloud) -> None:
    asked = json.dumps({"kind": "throttled", "action": "RegisterTargets", "times": 3})
    assert cloud.page("POST", "/bakeroll/faults", asked) == (
        200,
        {"fault": "throttled --action=RegisterTargets --times=3"},
    )
    _, told = cloud.page("GET", "/bakeroll/faults")
    assert [each["fault"] for each in told] == ["throttled --action=RegisterTargets --times=3"]

    assert cloud.page("DELETE", "/bakeroll/faults") == (200, {"ended": 1})

    assert cloud.page("GET", "/bakeroll/faults") == (200, [])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/bakeroll/faults", '{"kind": "lost", "tmes": 1}', 400, "Did you mean “times”?"),
        ("POST", "/bakeroll/faults", '{"kind": "lost", "action": "RegisterTarget"}', 400, "mean “RegisterTargets”?"),
        ("POST", "/bakeroll/faults", "[]", 400, "with a JSON object"),
        ("POST", "/bakeroll/faults", "lost", 400, "with a JSON object"),
        ("PUT", "/bakeroll/faults", "{}", 405, "no such method"),
        ("DELETE", "/bakeroll/calls", None, 405, "no such method"),
    ],
)
def test_what_the_pages_do_not_take_is_refused_and_nothing_set(
    cloud: Cloud, method: str, path: str, body: str | None, status: int, message: str
) -> None:
    answered, told = cloud.page(method, path, body)

    assert answered == status
    assert message in told["message"]
    assert cloud.faults.status() == []

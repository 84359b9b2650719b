"""The local cloud's API under requests that nobody would send: whatever is asked, the answer is the service's own.

In this process, as it is served but for the machines, which are made up.
"""

import logging
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from local_cloud.daemon.api import Api
from local_cloud.daemon.bounded import Bounded
from local_cloud.hooks import catalogue, hooking
from local_cloud.hooks.serving import application
from tests.fuzz.aws_requests import MODELS, SERVICES, error_code, request_of, send
from tests.local_cloud.world import IMAGE, FakeCloud, World

pytestmark = pytest.mark.no_cover  # the same lines again and again, three times slower where they are counted

MOST_BYTES = 512 * 1024**2
# They answer with hundreds of instance types, which takes moto seconds.
SLOW = {"DescribeInstanceTypes", "DescribeInstanceTypeOfferings", "DescribeSpotPriceHistory"}
OPERATIONS = {name: sorted(set(MODELS[name].operation_names) - SLOW) for name in SERVICES}


@dataclass
class Served:
    """The API, and names and ids of what is in it. `bytes` are those of this process when it was made."""

    api: Bounded
    known: list[str]
    bytes: int


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        logging.disable(logging.CRITICAL)
        cloud = FakeCloud()
        cloud.left = 20
        catalogue.install(cloud)
        try:
            yield Served(Bounded(Api(application(), lambda: None)), _filled(World(cloud)), _resident())
        finally:
            hooking.remove()
            logging.disable(logging.NOTSET)


@settings(deadline=None)  # moto imports what a service needs when it is asked the first time
@given(st.data())
@pytest.mark.parametrize("service", SERVICES)
def test_every_request_is_answered_in_the_services_own_form(served: Served, service: str, data: st.DataObject) -> None:
    operation = MODELS[service].operation_model(data.draw(st.sampled_from(OPERATIONS[service])))
    chance = random.Random(data.draw(st.integers(0, 2**32)))  # noqa: S311 - what it makes is to be odd, not secret
    wire = request_of(operation, chance, served.known)

    status, headers, body = send(served.api, operation, wire)

    assert status < 500, (wire, status, body)
    assert not body[:100].lstrip().lower().startswith((b"<!doctype html", b"<html")), (wire, body)
    assert status < 400 or error_code(operation, status, headers, body), (wire, status, body)
    assert _resident() - served.bytes < MOST_BYTES, wire


def _filled(world: World) -> list[str]:
    """A fleet, a bucket and a table, so that not all is refused for what is not there."""
    world.listen()
    world.scale()
    session = boto3.Session("local", "local", region_name="eu-west-1")
    session.client("s3").create_bucket(Bucket="links", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    session.client("s3").put_object(Bucket="links", Key="links", Body=b"links")
    session.client("dynamodb").create_table(
        TableName="links",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    session.client("elb").create_load_balancer(
        LoadBalancerName="links",
        Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 8000}],
        Subnets=[world.subnets["eu-west-1a"]],
    )
    arns = [world.group, world.balancer["LoadBalancerArn"]]
    return [
        "links",
        "links",
        "key",
        "1",
        IMAGE,
        "eu-west-1a",
        "10.77.16.0/20",
        *world.members(),
        *world.subnets.values(),
        *arns,
    ]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

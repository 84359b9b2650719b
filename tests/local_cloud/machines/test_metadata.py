import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from local_cloud.machines.http import Head, Malformed, parse_head
from local_cloud.machines.metadata import Facts, MetadataService, find, tree

FACTS = Facts(
    instance="i-1",
    image="ami-1",
    instance_type="t3.small",
    zone="eu-west-1b",
    private_address="10.77.16.4",
    public_address="",
    hostname="ip-10-77-16-4.eu-west-1.compute.internal",
    public_hostname="",
    mac="02:00:00:00:00:01",
    subnet="subnet-1",
    vpc="vpc-1",
    launched_at=datetime(2026, 11, 21, tzinfo=UTC),
    security_groups=(("sg-1", "default"), ("sg-2", "web")),
    key=("mine", "ssh-ed25519 AAAA mine"),
    user_data=b"\x00binary",
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Service(MetadataService):
    def __init__(self, facts: Facts | None) -> None:
        self.clock = Clock()
        super().__init__(lambda: facts, self.clock)

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        head, _, body = self.respond(Head(method, path, named)).partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def token(self, ttl: str = "60") -> str:
        status, body = self.ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds=ttl)
        assert status == 200
        return body.decode()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/latest/meta-data/instance-id", "i-1"),
        ("/2021-03-23/meta-data/ami-id", "ami-1"),
        ("/latest/meta-data/placement/", "availability-zone\navailability-zone-id\nregion"),
        ("/latest/meta-data/placement", "availability-zone\navailability-zone-id\nregion"),
        ("/latest/meta-data/placement/availability-zone-id", "euw1-az2"),
        ("/latest/meta-data/public-keys/", "0=mine"),
        ("/latest/meta-data/public-keys/0", "openssh-key"),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA mine"),
        ("/latest/meta-data/security-groups", "default\nweb"),
        ("/latest/meta-data/network/interfaces/macs/", "02:00:00:00:00:01/"),
        ("/latest/", "dynamic/\nmeta-data/\nuser-data"),
        ("/latest/user-data", "\x00binary"),
    ],
)
def test_a_file_is_its_text_and_a_directory_is_its_list(path: str, text: str) -> None:
    assert find(tree(FACTS), path) == text.encode()


@pytest.mark.parametrize("path", ["nothing", "public-ipv4", "tags", "instance-id/more"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert find(tree(FACTS), f"/latest/meta-data/{path}") is None


def test_tags_are_there_where_they_are_enabled() -> None:
    assert find(tree(replace(FACTS, tags={"Name": "web"})), "/latest/meta-data/tags/instance/Name") == b"web"


def test_no_user_data_is_not_found() -> None:
    assert Service(replace(FACTS, user_data=b"")).ask("GET", "/latest/user-data")[0] == 404


def test_the_identity_document_names_the_instance() -> None:
    document = find(tree(FACTS), "/latest/dynamic/instance-identity/document")

    assert document
    assert json.loads(document)["instanceId"] == "i-1"


def test_a_token_is_good_until_it_expires() -> None:
    service = Service(FACTS)
    token = service.token("60")
    assert service.ask("GET", "/latest/meta-data/instance-id", x_aws_ec2_metadata_token=token) == (200, b"i-1")

    service.clock.now = 61

    assert service.ask("GET", "/latest/meta-data/instance-id", x_aws_ec2_metadata_token=token)[0] == 401


def test_version_1_serves_only_where_tokens_are_optional() -> None:
    assert Service(FACTS).ask("GET", "/latest/meta-data/instance-id")[0] == 200
    assert Service(replace(FACTS, tokens_required=True)).ask("GET", "/latest/meta-data/instance-id")[0] == 401


@pytest.mark.parametrize("ttl", ["", "0", "21601", "soon"])
def test_a_token_needs_a_sensible_time_to_live(ttl: str) -> None:
    service = Service(FACTS)

    assert service.ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds=ttl)[0] == 400


def test_a_token_is_not_given_through_a_proxy() -> None:
    asked = {"x_aws_ec2_metadata_token_ttl_seconds": "60", "x_forwarded_for": "10.0.0.1"}

    assert Service(FACTS).ask("PUT", "/latest/api/token", **asked)[0] == 403


def test_a_disabled_service_answers_nobody() -> None:
    assert Service(replace(FACTS, enabled=False)).ask("GET", "/latest/meta-data/")[0] == 403


def test_only_reading_is_allowed() -> None:
    assert Service(FACTS).ask("POST", "/latest/meta-data/")[0] == 405
    assert Service(FACTS).ask("HEAD", "/latest/meta-data/instance-id") == (200, b"")


@pytest.mark.parametrize(
    "raw", [b"hello\r\n\r\n", b"GET / HTTP/2\r\n\r\n", b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_head(raw)

"""The instance metadata service, versions 1 and 2, as an instance finds it at 169.254.169.254.

After https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html. What is answered is
a pure function of the facts, the request and the tokens given out; `Inside` brings the requests.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_cloud.config import ACCOUNT, REGION
from local_cloud.machines.http import Head, Malformed, answer, read_head

_TOKEN = "x-aws-ec2-metadata-token"  # noqa: S105 - a header's name
_TTL = "x-aws-ec2-metadata-token-ttl-seconds"
_MAX_TTL = 21600
_VERSIONS = ("1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest")

Tree = Mapping[str, Any]
"""Directories as mappings, files as text."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an instance may know about itself. `tags` is None unless they are enabled in metadata."""

    instance: str
    image: str
    instance_type: str
    zone: str
    private_address: str
    public_address: str
    hostname: str
    public_hostname: str
    mac: str
    subnet: str
    vpc: str
    launched_at: datetime
    reservation: str = ""
    launch_index: int = 0
    architecture: str = "x86_64"
    security_groups: tuple[tuple[str, str], ...] = ()
    key: tuple[str, str] | None = None
    user_data: bytes = b""
    tags: Mapping[str, str] | None = None
    tokens_required: bool = False
    enabled: bool = True
    life_cycle: str = "on-demand"


class MetadataService:
    """The service of one instance; session tokens live as long as it does."""

    def __init__(self, facts: Callable[[], Facts | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._facts, self._clock = facts, clock
        self._tokens: dict[str, float] = {}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self.respond(await read_head(reader)))
            await writer.drain()
        except Malformed:
            writer.write(answer(400))
        except (EOFError, ConnectionError):
            pass
        finally:
            with suppress(ConnectionError):
                writer.close()

    def respond(self, head: Head) -> bytes:
        facts = self._facts()
        if facts is None:
            return answer(404)
        if not facts.enabled:
            return answer(403)
        path = head.target.partition("?")[0]
        if head.method == "PUT":
            return self._give_token(head) if path == "/latest/api/token" else answer(405)
        if head.method not in ("GET", "HEAD"):
            return answer(405)
        if not self._may_read(facts, head):
            return answer(401)
        body = find(tree(facts), path)
        found = answer(404, b"404 - Not Found\n") if body is None else answer(200, body)
        return found if head.method == "GET" else found.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def _give_token(self, head: Head) -> bytes:
        if "x-forwarded-for" in head.headers:  # a token must not reach out of the instance through a proxy
            return answer(403)
        ttl = head.headers.get(_TTL, "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= _MAX_TTL:
            return answer(400)
        now = self._clock()
        self._tokens = {token: expiry for token, expiry in self._tokens.items() if expiry > now}
        token = secrets.token_urlsafe(40)
        self._tokens[token] = now + int(ttl)
        return answer(200, token.encode(), {_TTL: ttl})

    def _may_read(self, facts: Facts, head: Head) -> bool:
        token = head.headers.get(_TOKEN)
        if token is None:
            return not facts.tokens_required
        return self._tokens.get(token, 0) > self._clock()


def find(root: Tree, path: str) -> bytes | None:
    """The file at `path`, or the list of the directory there; None where there is nothing."""
    node: Any = root
    for part in filter(None, path.split("/")):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    if isinstance(node, Mapping):
        return "\n".join(_entry(name, child) for name, child in node.items()).encode()
    return node if isinstance(node, bytes) else str(node).encode()


def _entry(name: str, child: Any) -> str:
    # The one directory that lists what its entries are called: "0=my-key".
    if isinstance(child, _Key):
        return f"{name}={child.name}"
    return f"{name}/" if isinstance(child, Mapping) else name


class _Key(dict[str, str]):
    def __init__(self, name: str, text: str) -> None:
        super().__init__({"openssh-key": text})
        self.name = name


def tree(facts: Facts) -> Tree:
    """All that the service tells, by version of the service."""
    latest: dict[str, Any] = {"dynamic": _dynamic(facts), "meta-data": _metadata(facts)}
    if facts.user_data:
        latest["user-data"] = facts.user_data
    return dict.fromkeys(_VERSIONS, latest)


def _metadata(facts: Facts) -> Tree:
    found: dict[str, Any] = {
        "ami-id": facts.image,
        "ami-launch-index": facts.launch_index,
        "ami-manifest-path": "(unknown)",
        "hostname": facts.hostname,
        "instance-action": "none",
        "instance-id": facts.instance,
        "instance-life-cycle": facts.life_cycle,
        "instance-type": facts.instance_type,
        "local-hostname": facts.hostname,
        "local-ipv4": facts.private_address,
        "mac": facts.mac,
        "network": {"interfaces": {"macs": {facts.mac: _interface(facts)}}},
        "placement": {
            "availability-zone": facts.zone,
            "availability-zone-id": f"euw1-az{'abc'.find(facts.zone[-1]) + 1}",
            "region": REGION,
        },
        "profile": "default-hvm",
        "reservation-id": facts.reservation,
        "security-groups": "\n".join(name for _, name in facts.security_groups),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if facts.public_address:
        found |= {"public-hostname": facts.public_hostname, "public-ipv4": facts.public_address}
    if facts.key:
        name, text = facts.key
        found["public-keys"] = {"0": _Key(name, text)}
    if facts.tags is not None:
        found["tags"] = {"instance": dict(facts.tags)}
    return found


def _interface(facts: Facts) -> Tree:
    found = {
        "device-number": "0",
        "local-hostname": facts.hostname,
        "local-ipv4s": facts.private_address,
        "mac": facts.mac,
        "owner-id": ACCOUNT,
        "security-group-ids": "\n".join(identity for identity, _ in facts.security_groups),
        "security-groups": "\n".join(name for _, name in facts.security_groups),
        "subnet-id": facts.subnet,
        "vpc-id": facts.vpc,
    }
    return found | ({"public-ipv4s": facts.public_address} if facts.public_address else {})


def _dynamic(facts: Facts) -> Tree:
    document = {
        "accountId": ACCOUNT,
        "architecture": facts.architecture,
        "availabilityZone": facts.zone,
        "imageId": facts.image,
        "instanceId": facts.instance,
        "instanceType": facts.instance_type,
        "pendingTime": facts.launched_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "privateIp": facts.private_address,
        "region": REGION,
        "version": "2017-09-30",
    }
    return {"instance-identity": {"document": json.dumps(document, indent=2)}}

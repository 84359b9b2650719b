"""Where one local cloud lives, and what everything of it is called.

Several clouds run side by side on a machine when their state, bridge, network and port differ: every
network namespace, interface and cgroup bears the name of its cloud's bridge.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from local_cloud.errors import LocalCloudError

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
_NETWORK = IPv4Network("10.77.0.0/16")
# Those that are anybody's to use (RFC 1918); loopback and link-local addresses are private, too, and taken.
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


@dataclass(frozen=True, slots=True)
class Config:
    """One cloud.

    `cache` holds the source image, and several clouds may share it. `command` is what a person types before the name of
    a subcommand; messages quote it, and a program that runs the command for people sets it to its own.
    """

    state: Path = Path("/var/lib/bakeroll")
    cache: Path = Path("/var/cache/bakeroll")
    bridge: str = "bakeroll0"
    network: IPv4Network = _NETWORK
    port: int = 5600
    command: str = "python -m local_cloud "

    @property
    def gateway(self) -> IPv4Address:
        return self.network[1]

    @property
    def balancer_network(self) -> IPv4Network:
        """Where load balancers get their addresses."""
        return self._part(1, 24)

    @property
    def public_network(self) -> IPv4Network:
        """Where instances get their public addresses: they are reachable from this machine alone."""
        return self._part(64, 18)

    @property
    def subnets(self) -> dict[str, IPv4Network]:
        """The default VPC's default subnets, by zone."""
        return {zone: self._part(16 * (1 + index), 20) for index, zone in enumerate(ZONES)}

    @property
    def log(self) -> Path:
        return self.state / "daemon.log"

    @property
    def lock(self) -> Path:
        """Held by the daemon as long as it lives; holds its process id and its port."""
        return self.state / "lock"

    @property
    def instances(self) -> Path:
        return self.state / "instances"

    def _part(self, third: int, length: int) -> IPv4Network:
        return IPv4Network((int(self.network.network_address) + (third << 8), length))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the API answers."""

    url: str
    region: str = REGION

    def environment(self) -> dict[str, str]:
        """What to export for every AWS client (SDKs, Packer, the aws command) to talk to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }


def gateway_url(config: Config) -> str:
    """Where instances read from S3."""
    return f"http://{config.gateway}:{config.port}"


def endpoint(config: Config) -> Endpoint:
    """Where the API of a cloud answers."""
    return Endpoint(f"http://127.0.0.1:{config.port}")


def from_environment(environment: Mapping[str, str] | None = None) -> Config:
    """The cloud that BAKEROLL_LOCAL_{STATE,CACHE,BRIDGE,NETWORK,PORT,COMMAND} describe. Raises LocalCloudError."""
    given = os.environ if environment is None else environment
    default = Config()
    try:
        return Config(
            state=Path(given.get("BAKEROLL_LOCAL_STATE", default.state)).absolute(),
            cache=Path(given.get("BAKEROLL_LOCAL_CACHE", default.cache)).absolute(),
            bridge=_bridge(given.get("BAKEROLL_LOCAL_BRIDGE", default.bridge)),
            network=_network(given.get("BAKEROLL_LOCAL_NETWORK", str(default.network))),
            port=_port(given.get("BAKEROLL_LOCAL_PORT", str(default.port))),
            command=given.get("BAKEROLL_LOCAL_COMMAND", default.command),
        )
    except ValueError as error:
        raise LocalCloudError(f"The local cloud's settings: {error}.") from None


def to_environment(config: Config) -> dict[str, str]:
    """The variables that `from_environment` reads this very cloud from."""
    return {
        "BAKEROLL_LOCAL_STATE": str(config.state),
        "BAKEROLL_LOCAL_CACHE": str(config.cache),
        "BAKEROLL_LOCAL_BRIDGE": config.bridge,
        "BAKEROLL_LOCAL_NETWORK": str(config.network),
        "BAKEROLL_LOCAL_PORT": str(config.port),
        "BAKEROLL_LOCAL_COMMAND": config.command,
    }


def _bridge(name: str) -> str:
    # An interface's name has at most 15 characters; it is also part of namespaces' and cgroups' names.
    if not re.fullmatch(r"[a-z][a-z0-9]{0,13}", name):
        raise ValueError(f"BAKEROLL_LOCAL_BRIDGE={name} is no name of at most 14 small letters and digits")
    return name


def _network(text: str) -> IPv4Network:
    network = IPv4Network(text)
    if network.prefixlen != 16 or not any(map(network.subnet_of, _PRIVATE)):
        private = ", ".join(map(str, _PRIVATE))
        raise ValueError(f"BAKEROLL_LOCAL_NETWORK={text} is no /16 network of {private}")
    return network


def _port(text: str) -> int:
    port = int(text) if re.fullmatch("[0-9]{4,5}", text) else 0
    if not 1024 <= port <= 65535:
        raise ValueError(f"BAKEROLL_LOCAL_PORT={text} is no port from 1024 to 65535")
    return port

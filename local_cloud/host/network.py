"""The cloud's network: one bridge, and a network namespace for each instance.

An instance reaches the gateway and its neighbours over the bridge, and nothing else: it has no default
route. Owns interfaces, namespaces and routes; leaves what listens inside a namespace to others.
"""

import ctypes
import hashlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, TypeVar

from local_cloud.config import Config
from local_cloud.programs import Run, run

LINK_LOCAL = "169.254.169.254"
T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_NAMESPACES = Path("/run/netns")


class Network:
    """The bridge of one cloud and what hangs on it."""

    def __init__(self, config: Config, run: Run = run) -> None:
        self._config, self._run = config, run

    def start(self) -> None:
        config = self._config
        bridge = config.bridge
        commands = (
            f"link add {bridge} type bridge forward_delay 0",
            f"link set {bridge} alias {_alias(config)} addrgenmode none",  # no IPv6 address: nothing answers there
            f"addr add {config.gateway}/{config.network.prefixlen} dev {bridge}",
            f"link set {bridge} up",
        )
        self._run(["ip", "-batch", "-"], stdin="\n".join(commands) + "\n")
        _answer_for_own_addresses(bridge)

    def stop(self) -> None:
        remove(self._config)

    def add_address(self, address: str) -> None:
        """Put an address (a load balancer's) on the bridge, so that this machine answers there."""
        self._ip("addr", "replace", f"{address}/32", "dev", self._config.bridge)

    def remove_address(self, address: str) -> None:
        with suppress(Exception):
            self._ip("addr", "del", f"{address}/32", "dev", self._config.bridge)

    def attach(self, instance: str, addresses: Sequence[str]) -> None:
        """Make the namespace of `instance`, holding `addresses` (the private one first) and the metadata address."""
        bridge, namespace = self._config.bridge, namespace_of(self._config.bridge, instance)
        veth = f"v{instance.removeprefix('i-')[-13:]}"
        self._ip("netns", "add", namespace)
        self._ip(
            "link", "add", veth, "master", bridge, "up", "type", "veth", "peer", "name", "eth0", "netns", namespace
        )
        _inside(namespace, lambda: _answer_for_own_addresses("all"))
        inside = ["link set lo up", f"addr add {LINK_LOCAL}/32 dev lo", "link set eth0 up"]
        inside += [f"addr add {address}/32 dev eth0" for address in addresses]
        inside += [f"route add {self._config.network} dev eth0 src {addresses[0]}"]
        self._run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(inside) + "\n")
        for address in self._foreign(addresses):
            self._ip("route", "replace", f"{address}/32", "dev", bridge)

    def detach(self, instance: str, addresses: Sequence[str]) -> None:
        """Undo `attach`. The interfaces go when nothing has a socket in the namespace any more."""
        for address in self._foreign(addresses):
            with suppress(Exception):
                self._ip("route", "del", f"{address}/32", "dev", self._config.bridge)
        with suppress(Exception):
            self._ip("netns", "del", namespace_of(self._config.bridge, instance))

    def listen(self, instance: str, port: int) -> socket.socket:
        """A socket at the metadata address inside the namespace of `instance`: no other instance reaches it."""
        return _inside(namespace_of(self._config.bridge, instance), lambda: _listener(LINK_LOCAL, port))

    def _foreign(self, addresses: Iterable[str]) -> list[str]:
        """Those outside the bridge's own network: another VPC's. They need a route."""
        return [address for address in addresses if IPv4Address(address) not in self._config.network]

    def _ip(self, *arguments: str) -> None:
        self._run(["ip", *arguments])


def namespace_of(bridge: str, instance: str) -> str:
    """The name of an instance's network namespace."""
    return f"{bridge}-{instance}"


def namespaces(bridge: str) -> list[str]:
    """The namespaces of the cloud with this bridge."""
    return sorted(path.name for path in _NAMESPACES.glob(f"{bridge}-i-*"))


def remove(config: Config) -> None:
    """Remove the bridge and all namespaces of a cloud, if there are any. Routes go with the bridge."""
    for namespace in namespaces(config.bridge):
        subprocess.run(["ip", "netns", "del", namespace], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["ip", "link", "del", config.bridge], check=False, stderr=subprocess.DEVNULL)


def is_foreign(config: Config) -> bool:
    """Whether the bridge's name is that of an interface which this cloud, by its state's directory, has not made."""
    found = [each for each in interfaces() if each["ifname"] == config.bridge]
    return any(each.get("ifalias") != _alias(config) for each in found)


def _alias(config: Config) -> str:
    return f"bakeroll:{hashlib.sha256(str(config.state).encode()).hexdigest()[:16]}"


def interfaces() -> list[dict[str, Any]]:
    """All interfaces of this machine with their addresses, as `ip -json -details` shows them."""
    told = subprocess.run(["ip", "-json", "-details", "addr"], check=True, capture_output=True, text=True).stdout
    found: list[dict[str, Any]] = json.loads(told)
    return found


def networks_in_use(network: IPv4Network, but: str) -> list[str]:
    """Interfaces (but the one named `but`) that have an address in `network`."""
    return [
        each["ifname"]
        for each in interfaces()
        for address in each["addr_info"]
        if each["ifname"] != but and address["family"] == "inet"
        if network.overlaps(IPv4Network((address["local"], address["prefixlen"]), strict=False))
        and address["prefixlen"] > 8
    ]


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(64)
    return listener


def _answer_for_own_addresses(interface: str) -> None:
    """Answer ARP for an interface's own addresses alone (arp_ignore in the kernel's ip-sysctl.rst).

    Else a neighbour that binds a socket to its interface reaches our other addresses, the metadata service's too.
    """
    with suppress(OSError):  # a container whose /proc/sys cannot be written
        Path(f"/proc/sys/net/ipv4/conf/{interface}/arp_ignore").write_text("1")


def _inside(namespace: str, make: Callable[[], T]) -> T:
    """Call `make` in a network namespace. Only a thread of its own moves there (setns(2)); a socket stays bound."""
    made: list[T] = []
    failed: list[OSError] = []

    def enter() -> None:
        descriptor = os.open(_NAMESPACES / namespace, os.O_RDONLY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {namespace}")
            made.append(make())
        except OSError as error:
            failed.append(error)
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]

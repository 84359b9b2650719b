"""The instances' only way out: a forward proxy for apt, so that no packet of theirs is routed by this machine.

It refuses whatever is this machine itself (its loopback, its bridges, its own addresses): an instance has
no business with the services that run beside the cloud. Names are resolved by this machine, and where it
has a proxy of its own (http_proxy), that one is asked.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address
from urllib.parse import urlsplit

from local_cloud.machines.http import Head, Malformed, answer, read_head

_CONNECT_LIMIT = 20.0
_RESOLVE_LIMIT = 0.5
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request to the proxy wants to go."""

    host: str
    port: int


class Refused(Exception):
    """A destination that no instance may reach through the proxy."""


class Proxy:
    """`network` is the cloud's own; `environment` names this machine's proxy, if it has one."""

    def __init__(self, network: IPv4Network, environment: Mapping[str, str]) -> None:
        self._network = network
        self._upstream = upstream(environment)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (EOFError, ConnectionError):
            pass
        except (Malformed, ValueError):
            writer.write(answer(400, b"not a request to a proxy\n"))
        except Refused as error:
            writer.write(answer(403, f"{error}\n".encode()))
        except (OSError, TimeoutError) as error:
            writer.write(answer(502, f"{error}\n".encode()))
        finally:
            with suppress(ConnectionError):
                await writer.drain()
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        destination = destination_of(head)
        there, out = await self._connect(destination)
        try:
            if head.method == "CONNECT" and not self._upstream:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                out.write(forwarded(head, through_proxy=self._upstream is not None))
            await asyncio.gather(_pump(reader, out), _pump(there, writer))
        finally:
            out.close()

    async def _connect(self, destination: Destination) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._upstream:
            with suppress(socket.gaierror, TimeoutError):  # what only the upstream proxy can resolve is none of ours
                await asyncio.wait_for(self._resolve(destination), _RESOLVE_LIMIT)
            target, addresses = self._upstream, [self._upstream.host]
        else:
            target, addresses = destination, await self._resolve(destination)
        connecting = asyncio.open_connection(addresses[0], target.port)
        return await asyncio.wait_for(connecting, _CONNECT_LIMIT)

    async def _resolve(self, destination: Destination) -> list[str]:
        """Addresses to connect to; checked here, after resolving, so that no name can hide what it means."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        for address in addresses:
            if self._is_ours(address):
                raise Refused(f"{destination.host} is the machine that runs this cloud")
        return addresses

    def _is_ours(self, text: str) -> bool:
        address = ip_address(text.split("%")[0])
        if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
            return True
        return address in self._network or is_local(text)


def upstream(environment: Mapping[str, str]) -> Destination | None:
    """This machine's own proxy for HTTP."""
    url = environment.get("http_proxy") or environment.get("HTTP_PROXY")
    if not url:
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return Destination(parts.hostname or "", parts.port or 80)


def destination_of(head: Head) -> Destination:
    """Where a request to a proxy wants to go; ValueError for a request to a server."""
    parts = urlsplit(f"//{head.target}" if head.method == "CONNECT" else head.target)
    if not parts.hostname or (head.method != "CONNECT" and parts.scheme != "http"):
        raise ValueError(head.target)
    return Destination(parts.hostname, parts.port or (443 if head.method == "CONNECT" else 80))


def forwarded(head: Head, *, through_proxy: bool) -> bytes:
    """The head as it goes on: one request a connection, so that the end of the answer is the end of the stream."""
    parts = urlsplit(head.target)
    origin = parts.path + (f"?{parts.query}" if parts.query else "")
    target = head.target if through_proxy else origin or "/"
    kept = {k: v for k, v in head.headers.items() if k not in ("connection", "proxy-connection", "keep-alive")}
    if head.method != "CONNECT":
        kept["connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
    return f"{head.method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def is_local(address: str) -> bool:
    """Whether `address` is one of this machine's own: only those can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as trial:
        try:
            trial.bind((address, 0))
        except OSError:
            return False
    return True


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    with suppress(OSError, RuntimeError):
        sink.write_eof()

import asyncio
from collections.abc import Mapping
from ipaddress import IPv4Network

import pytest

from local_cloud.machines.http import Head
from local_cloud.machines.proxy import Destination, Proxy, destination_of, forwarded, is_local, upstream

NETWORK = IPv4Network("10.77.0.0/16")


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def through(request: bytes, environment: Mapping[str, str]) -> bytes:
    server = await asyncio.start_server(Proxy(NETWORK, environment).handle, "127.0.0.1", 0)
    async with server:
        return await asyncio.wait_for(exchange(server.sockets[0].getsockname()[1], request), 10)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.77.0.1", "169.254.169.254", "0"])
def test_this_machine_and_the_cloud_itself_are_refused(host: str) -> None:
    for request in (f"GET http://{host}:5600/ HTTP/1.1\r\n\r\n", f"CONNECT {host}:22 HTTP/1.1\r\n\r\n"):
        assert asyncio.run(through(request.encode(), {})).startswith(b"HTTP/1.1 403")


def test_a_request_to_a_server_is_none_to_a_proxy() -> None:
    assert asyncio.run(through(b"GET / HTTP/1.1\r\n\r\n", {})).startswith(b"HTTP/1.1 400")


def test_this_machines_own_proxy_is_asked_where_it_has_one() -> None:
    async def scenario() -> tuple[bytes, bytes]:
        seen: list[bytes] = []

        async def above(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
            writer.close()

        server = await asyncio.start_server(above, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            request = b"GET http://deb.example.org/x HTTP/1.1\r\nHost: deb.example.org\r\n\r\n"
            return await through(request, {"http_proxy": f"http://127.0.0.1:{port}"}), seen[0]

    answer, asked = asyncio.run(scenario())

    assert answer.endswith(b"hello")
    assert asked.startswith(b"GET http://deb.example.org/x HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("method", "target", "destination"),
    [
        ("GET", "http://deb.example.org/debian/x", Destination("deb.example.org", 80)),
        ("GET", "http://deb.example.org:8080/", Destination("deb.example.org", 8080)),
        ("CONNECT", "deb.example.org:443", Destination("deb.example.org", 443)),
    ],
)
def test_the_destination_is_read_from_the_request(method: str, target: str, destination: Destination) -> None:
    assert destination_of(Head(method, target, {})) == destination


def test_a_request_goes_on_as_one_to_the_server_itself() -> None:
    head = Head("GET", "http://deb.example.org/a?b=c", {"host": "deb.example.org", "proxy-connection": "keep-alive"})

    raw = forwarded(head, through_proxy=False)

    assert raw == b"GET /a?b=c HTTP/1.1\r\nhost: deb.example.org\r\nconnection: close\r\n\r\n"


def test_the_upstream_proxy_is_read_from_the_environment() -> None:
    assert upstream({}) is None
    assert upstream({"http_proxy": "http://proxy.example.org:8080/"}) == Destination("proxy.example.org", 8080)
    assert upstream({"HTTP_PROXY": "proxy.example.org"}) == Destination("proxy.example.org", 80)


def test_only_this_machines_addresses_are_local() -> None:
    assert is_local("127.0.0.1")
    assert not is_local("198.51.100.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_refused_also_where_another_proxy_would_be_asked(host: str) -> None:
    environment = {"http_proxy": "http://127.0.0.1:9"}  # nobody listens at the port “discard”
    for request in (f"GET http://{host}:5600/ HTTP/1.1\r\n\r\n", f"CONNECT {host}:22 HTTP/1.1\r\n\r\n"):
        assert asyncio.run(through(request.encode(), environment)).startswith(b"HTTP/1.1 403")

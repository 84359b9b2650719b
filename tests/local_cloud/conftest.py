"""Targets without a machine: small HTTP servers on loopback addresses of their own."""

import http.server
import threading
import time
from collections.abc import Iterator

import pytest
from moto import mock_aws

from local_cloud.hooks import catalogue, hooking
from tests.local_cloud.world import FakeCloud, World


class Answering(http.server.ThreadingHTTPServer):
    """Answers /health with `health` and all else with its own address, after `delay` seconds."""

    daemon_threads = True

    def __init__(self, address: str, port: int = 8080) -> None:
        super().__init__((address, port), Answer)
        self.address, self.port = address, port
        self.health, self.delay, self.answered = 200, 0.0, 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no news."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_GET(self) -> None:
        is_check = self.path == "/health"
        if not is_check:
            self.server.answered += 1
            time.sleep(self.server.delay)
        body = self.server.address.encode()
        self.send_response(self.server.health if is_check else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Farm:
    """Makes answering servers, and ends them."""

    def __init__(self) -> None:
        self.servers: list[Answering] = []

    def __call__(self, address: str, port: int = 8080) -> Answering:
        server = Answering(address, port)
        self.servers.append(server)
        return server


@pytest.fixture
def answering() -> Iterator[Farm]:
    farm = Farm()
    yield farm
    for server in farm.servers:
        server.close()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    cloud = FakeCloud()
    with mock_aws():
        catalogue.install(cloud)
        try:
            yield World(cloud)
        finally:
            hooking.remove()

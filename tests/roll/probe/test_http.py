"""What an instance is asked for its version, and what is said of an answer that does not tell it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bakeroll.roll.probe.http import ask_over_http

ANSWERS: dict[str, tuple[int, str]] = {
    "/version": (200, json.dumps({"version": "1.0-1"})),
    "/refused": (400, "Bad Request"),
    "/absent": (404, ""),
    "/failing": (500, ""),
    "/empty": (200, json.dumps({"release": "1.0-1"})),
    "/list": (200, "[]"),
    "/page": (200, "<html>hello"),
}
HOSTS: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        HOSTS.append(self.headers["Host"])
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def asked(port: int, path: str) -> str:
    return str(ask_over_http({"i-1": "127.0.0.1"}, port, path)["i-1"])


def test_the_version_is_told_and_asked_for_by_the_instances_own_address(port: int) -> None:
    assert asked(port, "/version") == "1.0-1"
    assert HOSTS[-1] == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "/refused",
            "/refused answered 400 Bad Request: does the application accept the Host header 127.0.0.1:{port}"
            " (Django: ALLOWED_HOSTS)?",
        ),
        ("/absent", "/absent answered 404 Not Found: set `version` in deploy.yml to another path, or to null"),
        ("/failing", "/failing answered 500 Internal Server Error"),
        ("/empty", '/empty answered JSON without "version": {{"release": "1.0-1"}}'),
        ("/list", '/list answered JSON without "version": []'),
        ("/page", "/page answered no JSON: '<html>hello'"),
    ],
)
def test_an_answer_without_a_version_is_told_with_its_address(port: int, path: str, said: str) -> None:
    assert asked(port, path) == f"http://127.0.0.1:{port}{said.format(port=port)}"


def test_an_instance_that_does_not_listen_is_told_with_its_address() -> None:
    assert asked(9, "/version") == "http://127.0.0.1:9/version: [Errno 111] Connection refused"

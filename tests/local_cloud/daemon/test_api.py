from typing import Any

import pytest

from local_cloud.daemon.api import NoBrowsers


def asked(headers: dict[str, str]) -> str:
    said: list[str] = []

    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    environ: dict[str, Any] = {"PATH_INFO": "/bakeroll/faults", "REQUEST_METHOD": "POST", **headers}
    list(NoBrowsers(application)(environ, lambda status, *_: said.append(status)))
    return said[0]


@pytest.mark.parametrize(
    "header",
    [
        {"HTTP_ORIGIN": "https://example.org"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)"},
    ],
)
def test_a_web_page_cannot_call_the_api_through_its_readers_browser(header: dict[str, str]) -> None:
    assert asked(header) == "403 Forbidden"


def test_an_sdk_can_call_the_api() -> None:
    assert asked({"HTTP_USER_AGENT": "Boto3/1.40"}) == "200 OK"

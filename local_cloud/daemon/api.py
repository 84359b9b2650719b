"""The API: every change is written to the state before it is answered; browsers and instances are kept out."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from local_cloud.config import REGION
from local_cloud.requests.calls import Call, Environ, call_of

_NOT_KEPT = b"<ErrorResponse><Error><Code>ServiceUnavailable</Code><Message>%s</Message></Error></ErrorResponse>"
# As whom the instances read S3 through the gateway: on AWS the VPC's gateway endpoint and a bucket policy let them.
_AS_INSTANCE = (
    f"AWS4-HMAC-SHA256 Credential=instance/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
)

log = logging.getLogger(__name__)
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]


class Api:
    """All services."""

    def __init__(self, application: Application, save: Callable[[], None]) -> None:
        self._application, self._save = application, save

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        call = call_of(environ)
        if call.is_read or environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS"):
            return self._application(environ, start_response)
        return self._change(call, environ, start_response)

    def _change(self, call: Call, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer when the change is written, so that whoever reads the answer can count on it."""
        held: list[Any] = []

        def hold(*head: Any) -> Callable[[bytes], None]:
            held[:] = head
            return lambda _: None

        body = list(self._application(environ, hold))
        log.info("%s %s %s", call, environ["PATH_INFO"], held[0])
        try:
            self._save()
        except OSError as error:
            start_response("503 Service Unavailable", [("Content-Type", "text/xml")])
            return [_NOT_KEPT % f"The local cloud cannot write its state: {error}".encode()]
        start_response(*held)
        return body


class NoBrowsers:
    """Turns browsers away from an application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if is_browser(environ):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"No browser may call this API: what it shows could make machines here.\n"]
        return self._application(environ, start_response)


class ForInstances:
    """What instances reach at the gateway: S3, to read from; nothing else."""

    def __init__(self, api: Application) -> None:
        self._api = api

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not _is_bucket(environ["PATH_INFO"]):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Instances can read from S3 here, and nothing else.\n"]
        kept = {key: value for key, value in environ.items() if not key.startswith("HTTP_X_AMZ")}
        kept |= {"HTTP_AUTHORIZATION": _AS_INSTANCE, "QUERY_STRING": ""}
        return self._api(kept, start_response)


def is_browser(environ: Environ) -> bool:
    """Whether a web page may be behind a request: any page can have its reader's browser ask 127.0.0.1.

    Browsers say so in headers that no page can change (https://www.w3.org/TR/fetch-metadata/); SDKs do not.
    """
    asks = "HTTP_ORIGIN" in environ or "HTTP_SEC_FETCH_SITE" in environ
    return asks or environ.get("HTTP_USER_AGENT", "").startswith("Mozilla/")


def _is_bucket(path: str) -> bool:
    return len(path) > 1 and not path.startswith(("/bakeroll/", "/moto-api", "/latest/", "/_"))

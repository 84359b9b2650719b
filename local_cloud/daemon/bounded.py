"""What bounds every request before anything else looks at it, and what is answered where all else failed.

Owns sizes, counts and the last resort. hooks/requests.py decides what the values may be, host/room.py how many
instances there may be.
"""

import gc
import logging
import re
import threading
import zlib
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from local_cloud.host import memory
from local_cloud.requests.answers import Answer
from local_cloud.requests.calls import Call, Environ, body_of, call_of, replace_body, scope_of
from local_cloud.requests.refusals import answer

MIB = 1024**2
# DynamoDB's is that of BatchWriteItem; S3's would be 5 GB, which this machine's memory is not there for.
_BODY = {"s3": 256 * MIB, "dynamodb": 16 * MIB}
_BODY_OF_OTHERS = MIB
_HEADERS = 64 * 1024
_PARAMETERS = 5000
_DEPTH = 64
_TAKES_AWAY = re.compile("Abort|Cancel|Delete|Deregister|Detach|Disassociate|Release|Revoke|Stop|Terminate")
_NESTING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|([\]}])')
_HTML = (b"<!doctype html", b"<html")

log = logging.getLogger(__name__)
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]


class TooMuch(Exception):
    """A request beyond the bounds: status, code and message of the refusal."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Bounded:
    """`application` within bounds. An error that escapes it is answered in the service's own form."""

    def __init__(self, application: Application, is_full: Callable[[], bool] = memory.is_full) -> None:
        self._application, self._is_full = application, is_full
        self._large = threading.Lock()

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        call = Call(scope_of(environ)[1], "")
        try:
            length = _length(environ)
            if length <= _BODY_OF_OTHERS:
                return self._answered(environ, start_response)
            with self._large:  # each is in memory several times, in cycles that nobody would collect for long
                said = self._answered(environ, start_response)
                environ.clear()
                gc.collect()
                return said
        except TooMuch as error:
            refused = answer(call, environ, error.status, error.code, error.message)
        except ConnectionError:  # the caller has gone, or is to think so
            raise
        except MemoryError:
            refused = answer(call, environ, 503, "ServiceUnavailable", "The local cloud has no memory for this.")
        except Exception as error:
            log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            refused = answer(call, environ, 400, "InternalFailure", f"The local cloud cannot do this: {error!r}")
        return refused.given(start_response)

    def _answered(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)  # moto would make accounts by it, without end
        _must_be_readable(environ)
        call = call_of(environ)
        if not call.is_read and not _TAKES_AWAY.match(call.action) and self._is_full():
            raise TooMuch(400, "LimitExceeded", "The local cloud holds as much as it may. Delete something of it.")
        head: list[Any] = []

        def hold(*given: Any) -> Callable[[bytes], None]:
            head[:] = given
            return lambda _: None

        body = b"".join(self._application(environ, hold))
        status = int(head[0].partition(" ")[0])
        if status >= 400 and (told := _for_people(body)):
            return answer(call, environ, min(status, 499), _code(call, status), told).given(start_response)
        return Answer(head[0], tuple(head[1]), body).given(start_response)


def _length(environ: Environ) -> int:
    """The body's length, as the caller gave it. Nothing of it is read yet."""
    text = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise TooMuch(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    if not re.fullmatch("[0-9]{1,15}", text):
        raise TooMuch(400, "InvalidRequest", "The Content-Length is no number.")
    if int(text) > (most := _most(environ)):
        raise TooMuch(*_too_large(environ), f"The request has {text} bytes, and at most {most} are taken.")
    if sum(len(value) for key, value in environ.items() if key.startswith("HTTP_")) > _HEADERS:
        raise TooMuch(400, "RequestHeaderSectionTooLarge", f"The request's headers have more than {_HEADERS} bytes.")
    return int(text)


def _most(environ: Environ) -> int:
    return _BODY.get(scope_of(environ)[1], _BODY_OF_OTHERS)


def _too_large(environ: Environ) -> tuple[int, str]:
    return (400, "EntityTooLarge") if scope_of(environ)[1] == "s3" else (413, "RequestEntityTooLarge")


def _must_be_readable(environ: Environ) -> None:
    """moto unpacks and reads whatever it is given: nothing may be too much then."""
    if scope_of(environ)[1] == "s3":
        return
    if environ.pop("HTTP_CONTENT_ENCODING", "") == "gzip":
        _unpack(environ)
    body = body_of(environ)
    if "HTTP_X_AMZ_TARGET" in environ:
        if _depth(body) > _DEPTH:
            raise TooMuch(400, "SerializationException", f"The request is nested deeper than {_DEPTH} levels.")
        return
    names = [each.partition(b"=")[0] for each in (body or environ.get("QUERY_STRING", "").encode()).split(b"&")]
    if len(names) > _PARAMETERS or max(each.count(b".") for each in names) > _DEPTH:
        raise TooMuch(400, "MalformedQueryString", f"More than {_PARAMETERS} parameters, or {_DEPTH} levels of one.")


def _unpack(environ: Environ) -> None:
    most = _most(environ)
    try:
        body = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body_of(environ), most + 1)
    except zlib.error as error:
        raise TooMuch(400, "InvalidRequest", f"The body is no gzip: {error}") from None
    if len(body) > most:
        raise TooMuch(*_too_large(environ), f"Unpacked, the request has more than {most} bytes.")
    replace_body(environ, body)


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for found in _NESTING.finditer(body):
        depth += bool(found[1]) - bool(found[2])
        deepest = max(deepest, depth)
    return deepest


def _for_people(body: bytes) -> str:
    """What an error says that is a page or plain text, in no service's form; empty where it is in one."""
    begin = body[:100].lstrip().lower()
    if begin.startswith(_HTML):
        return "The local cloud does not know this."
    return "" if begin.startswith((b"<", b"{")) else body[:200].decode(errors="replace")


def _code(call: Call, status: int) -> str:
    if status in (404, 405):
        return "MethodNotAllowed" if call.service == "s3" else "InvalidAction"
    return HTTPStatus(status).phrase.replace(" ", "")

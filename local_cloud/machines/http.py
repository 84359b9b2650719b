"""The little HTTP that the metadata service and the proxy need: heads of messages, read and written."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

_HEAD_LIMIT = 16 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request; names of headers are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]


class Malformed(Exception):
    """No head of a request."""


async def read_head(reader: asyncio.StreamReader, limit: float = 10) -> Head:
    """Read one head within `limit` seconds. Raises Malformed, or EOFError where the caller has gone."""
    try:
        raw = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), limit)
    except asyncio.IncompleteReadError:
        raise EOFError from None
    except (asyncio.LimitOverrunError, TimeoutError):
        raise Malformed from None
    return parse_head(raw)


def parse_head(raw: bytes) -> Head:
    """The head of a request. Raises Malformed."""
    first, *rest = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(raw) > _HEAD_LIMIT or len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed(first[:100])
    pairs = (line.partition(":") for line in rest)
    return Head(words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs})


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole response, after which the connection closes."""
    lines = {"Content-Type": "text/plain", "Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n").encode("latin-1") + body

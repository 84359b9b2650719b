"""Asks instances for their version over HTTP."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import urlsplit

LONGEST_ANSWER = 64 * 1024
"""How many bytes of an answer are read. An answer that is cut off there is not JSON."""
SHOWN_CHARACTERS = 60
"""How many characters of an unexpected answer an error shows."""


def ask_over_http(addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
    """Ask all addresses for their versions over HTTP at the same time. Each request takes two seconds at most."""
    with ThreadPoolExecutor(max_workers=min(16, len(addresses))) as pool:
        answers = pool.map(lambda address: _request_version(f"http://{address}:{port}{path}"), addresses.values())
        return dict(zip(addresses, answers, strict=True))


def _request_version(url: str) -> str | Exception:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, build_opener

    try:
        # The request goes to the instance itself, never through the environment's proxy.
        with build_opener(ProxyHandler({})).open(url, timeout=2) as response:
            return _version_in(url, response.read(LONGEST_ANSWER))
    except HTTPError as error:
        return ConnectionError(f"{error.url} answered {error.code} {error.reason}{_hint(error.code, url)}")
    except URLError as error:
        return ConnectionError(f"{url}: {error.reason}")
    except (OSError, HTTPException) as error:
        return ConnectionError(f"{url}: {type(error).__name__}: {error}")


def _version_in(url: str, body: bytes) -> str | Exception:
    import json

    try:
        answer = json.loads(body)
    except ValueError:
        return ConnectionError(f"{url} answered no JSON: {body.decode(errors='replace')[:SHOWN_CHARACTERS]!r}")
    if not isinstance(answer, dict) or "version" not in answer:
        return ConnectionError(f'{url} answered JSON without "version": {json.dumps(answer)[:SHOWN_CHARACTERS]}')
    return str(answer["version"])


def _hint(status: int, url: str) -> str:
    """The most common reason for the status."""
    host = urlsplit(url).netloc
    if status == HTTPStatus.BAD_REQUEST:
        return f": does the application accept the Host header {host} (Django: ALLOWED_HOSTS)?"
    if status == HTTPStatus.NOT_FOUND:
        return ": set `version` in deploy.yml to another path, or to null"
    return ""

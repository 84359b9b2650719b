"""Asks instances for their version over HTTP."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import urlsplit

LONGEST_ANSWER = 64 * 1024
"""Bytes that are read of what an instance answers; JSON that is cut there is none."""
SHOWN_CHARACTERS = 60
"""Of an answer that is not what was asked for."""


def ask_over_http(addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
    """Ask each address for its version over HTTP, all at once; two seconds each at most."""
    with ThreadPoolExecutor(max_workers=min(16, len(addresses))) as pool:
        heard = pool.map(lambda address: _version(f"http://{address}:{port}{path}"), addresses.values())
        return dict(zip(addresses, heard, strict=True))


def _version(url: str) -> str | Exception:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, build_opener

    try:
        # An instance is asked itself, never through the proxy of the environment.
        with build_opener(ProxyHandler({})).open(url, timeout=2) as response:
            return _told(url, response.read(LONGEST_ANSWER))
    except HTTPError as error:
        return ConnectionError(f"{error.url} answered {error.code} {error.reason}{_hint(error.code, url)}")
    except URLError as error:
        return ConnectionError(f"{url}: {error.reason}")
    except (OSError, HTTPException) as error:
        return ConnectionError(f"{url}: {type(error).__name__}: {error}")


def _told(url: str, body: bytes) -> str | Exception:
    import json

    try:
        answer = json.loads(body)
    except ValueError:
        return ConnectionError(f"{url} answered no JSON: {body.decode(errors='replace')[:SHOWN_CHARACTERS]!r}")
    if not isinstance(answer, dict) or "version" not in answer:
        return ConnectionError(f'{url} answered JSON without "version": {json.dumps(answer)[:SHOWN_CHARACTERS]}')
    return str(answer["version"])


def _hint(status: int, url: str) -> str:
    """What most often is the reason."""
    host = urlsplit(url).netloc
    if status == HTTPStatus.BAD_REQUEST:
        return f": does the application take the Host header {host} (Django: ALLOWED_HOSTS)?"
    if status == HTTPStatus.NOT_FOUND:
        return ": name another path, or null, as `version` in deploy.yml"
    return ""

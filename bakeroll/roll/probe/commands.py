"""What a canary is looked at by: HTTP, a command of the operator's, and what AWS watches and measures."""

from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

from bakeroll.process import Run, ToolFailed
from bakeroll.settings import Metric

HTTP_SECONDS = 2
COMMAND_SECONDS = 60
TIMED_OUT = 124
"""What timeout(1) ends with where it had to stop its command."""


class Watched(Protocol):
    """What is watched and measured elsewhere: alarms and metrics."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]: ...

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]: ...


class Probing:
    """The probes of `ports.Probes`, from this machine and from `watched`."""

    def __init__(self, watched: Watched, run: Run, seconds: float = COMMAND_SECONDS) -> None:
        self._run, self._seconds = run, seconds
        self.alarms, self.samples = watched.alarms, watched.samples

    def http(self, address: str, port: int, path: str) -> str:
        """Empty where the answer is 200; else what it was."""
        try:
            # An instance is asked itself: not through the proxy of the environment, nor where it sends us on to.
            with build_opener(ProxyHandler({}), _Nowhere).open(
                f"http://{address}:{port}{path}", timeout=HTTP_SECONDS
            ) as answer:
                return "" if answer.status == 200 else f"{answer.status} {answer.reason}"
        except HTTPError as error:
            return f"{error.code} {error.reason}"
        except URLError as error:
            return str(error.reason)
        except (OSError, HTTPException) as error:
            return f"{type(error).__name__}: {error}"

    def command(self, words: Sequence[str], environment: Mapping[str, str]) -> str:
        """Empty where it ends with 0; else its end and last line. It is stopped after a minute."""
        try:
            self._run(["timeout", "--kill-after=5", str(self._seconds), *words], env=environment)
        except ToolFailed as error:
            ended = f"did not end within {self._seconds} s" if error.code == TIMED_OUT else f"ended with {error.code}"
            return ": ".join([ended, *error.tail[-1:]])
        return ""


class _Nowhere(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: what sends us on is told as it is."""

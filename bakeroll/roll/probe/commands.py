"""The checks of a canary: HTTP, a command of the operator, and AWS's alarms and metrics."""

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
"""The exit code of timeout(1) if it stopped its command."""


class Watched(Protocol):
    """The alarms and metrics of CloudWatch."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]: ...

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]: ...


class Probing:
    """`ports.Probes`: HTTP and commands run on this machine. Alarms and metrics come from `watched`."""

    def __init__(self, watched: Watched, run: Run, seconds: float = COMMAND_SECONDS) -> None:
        self._run, self._seconds = run, seconds
        self.alarms, self.samples = watched.alarms, watched.samples

    def http(self, address: str, port: int, path: str) -> str:
        """Empty if the answer is 200. Otherwise what the answer was."""
        try:
            # The request goes to the instance itself: not through the environment's proxy, and it follows no redirect.
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
        """Empty if the command ends with 0. Otherwise how it ended and its last line. It may take a minute."""
        try:
            self._run(["timeout", "--kill-after=5", str(self._seconds), *words], env=environment)
        except ToolFailed as error:
            ended = f"did not end within {self._seconds} s" if error.code == TIMED_OUT else f"ended with {error.code}"
            return ": ".join([ended, *error.tail[-1:]])
        return ""


class _Nowhere(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None, so that a redirect is reported as it is."""

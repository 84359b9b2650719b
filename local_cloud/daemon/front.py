"""What this machine's own clients meet before the API: the cloud's own pages, the faults and the log of calls.

Instances do not come by here: they are offered no page, meet no fault of calls, and are not logged.
"""

import json
import logging
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_cloud.faults.fault import Fault, Refused, fault_of
from local_cloud.faults.in_force import Faults
from local_cloud.faults.stale import Stale
from local_cloud.requests.answers import Answer
from local_cloud.requests.calls import Call, Calls, Environ, body_of, call_of
from local_cloud.requests.refusals import refusal

STATUS, FAULTS, CALLS = "/bakeroll/status", "/bakeroll/faults", "/bakeroll/calls"

log = logging.getLogger(__name__)
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Page = Callable[[Environ], Any]


class Front:
    """`api` behind the faults. `check` raises Refused for a fault that this cloud cannot have."""

    def __init__(
        self,
        api: Application,
        faults: Faults,
        stale: Stale,
        status: Callable[[], Mapping[str, Any]],
        check: Callable[[Fault], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._faults, self._stale, self._check, self._sleep = api, faults, stale, check, sleep
        self._calls = Calls()
        self._pages: dict[tuple[str, str], Page] = {
            ("GET", STATUS): lambda _: status(),
            ("GET", CALLS): lambda _: self._calls.summary(),
            ("GET", FAULTS): lambda _: faults.status(),
            ("POST", FAULTS): self._set,
            ("DELETE", FAULTS): lambda _: {"ended": faults.clear()},
        }

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] in (STATUS, FAULTS, CALLS):
            return self._page(environ, start_response)
        call = call_of(environ)
        fault = self._faults.strike(call)
        if fault:
            log.info("%s meets the fault “%s”", call, fault.words)
        if fault and (refused := refusal(fault.kind, call, environ)):
            return refused.given(start_response)
        if fault and fault.kind == "slow":
            self._sleep(fault.after)
        answer = self._carried_out(call, environ)
        if fault and fault.kind == "lost":
            _hang_up(environ)
        return answer.given(start_response)

    def _carried_out(self, call: Call, environ: Environ) -> Answer:
        seconds = self._faults.staleness(call) if call.is_read else 0
        if seconds:
            return self._stale.answer(call, environ, seconds, lambda: self._fresh(call, environ))
        return self._fresh(call, environ)

    def _fresh(self, call: Call, environ: Environ) -> Answer:
        head: list[Any] = []

        def hold(*given: Any) -> Callable[[bytes], None]:
            head[:] = given
            return lambda _: None

        body = b"".join(self._api(environ, hold))
        self._calls.add(call)
        return Answer(head[0], tuple(head[1]), body)

    def _page(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        page = self._pages.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if page is None:
            return _json("405 Method Not Allowed", {"message": "This page has no such method."}, start_response)
        try:
            return _json("200 OK", page(environ), start_response)
        except Refused as error:
            return _json("400 Bad Request", {"message": str(error)}, start_response)

    def _set(self, environ: Environ) -> Any:
        try:
            asked = json.loads(body_of(environ))
        except ValueError:
            raise Refused("A fault is asked for with a JSON object.") from None
        if not isinstance(asked, dict):
            raise Refused("A fault is asked for with a JSON object.")
        fault = fault_of(asked)
        self._check(fault)
        self._faults.add(fault)
        log.info("the fault “%s” is set", fault.words)
        return {"fault": fault.words}


def _json(status: str, what: Any, start_response: Start) -> list[bytes]:
    told = Answer(status, (("Content-Type", "application/json"),), json.dumps(what).encode())
    return told.given(start_response)


def _hang_up(environ: Environ) -> None:
    """Close the connection with nothing said; the server takes the error as that of a client that has gone."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError

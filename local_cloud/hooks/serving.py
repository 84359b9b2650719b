"""moto's application over HTTP: a thread for each connection, and no more than the machine carries."""

import logging
import threading
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer

log = logging.getLogger(__name__)


def application() -> Any:
    """All services, by WSGI."""
    return DomainDispatcherApplication(create_backend_app)


class Handler(MotoRequestHandler):
    """Errors are logged by what was asked (`Api`), not by the path, which is / for most services."""

    timeout = 120
    """Seconds in which a caller says nothing and takes nothing."""
    error_content_type = "text/xml"
    error_message_format = "<Error><Code>InvalidRequest</Code><Message>%(explain)s</Message></Error>"
    """What is no HTTP at all."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - the base class's signature
        if str(code).isdigit() and int(code) >= 500:
            log.error("%s %s", self.requestline, code)

    def log_error(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's signature
        log.debug(format, *arguments)


class Server(ThreadedWSGIServer):
    """A thread for each connection, and a limit on how many there are."""

    daemon_threads = True
    _CONNECTIONS = 128
    _WAIT_SECONDS = 2.0

    def __init__(self, host: str, port: int, application: Any) -> None:
        super().__init__(host, port, application, Handler)
        self._free = threading.BoundedSemaphore(self._CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(timeout=self._WAIT_SECONDS):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


def serve(host: str, port: int, application: Any) -> BaseWSGIServer:
    """Bind now (OSError where the port is taken); `serve_forever` is the caller's to run."""
    return Server(host, port, application)

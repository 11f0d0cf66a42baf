"""Where a Prometheus asks: one thread that answers one after the other. Plain HTTP, no secrets.

It is for one or two readers on a trusted network. Whoever is slow is cut off, and whatever fails
here is the alarm `metrics`, never a matter of the line.
"""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from inspector.config import MetricsConfig
from inspector.page.settings import address

log = logging.getLogger(__name__)

CODE = "metrics"
AGAIN_S = 5.0  # until a port that is taken is tried again
SLOW_S = 5.0  # for one connection, however it spends them
CHECK_S = 0.5  # how soon a stop is noticed


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        log.debug(format, *args)


class _Server(WSGIServer):
    def finish_request(self, request: Any, client_address: Any) -> None:
        # A timeout of the socket would hold for each read, and one may come every second for ever.
        deadline = threading.Timer(SLOW_S, _hang_up, [request])
        deadline.daemon = True
        deadline.start()
        try:
            super().finish_request(request, client_address)
        finally:
            deadline.cancel()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        log.debug("a reader of metrics went away")


def _hang_up(link: socket.socket) -> None:
    with suppress(OSError):  # it has just ended
        link.shutdown(socket.SHUT_RDWR)


class _Server6(_Server):
    address_family = socket.AF_INET6


class Scrape:
    """Serves a registry at http://HOST:PORT/metrics, if the line is told to."""

    def __init__(
        self,
        config: MetricsConfig | None,
        registry: CollectorRegistry,
        alarm: Callable[[str, str | None], None],
    ) -> None:
        """`alarm` takes a code and a text, None to clear it; from any thread."""
        self._listen = address(config.listen) if config else None
        self._app = make_wsgi_app(registry)
        self._alarm = alarm
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        alarm(CODE, None)  # of an earlier session

    def start(self) -> None:
        """Begin to serve."""
        if self._listen is not None:
            self._thread.start()

    def stop(self) -> None:
        """No more answers."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(2 * CHECK_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except Exception as error:
                log.error("metrics: %s", error)  # noqa: TRY400 - the port, not the stack
                host, port = self._listen or ("", 0)
                why = (isinstance(error, OSError) and error.strerror) or error
                self._alarm(CODE, f"metrics cannot be read at {host}:{port}: {why}")
                self._stopping.wait(AGAIN_S)

    def _serve(self) -> None:
        host, port = self._listen or ("", 0)
        kind = _Server6 if ":" in host else _Server
        with make_server(host, port, self._app, kind, _Handler) as server:
            self._alarm(CODE, None)
            server.timeout = CHECK_S
            while not self._stopping.is_set():
                server.handle_request()

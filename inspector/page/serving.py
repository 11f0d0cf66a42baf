"""A web server for a thread: uvicorn on a socket of our own, and bounds on what others cost."""

import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from inspector.page.protocol import PatientProtocol
from inspector.page.settings import PageTlsConfig, address

CONNECTIONS = 400  # fifty viewers with six each, and some
BACKLOG = 128
SEND_BYTES = 256 << 10  # of a connection in the kernel: what lies there is old when it is seen
MOST_HEAD = 16 << 10  # bytes of a request before its body


class Server(uvicorn.Server):
    """uvicorn's own, without its hands on the signals of the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the daemon's, whichever thread serves."""
        yield


def server_of(app: ASGIApp, tls: PageTlsConfig | None = None) -> Server:
    """What serves `app`; give it a socket of `listen`."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # strangers must not fill the log
    return Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=MOST_HEAD,
            ssl_certfile=tls.cert_file if tls else None,
            ssl_keyfile=tls.key_file if tls else None,
        )
    )


def listen(where: str) -> socket.socket:
    """A socket that listens at HOST:PORT.

    Raises:
        OSError: the address is not ours, or somebody else has it.
    """
    host, port = address(where)
    try:
        family, kind, protocol, _, found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(f"{where}: expected an address of this PC, found: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)  # handed down
        listener.bind(found)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(f"{where}: expected a free port of this PC, found: {error}") from error
    return listener

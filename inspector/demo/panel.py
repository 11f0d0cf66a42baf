"""The panel that breaks things, around the operator's page: a web page of the demo itself."""

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from inspector.errors import InspectorError
from inspector.page.serving import server_of
from inspector.page.settings import LOOPBACK

HERE = Path(__file__).parent / "panel"
STOP_S = 3.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that can be broken: `do(True)` breaks it, `do(False)` mends it."""

    label: str
    mend: str
    expect: str
    do: Callable[[bool], None]


class Panel:
    """Serves the panel in a thread, on a socket that listens already; a context manager.

    `page` is the address of the operator's page.
    """

    def __init__(self, listener: socket.socket, page: str, faults: Mapping[str, Fault]) -> None:
        self._page = page
        self._faults = faults
        self._broken = dict.fromkeys(faults, False)
        self._token = secrets.token_urlsafe(16)
        template = (HERE / "panel.html").read_text(encoding="utf-8")
        self._template = Environment(autoescape=True).from_string(template)
        self._listener = listener
        routes = [
            Route("/", self._show),
            Route("/panel.css", lambda _: _file("panel.css", "text/css")),
            Route("/panel.js", lambda _: _file("panel.js", "text/javascript")),
            Route("/ready", self._is_ready),
            Route("/faults/{name}", self._break, methods=["POST"]),
        ]
        self._server = server_of(Starlette(routes=routes))
        self._thread = threading.Thread(target=self._serve, name="panel", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_S)

    def _serve(self) -> None:
        with suppress(Exception):  # the demo goes on without it
            asyncio.run(self._server.serve(sockets=[self._listener]))

    async def _show(self, request: Request) -> Response:
        _expect_our_name(request)
        html = self._template.render(
            page=self._page, faults=self._faults, broken=self._broken, token=self._token
        )
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"frame-src {self._page}; frame-ancestors 'none'; base-uri 'none'"
        )
        return HTMLResponse(html, headers={"content-security-policy": policy} | NO_STORE)

    async def _is_ready(self, request: Request) -> Response:
        """204 once the operator's page answers, 503 until then."""
        _expect_our_name(request)
        host, _, port = urlsplit(self._page).netloc.rpartition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return Response(status_code=503, headers=NO_STORE)
        writer.close()
        return Response(status_code=204, headers=NO_STORE)

    async def _break(self, request: Request) -> Response:
        """Break or mend; the next one waits for it, which takes a second at most."""
        _expect_our_name(request)
        name, shown = request.path_params["name"], request.headers.get("x-token", "")
        if not secrets.compare_digest(shown.encode(), self._token.encode()):
            raise HTTPException(403)
        if name not in self._faults:
            raise HTTPException(404)
        broken = not self._broken[name]
        try:
            self._faults[name].do(broken)
        except (InspectorError, OSError) as error:
            return JSONResponse({"broken": self._broken[name], "text": str(error)}, 409)
        self._broken[name] = broken
        return JSONResponse({"broken": broken})


NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def _file(name: str, kind: str) -> Response:
    return Response((HERE / name).read_bytes(), media_type=kind, headers=NO_STORE)


def _expect_our_name(request: Request) -> None:
    if urlsplit(f"//{request.headers.get('host', '')}").hostname not in LOOPBACK:
        raise HTTPException(421)

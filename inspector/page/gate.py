"""What every request passes before the page sees it, and every answer before a browser does.

The page speaks only to browsers that called it by its own name: a foreign site that lets its name
point here (DNS rebinding) gets nothing. What changes something has to come from the page itself.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inspector.page.access import Sessions
from inspector.page.settings import LOOPBACK, PageConfig, address

OPEN = ("/login", "/static/")
"""What is there without a login: the form itself, and how it looks."""


class Gate:
    """An ASGI application around the page's own."""

    def __init__(self, app: ASGIApp, config: PageConfig, sessions: Sessions) -> None:
        self._app = app
        self._config = config
        self._sessions = sessions
        self._headers = _headers(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await (refusal or self._app)(scope, receive, answer)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._is_our_name(headers.get("host", "")):
            return PlainTextResponse("this page has another name\n", 421)
        needs_login = self._config.password_file is not None
        if needs_login and not scope["path"].startswith(OPEN):
            session = self._sessions.find(cookie(HTTPConnection(scope), self._config))
            if session is None or not session.logged_in:
                if scope["method"] == "GET" and scope["path"] == "/":
                    return RedirectResponse("login", 303)
                return PlainTextResponse("log in first\n", 401)
        return None

    def _is_our_name(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname
        own, _ = address(self._config.listen)
        if self._config.proxy is not None:
            # Proxies hand on the name that the browser used, or the one that they use themselves.
            return name in LOOPBACK | {urlsplit(self._config.proxy).hostname, own}
        return self._config.tls is not None or name in LOOPBACK


def comes_from_the_page(request: Request, config: PageConfig, token: str, shown: str) -> bool:
    """Whether a request that changes something was made by the page, not by another site.

    The browser says where it comes from, and only who could read the page knows its token.
    """
    origin = request.headers.get("origin", "")
    scheme = "https" if config.tls else "http"
    wanted = {config.proxy or f"{scheme}://{request.headers.get('host', '')}"}
    site = request.headers.get("sec-fetch-site", "same-origin")
    return (
        origin in wanted
        and site == "same-origin"
        and secrets.compare_digest(token.encode(), shown.encode())
    )


def cookie(request: HTTPConnection, config: PageConfig) -> str | None:
    """The name of the browser's session."""
    return request.cookies.get(cookie_name(config))


def cookie_name(config: PageConfig) -> str:
    """With the port: several lines have their pages on one PC, and cookies know no ports."""
    prefix = "__Host-" if is_secure(config) else ""
    return f"{prefix}inspector-{address(config.listen)[1]}"


def is_secure(config: PageConfig) -> bool:
    """Whether browsers reach it by TLS only."""
    return config.tls is not None or config.proxy is not None


def _headers(config: PageConfig) -> Mapping[str, str]:
    frames = " ".join(config.framed_by) or "'none'"
    headers = {
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {frames}"
        ),
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
    if not config.framed_by:
        headers["x-frame-options"] = "DENY"
    if is_secure(config):
        headers["strict-transport-security"] = "max-age=31536000"
    return headers

"""What the page answers: its addresses, and what each one gives or does."""

import logging
import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from inspector import lines
from inspector.calibration import Calibrated
from inspector.errors import ConfigError
from inspector.page import gate, lengths
from inspector.page.access import Patience, Sessions
from inspector.page.desk import Desk
from inspector.page.render import PIECES, limit_of
from inspector.page.settings import PageConfig
from inspector.page.words import LANGUAGES, Words, choose
from inspector.publish.message import ResultMessage
from inspector.secret import Secret

log = logging.getLogger(__name__)

STATIC = {
    path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "static").iterdir())
}
"""By name and in memory: no address ever becomes a path."""
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_BODY = 4096  # bytes; a PIN, a limit, a word
VIEWERS = 100  # streams of each kind
YEAR_S = 365 * 86400


class Site:
    """The addresses of one line's page. All of it runs in the page's thread."""

    def __init__(self, desk: Desk, config: PageConfig, title: str) -> None:
        """Read the secrets.

        Raises:
            ConfigError: one cannot be read.
        """
        self._desk = desk
        self._config = config
        self._title = title
        self._pin = Secret.read(config.pin_file) if config.pin_file else None
        self._password = Secret.read(config.password_file) if config.password_file else None
        self._token = secrets.token_urlsafe(16)
        self._sessions = Sessions(time.monotonic)
        self._patience = {name: Patience(time.monotonic) for name in ("pin", "password")}

    def app(self) -> ASGIApp:
        """For the server."""
        routes = [
            Route("/", self.page),
            Route("/events", self.events),
            Route("/live.mjpg", self.live),
            Route("/parts/{id}.jpg", self.picture),
            Route("/parts/{id}", self.part),
            Route("/parts/{id}/mark", self.mark, methods=["POST"]),
            Route("/whatif", self.whatif),
            Route("/limit", self.limit, methods=["POST"]),
            Route("/unlock", self.unlock, methods=["POST"]),
            Route("/lock", self.lock, methods=["POST"]),
            Route("/login", self.login_form),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/static/{name}", self.static),
        ]
        return gate.Gate(Starlette(routes=routes), self._config, self._sessions)

    # What is shown

    async def page(self, request: Request) -> Response:
        """The whole page, as it is now."""
        wished = request.query_params.get("language")
        if wished in LANGUAGES:
            answer = RedirectResponse("./", 303)
            answer.set_cookie(
                "language", wished, YEAR_S, httponly=True, samesite="strict", **self._secure()
            )
            return answer
        words, view = self._words(request), self._desk.view()
        renderer = self._desk.renderer
        html = renderer.whole(
            "page.html",
            words.code,
            title=self._title,
            theme=_theme(request),
            token=self._token,
            boot=self._token,
            unlocked=self._sessions.may_change(gate.cookie(request, self._config)),
            has_pin=self._pin is not None,
            needs_login=self._password is not None,
            languages=[(code, w("language")) for code, w in renderer.words.items()],
            regions=renderer.pieces(view, words.code, PIECES),
        )
        return HTMLResponse(html)

    async def events(self, request: Request) -> Response:
        """Server-sent events: what changed of the page, and a beat while nothing does."""
        bulletin = self._desk.bulletins[self._words(request).code]
        if sum(b.readers for b in self._desk.bulletins.values()) >= VIEWERS:
            raise HTTPException(503)

        async def changes() -> AsyncIterator[bytes]:
            bulletin.readers += 1
            try:
                yield f"retry: 1000\nevent: boot\ndata: {self._token}\n\n".encode()
                number = 0
                while not self._desk.closing:
                    event, number = bulletin.since(number)
                    yield event
                    await bulletin.change(number)
            finally:
                bulletin.readers -= 1

        return StreamingResponse(changes(), media_type="text/event-stream")

    async def live(self, _: Request) -> Response:
        """The live picture as MJPEG."""
        reel = self._desk.reel
        if reel.viewers >= VIEWERS:
            raise HTTPException(503)

        async def pictures() -> AsyncIterator[bytes]:
            reel.viewers += 1
            try:
                yield reel.head
                number = 0
                while not self._desk.closing:
                    if number != reel.number:
                        number = reel.number
                        yield reel.part
                    await reel.change(number)
            finally:
                reel.viewers -= 1

        kind = f"multipart/x-mixed-replace; boundary={reel.BOUNDARY}"
        return StreamingResponse(pictures(), media_type=kind)

    async def part(self, request: Request) -> Response:
        """One part, for its dialog."""
        part = self._part(request)
        pictured = await self._desk.picture(part.id) is not None
        view, code = self._desk.view(), self._words(request).code
        return HTMLResponse(self._desk.renderer.part(view, code, part, pictured=pictured))

    async def picture(self, request: Request) -> Response:
        """One part's picture."""
        data = await self._desk.picture(request.path_params["id"])
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="image/jpeg")

    async def whatif(self, request: Request) -> Response:
        """What another limit would have done to the last parts."""
        words, limit = self._words(request), limit_of(self._desk.condition)
        wished = _positive(request.query_params.get("limit"))
        if limit is None or wished is None:
            raise HTTPException(400)
        found = lengths.flips(self._desk.book.lengths(limit.unit), limit, wished)
        numbers = {n: words.number(getattr(found, n)) for n in ("parts", "rejected", "passed")}
        key = "whatif_result" if found.rejected or found.passed else "whatif_same"
        before, after = (words.limit(v, limit.unit) for v in (limit.value, wished))
        return JSONResponse(
            {
                "limit": after,
                "flips": words(key, **numbers),
                "ask": words("set_limit_ask", before=before, after=after),
                "same": wished == limit.value,
            }
        )

    async def static(self, request: Request) -> Response:
        """Style, script and icon."""
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404)
        return Response(STATIC[name], media_type=TYPES[Path(name).suffix])

    # What is changed

    async def mark(self, request: Request) -> Response:
        """Was it right?"""
        body, words = await self._change(request), self._words(request)
        part, right = self._part(request), body.get("right")
        if not isinstance(right, bool) or not part.seq:
            raise HTTPException(400)
        try:
            await self._desk.aside(lambda: self._desk.marks.add(part, right=right))
        except ConfigError as error:
            return _failed(words, str(error))
        log.info("part %d marked as judged %s", part.seq, "right" if right else "wrong")
        return JSONResponse({"text": words("mark_kept")})

    async def limit(self, request: Request) -> Response:
        """Another limit, as a calibration record; the line takes it over with the next part."""
        body, words = await self._change(request), self._words(request)
        limit, wished = limit_of(self._desk.condition), _positive(body.get("limit"))
        if limit is None or wished is None:
            raise HTTPException(400)
        calibrated = Calibrated.model_validate({f"min_scratch_{limit.unit}": wished})
        by = f"page, with the PIN, from {request.client.host if request.client else '?'}"
        now = datetime.now(UTC).replace(microsecond=0)
        try:
            await self._desk.aside(
                lambda: lines.recalibrate(
                    self._desk.line, lambda history: history.set(calibrated, by=by, time=now)
                )
            )
        except ConfigError as error:
            return _failed(words, str(error))
        log.warning("limit set to %.9g %s: %s", wished, limit.unit, by)
        text = words("set_limit_done", after=words.limit(wished, limit.unit))
        return JSONResponse({"text": text})

    async def unlock(self, request: Request) -> Response:
        """The PIN: for some minutes this browser may change something."""
        body, words = await self._body(request), self._words(request)
        refusal = await self._guess("pin", self._pin, str(body.get("pin", "")), words)
        if refusal is not None:
            return JSONResponse({"text": refusal}, 403)
        name = self._sessions.unlock(gate.cookie(request, self._config))
        return self._with_session(JSONResponse({}), name)

    async def lock(self, request: Request) -> Response:
        """Nothing more is changed until the PIN is typed again."""
        await self._body(request)
        self._sessions.lock(gate.cookie(request, self._config))
        return JSONResponse({})

    async def login_form(self, request: Request) -> Response:
        """Where the password is typed."""
        if self._password is None:
            return RedirectResponse("./", 303)
        return self._login_page(request, "", 200)

    async def login(self, request: Request) -> Response:
        """The password: this browser may see the page."""
        body = await self._body(request)
        words = self._words(request)
        typed = str(body.get("password", ""))
        refusal = await self._guess("password", self._password, typed, words)
        if refusal is not None:
            return self._login_page(request, refusal, 403)
        return self._with_session(RedirectResponse("./", 303), self._sessions.log_in())

    async def logout(self, request: Request) -> Response:
        """Forget this browser."""
        await self._body(request)
        self._sessions.end(gate.cookie(request, self._config))
        return RedirectResponse("login", 303)

    def _login_page(self, request: Request, error: str, status: int) -> Response:
        html = self._desk.renderer.whole(
            "login.html",
            self._words(request).code,
            title=self._title,
            theme=_theme(request),
            token=self._token,
            error=error,
        )
        return HTMLResponse(html, status)

    async def _change(self, request: Request) -> dict[str, Any]:
        """The body of a request that may change something, or a refusal."""
        body = await self._body(request)
        if not self._sessions.may_change(gate.cookie(request, self._config)):
            raise HTTPException(403, self._words(request)("pin_ask"))
        return body

    async def _body(self, request: Request) -> dict[str, Any]:
        """What the page sent, as JSON or from a form; nobody else's request comes through."""
        size = request.headers.get("content-length", "")
        if not size.isdecimal() or int(size) > MOST_BODY:
            raise HTTPException(413)
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind == "application/json":
            try:
                body = await request.json()
            except ValueError:
                raise HTTPException(400) from None
            shown = request.headers.get("x-token", "")
        elif kind == "application/x-www-form-urlencoded":
            body = dict(parse_qsl((await request.body()).decode(errors="replace")))
            shown = str(body.get("token", ""))
        else:
            raise HTTPException(415)
        if not isinstance(body, dict):
            raise HTTPException(400)
        if not gate.comes_from_the_page(request, self._config, self._token, shown):
            raise HTTPException(403, "this does not come from the page; load it again")
        return body

    async def _guess(
        self, name: str, secret: Secret | None, typed: str, words: Words
    ) -> str | None:
        """Why the secret was not right, None if it was."""
        if secret is None:
            return words("pin_none")
        patience = self._patience[name]
        wait_s = patience.wait_s()
        if wait_s:
            return words("pin_wait", seconds=round(wait_s))
        patience.wrong()  # before it is known, so that many at once are many
        if not await self._desk.aside(lambda: secret.is_(typed)):
            log.warning("a wrong %s was typed", name)
            return words(f"{name}_wrong")
        patience.right()
        return None

    def _with_session(self, answer: Response, name: str) -> Response:
        answer.set_cookie(
            gate.cookie_name(self._config),
            name,
            httponly=True,
            samesite="strict",
            **self._secure(),
        )
        return answer

    def _secure(self) -> dict[str, Any]:
        return {"secure": gate.is_secure(self._config), "path": "/"}

    def _part(self, request: Request) -> ResultMessage:
        part = self._desk.book.find(request.path_params["id"])
        if part is None:
            raise HTTPException(404)
        return part

    def _words(self, request: Request) -> Words:
        code = choose(
            self._config.language,
            request.cookies.get("language"),
            request.headers.get("accept-language", ""),
        )
        return self._desk.renderer.words[code]


def _theme(request: Request) -> str:
    theme = request.cookies.get("theme", "")
    return theme if theme in ("light", "dark") else ""


def _positive(value: object) -> float | None:
    """A number that may be a limit."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number < 1e6 else None


def _failed(words: Words, reason: str) -> Response:
    return JSONResponse({"text": words("failed", reason=reason)}, 409)

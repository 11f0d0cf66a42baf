"""A page without a line: the judge is the test, the web server and its thread are real."""

import http.client
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from inspector import lines
from inspector.broker import free_port
from inspector.cameras import CameraState
from inspector.page.feed import Condition, Feed, Shown
from inspector.page.server import Page
from inspector.page.settings import address
from inspector.publish.announcement import Totals
from inspector.publish.message import ModelInfo, ResultMessage, result_message
from inspector.types import Reason, Result, Rule, Scratch, Timing, Verdict

MODEL = ModelInfo(name="m", sha256="0" * 64, runtime="fake/CPU/f32")
PICTURE = np.random.default_rng(1).integers(0, 255, (300, 400, 3), np.uint8)
ONLINE = CameraState(True, 0.0, "", 1, 0, 0, False, 0.0)


def scratch(length_px: float) -> Scratch:
    """One of this length, somewhere."""
    end = int(10 + length_px)
    return Scratch(length_px, 2.0, 3.0, 40, 0.9, ((10, 10), (end, 10), (end, 13), (10, 13)))


def result(*lengths_px: float, rule: Rule | None = None) -> Result:
    """A part with scratches of these lengths, held against a limit of 40 px."""
    long = [length for length in lengths_px if length >= 40]
    reasons = [Reason(Rule.MIN_SCRATCH_PX, n, 40, "px", margin=40 - n) for n in long]
    verdict = Verdict.FAIL if long else Verdict.PASS
    if rule is not None:
        reasons, verdict = [Reason(rule)], Verdict.UNKNOWN
    found = tuple(map(scratch, lengths_px))
    return Result("part.png", verdict, tuple(reasons), found, (400, 300), Timing(total=12.0))


class Judge:
    """What the daemon is to the page."""

    def __init__(self, config: lines.Line) -> None:
        self.config = config
        self.feed = Feed()
        self.alarms: dict[str, str | None] = {}
        self._counted = [0, 0, 0, 0]
        self.condition()

    def condition(self, **changes: Any) -> None:
        """The line is well, but for these."""
        limits = lines.read(self.config.path).config.limits
        values = {
            "camera": ONLINE,
            "connected": True,
            "alarms": (),
            "limits": limits,
            "scale": None,
        } | changes
        self.feed.condition = Condition(time.monotonic(), **values)

    def message(self, judged: Result) -> ResultMessage:
        """As it is recorded."""
        seq = self._counted[0] + 1
        return result_message(
            judged,
            id=f"abc-1-{seq}",
            seq=seq,
            time=datetime.now(UTC),
            site="plant-a",
            line="line1",
            limits=self.config.config.limits,
            model=MODEL,
        )

    def judge(self, judged: Result) -> ResultMessage:
        """One more part, with a picture."""
        message = self.message(judged)
        self._counted[0] += 1
        self._counted[("pass", "fail", "unknown").index(judged.verdict) + 1] += 1
        parts, passed, failed, unknown = self._counted
        totals = Totals(parts=parts, passed=passed, failed=failed, unknown=unknown)
        self.condition()
        self.feed.show(Shown(message, totals, totals), PICTURE)
        return message


class Browser:
    """Requests as a browser makes them, with its cookies; `page()` loads the page's token."""

    def __init__(self, where: str, tls: ssl.SSLContext | None = None) -> None:
        self.host, self.port = address(where)
        self.where = where
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.tls = tls
        self.origin = f"{'https' if tls else 'http'}://{where}"

    def connect(self, timeout_s: float = 10) -> http.client.HTTPConnection:
        """A connection of its own."""
        if self.tls is not None:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=timeout_s, context=self.tls
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        return self._ask("GET", path, None, headers)

    def page(self) -> str:
        """The whole page; its token is remembered."""
        status, _, body = self.get("/")
        assert status == 200, body
        text = body.decode()
        self.token = re.search('name="token" content="([^"]+)"', text)[1]
        return text

    def post(self, path: str, content: object = None, **headers: str) -> tuple[int, dict, bytes]:
        """As the page's script does; headers given here take the place of its own."""
        own = {"origin": self.origin, "x-token": self.token, "content-type": "application/json"}
        body = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
        return self._ask(
            "POST", path, body, own | {k.replace("_", "-"): v for k, v in headers.items()}
        )

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        connection = self.connect()
        try:
            if self.cookies:
                headers["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def served(folder: Path, **page: Any) -> Iterator[tuple[Judge, Browser, Page]]:
    """A page with these settings, that answers."""
    where = page.pop("listen", None) or f"127.0.0.1:{free_port()}"
    tls = page.pop("context", None)
    line = {
        "site": "plant-a",
        "line": "line1",
        "camera": {"source": "folder:pictures"},
        "page": {"listen": where} | page,
    }
    path = folder / "line.yaml"
    path.write_text(yaml.safe_dump(line))
    told = lines.read(path)
    told.config.state_dir.mkdir(parents=True, exist_ok=True)
    judge = Judge(told)
    server = Page(told, judge.feed, MODEL, judge.alarms.__setitem__)
    server.start(lambda _: {})
    browser = Browser(where, tls)
    beat = threading.Event()

    def live() -> None:  # as the judge goes round while nothing passes
        while not beat.wait(0.2):
            condition = judge.feed.condition
            judge.condition(alarms=condition.alarms, camera=condition.camera)
            server.tend()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield judge, browser, server
    finally:
        beat.set()
        thread.join()
        server.stop()


def until(true: Callable[[], object], timeout_s: float = 10) -> None:
    """Wait for it."""
    end_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(0.05)


def answers(browser: Browser) -> bool:
    """Whether the page is there."""
    try:
        return browser.get("/static/page.css")[0] == 200
    except OSError:
        return False

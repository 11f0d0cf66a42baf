"""The page as a thread of the daemon: it starts, serves, and is started again when it fails.

It has a loop of its own, and gets nothing by which it could hold up the judge: results come through
the feed, all else it reads from the disk. What is wrong with it is an alarm, never a stop.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from inspector import lines
from inspector.errors import InspectorError
from inspector.page.feed import Feed
from inspector.page.settings import PageConfig
from inspector.page.shift import DAY, ShiftCount, began_at, totals_of
from inspector.publish.message import ModelInfo

log = logging.getLogger(__name__)

CODE = "page"
AGAIN_S = 5.0  # until it tries again: the port may be free then
SILENT_S = 30.0  # a page that has not moved for so long hangs
STOP_S = 2.0


class Page:
    """The page of a line, if the line has one. Its methods are the judge's, and return at once."""

    def __init__(
        self,
        told: lines.Line,
        feed: Feed,
        model: ModelInfo,
        alarm: Callable[[str, str | None], None],
    ) -> None:
        """`alarm` takes a code and a text, None to clear it."""
        self._told = told
        self._config = told.config.page
        self._feed = feed
        self._model = model
        self._alarm = alarm
        self._stopping = threading.Event()
        self._trouble: str | None = None  # written by the thread, read by the judge
        self._told_trouble: str | None = None
        self._moved: Callable[[], float] = lambda: math.inf
        self._wake: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        alarm(CODE, None)  # of an earlier session

    def start(self, verdicts_since: Callable[[datetime], Mapping[str, int]]) -> None:
        """Begin to serve; `verdicts_since` is asked before, for what was counted by now."""
        if self._config is None:
            return
        now = datetime.now().astimezone()
        before = totals_of(verdicts_since(began_at(self._config.shifts, now)))
        # One for as long as the line runs: a page that comes late, or again, goes on with it.
        self._shift = ShiftCount(self._config.shifts, now, before)
        self._today = totals_of(verdicts_since(began_at(DAY, now)))
        self._thread.start()

    def tend(self) -> None:
        """Say what is wrong with the page, when that changes."""
        trouble = self._trouble
        silent_s = time.monotonic() - self._moved()
        if trouble is None and silent_s > SILENT_S:
            trouble = f"it does not move since {SILENT_S:.0f} s or longer"
        if trouble != self._told_trouble:
            self._told_trouble = trouble
            self._alarm(CODE, trouble)

    def stop(self) -> None:
        """End it; what hangs is left behind."""
        self._stopping.set()
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._serve())
            except (InspectorError, OSError) as error:
                self._fail(str(error))
            except Exception as error:
                log.exception("the page failed")
                self._fail(f"{type(error).__name__}: {error}")
            finally:
                self._moved, self._wake = lambda: math.inf, lambda: None
            self._stopping.wait(AGAIN_S)

    def _fail(self, text: str) -> None:
        if text != self._trouble:
            log.error("the page cannot be served, judging goes on: %s", text)
        self._trouble = text

    async def _serve(self) -> None:
        """Until `stop`.

        Raises:
            InspectorError, OSError: it cannot be served.
        """
        # Here, because they take a third of a second in which the first parts are judged.
        from inspector.page.desk import Desk
        from inspector.page.serving import listen, server_of
        from inspector.page.site import Site

        config, line = self._expect_config(), self._told.config
        desk = Desk(
            self._feed,
            line=self._told.path,
            state_dir=line.state_dir,
            model=self._model,
            shift=self._shift,
            today=self._today,
            limits=line.limits,
        )
        site = Site(desk, config, f"{line.site} / {line.line}")
        listener = listen(config.listen)
        server = server_of(site.app(), config.tls)
        loop = asyncio.get_running_loop()

        def end() -> None:
            desk.close()
            server.should_exit = True

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(end)

        self._moved, self._wake = lambda: desk.moved_s, wake
        if self._stopping.is_set():
            end()
        desk_task = asyncio.create_task(desk.run())
        desk_task.add_done_callback(lambda _: end())
        scheme = "https" if config.tls else "http"
        log.info("page: %s://%s", scheme, config.listen)
        self._trouble = None
        try:
            await server.serve(sockets=[listener])
        finally:
            desk_task.cancel()
            with suppress(asyncio.CancelledError):
                await desk_task

    def _expect_config(self) -> PageConfig:
        if self._config is None:
            raise RuntimeError("expected a page in the line's configuration")
        return self._config

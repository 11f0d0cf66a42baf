"""The page's own loop: takes what the judge lets it see, and puts it before whoever looks.

Pictures are encoded here, once for all viewers, five times per second at most, and not at all while
nobody looks.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from inspector.limits import Limits
from inspector.page import recorded
from inspector.page.book import Book
from inspector.page.bulletin import Bulletin, Reel
from inspector.page.feed import Condition, Feed, Shown
from inspector.page.marks import MARKS, Marks
from inspector.page.picture import jpeg
from inspector.page.recorded import Disk
from inspector.page.render import QUICK, SLOW, Renderer, View
from inspector.page.shift import ShiftCount
from inspector.page.words import LANGUAGES
from inspector.publish.announcement import Totals
from inspector.publish.message import ModelInfo, ResultMessage
from inspector.record.schema import OUTBOX
from inspector.types import Image, Verdict

log = logging.getLogger(__name__)
T = TypeVar("T")

WATCHED_S = 0.2  # five times per second is as often as people see it
UNWATCHED_S = 0.5
DISK_S = 2.0
SLOW_S = 0.6  # between two times that the long lists are made
REJECTS_AT_ONCE = 1  # pictures of rejects, beside the live one, that are encoded in one round


class Desk:
    """One line's page. All but `moved_s` belongs to the page's thread."""

    def __init__(
        self,
        feed: Feed,
        *,
        line: Path,
        state_dir: Path,
        model: ModelInfo,
        shift: ShiftCount,
        today: Totals,
        limits: Limits,
    ) -> None:
        """`today`: what was counted since midnight before the line was started.

        Each attempt to serve makes one, so that the end of a shift is noticed without a page, too.
        """
        self.moved_s = time.monotonic()
        """When the loop last went round, on the monotonic clock."""
        self.line = line
        self.renderer = Renderer()
        since_start, since_midnight = feed.totals or (Totals(), today)
        self.book = Book(since_start=since_start, since_midnight=since_midnight)
        self.marks = Marks(state_dir / MARKS)
        self.reel = Reel()
        self.bulletins = {code: Bulletin() for code in LANGUAGES}
        self.closing = False
        """Whether streams should end."""
        self._feed = feed
        self._state_dir = state_dir
        self._model = model
        self._limits = limits
        self._shift_count = shift
        self._shift = shift.count(since_start, _now())
        self._disk: Disk | None = None
        self._disk_due_s = self._slow_due_s = 0.0
        self._loose: dict[str, Image] = {}
        self._newest: tuple[ResultMessage, Image] | None = None
        self._encoded = ""
        self._looking: asyncio.Future[None] | None = None
        # Not on the loop: one may hang on a disk that does not answer, and the page goes on.
        self._hands = ThreadPoolExecutor(3, thread_name_prefix="page-hand")

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return self.reel.viewers > 0 or any(b.readers for b in self.bulletins.values())

    def view(self) -> View:
        """All that can be shown, as it is now."""
        return View(
            time.monotonic(),
            self.condition,
            self._disk,
            self.book,
            self._shift,
            self._shift_count,
            self.marks,
            self._model,
        )

    @property
    def condition(self) -> Condition | None:
        """How the line is."""
        return self._feed.condition

    def aside(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Do what may take a while beside the loop."""
        return asyncio.get_running_loop().run_in_executor(self._hands, work)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            self.book.restore(await self.aside(self._recorded), self._limits)
            while True:
                await self._round()
                await asyncio.sleep(WATCHED_S if self.watched else UNWATCHED_S)
        finally:
            self._hands.shutdown(wait=False, cancel_futures=True)

    async def picture(self, name: str) -> bytes | None:
        """The JPEG of a part, from memory or from the evidence; None where there is none."""
        data = self.book.picture(name)
        if data is not None:
            return data
        return await self.aside(lambda: recorded.picture(self._state_dir, name))

    def close(self) -> None:
        """Let all streams end."""
        self.closing = True
        self.reel.wake()
        for bulletin in self.bulletins.values():
            bulletin.wake()

    def _recorded(self) -> list[ResultMessage]:
        return list(recorded.results(self._state_dir / OUTBOX))

    async def _round(self) -> None:
        now_s = self.moved_s = time.monotonic()
        parts, pictures = self._feed.take()
        pictures = self._loose | pictures
        condition = self.condition
        limits = condition.limits if condition else self._limits
        for part in parts:
            self.book.add(part, limits, now_s)
        # A picture is let go before its part, so one without a part belongs to the next round.
        self._loose = {
            n: p for n, p in pictures.items() if not any(n == s.message.id for s in parts)
        }
        self._shift = self._shift_count.count(self.book.since_start, _now())
        for part in parts:
            if part.message.id in pictures:
                self._newest = part.message, pictures[part.message.id]
        if not self.watched:
            return
        await self._encode(parts, pictures)
        if now_s >= self._disk_due_s and (self._looking is None or self._looking.done()):
            self._disk_due_s = now_s + DISK_S
            self._looking = self.aside(self._look_at_disk)
        self._publish(now_s)

    def _look_at_disk(self) -> None:
        self._disk = recorded.look(self._state_dir, self.line)

    async def _encode(self, parts: list[Shown], pictures: dict[str, Image]) -> None:
        rejects = [
            (part.message, pictures[part.message.id])
            for part in parts
            if part.message.verdict is not Verdict.PASS and part.message.id in pictures
        ]
        for message, image in rejects[-REJECTS_AT_ONCE:]:
            await self._picture(message, image)
        if self._newest is None or self._newest[0].id == self._encoded:
            return
        message, image = self._newest
        self._encoded = message.id
        data = await self._picture(message, image)
        if data is not None:
            self.reel.show(data)

    async def _picture(self, message: ResultMessage, image: Image) -> bytes | None:
        known = self.book.picture(message.id)
        if known is not None:
            return known
        try:
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(self._hands, jpeg, image, message)
        except ValueError as error:
            log.debug("%s: %s", message.id, error)
            return None
        self.book.keep_picture(message.id, data)
        return data

    def _publish(self, now_s: float) -> None:
        names = [*QUICK]
        if now_s >= self._slow_due_s:
            self._slow_due_s = now_s + SLOW_S
            names += SLOW
        view = self.view()
        for code, bulletin in self.bulletins.items():
            if bulletin.readers:
                bulletin.put(self.renderer.pieces(view, code, names))


def _now() -> datetime:
    return datetime.now().astimezone()

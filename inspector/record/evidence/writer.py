"""The keeper of evidence: one thread that writes what the judge hands over, and makes room for it.

The judge never waits for it and never hears of its troubles: a queue that is full, a disk that is
full, a folder that cannot be written are counted and become the alarm `evidence`.
"""

import contextlib
import logging
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from inspector.errors import EvidenceError
from inspector.keeping import Choice, Keeping, Kept
from inspector.publish.announcement import EvidenceStats
from inspector.record.database import DAMAGED
from inspector.record.evidence.draft import Part, draft
from inspector.record.evidence.record import Judging
from inspector.record.evidence.store import Store
from inspector.record.evidence.waiting import Waiting
from inspector.record.room import Room
from inspector.types import Frame, Result, Unseen

log = logging.getLogger(__name__)

EVIDENCE = "evidence"
"""Code of the alarm."""

TICK_S = 1.0  # how often it looks after the disk
RETRY_S = 5.0  # a folder that cannot be opened is tried again so often
HANG_S = 15.0  # a disk that takes so long for one part does not answer
REMEMBER_S = 60.0  # for so long the alarm says that parts were not kept
BATCH = 100  # records, given up at a time
NICE = 10  # encoding yields to judging


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """How it is doing. `dropped`: parts that should have been kept, and were not; `skipped`: parts
    that are not among the last ones because there was no time; `head`: number and hash of the
    newest record of the chain; `trouble`: what keeps parts from being kept now.
    """

    records: int
    size_bytes: int
    written: int
    dropped: int
    skipped: int
    waiting: int
    head: tuple[int, str | None]
    trouble: str | None


class Evidence:
    """Keeps parts in `root` as the line is told; None: none. `start` and `stop` it once.

    `alarm` takes a code and a text, None to clear. All methods but `stop` return at once, and none
    raises.
    """

    def __init__(
        self,
        keeping: Keeping | None,
        root: Path,
        judging: Judging,
        alarm: Callable[[str, str | None], None],
    ) -> None:
        self.judging = judging
        """What parts are judged by from now on; it is written beside each of them."""
        self.yields = False
        """The disk is short of room, and there is evidence left that makes some."""
        self._on = keeping is not None
        self._keeping = keeping or Keeping()
        self._root = root
        self._alarm = alarm
        self._choice = Choice(self._keeping, Random())  # noqa: S311 - no secret
        self._waiting = Waiting()
        self._store: Store | None = None
        self._open_due_s = self._tend_due_s = -math.inf
        self._busy_since_s: float | None = None
        self._head: tuple[int, str | None] = (0, None)
        self._fault: str | None = None  # of the last attempt to write
        self._no_room: str | None = None
        self._written = self._failed = 0
        self._told: str | None = None
        self._refused_before, self._refused_s = 0, -math.inf
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)
        alarm(EVIDENCE, None)  # of an earlier session

    def start(self) -> None:
        """Start the thread, if anything is to be kept."""
        if self._on:
            self._thread.start()

    def choose(self, part: Frame | Unseen, result: Result) -> Kept | None:
        """Why this part will be kept; None: it will not, as one of which there is no picture. For
        each part, before it is recorded.
        """
        if not self._on or not isinstance(part, Frame):
            return None
        kept = self._choice.of(result)
        return kept if kept and self._waiting.has_room(kept, part.image.nbytes) else None

    def will_name(self, kept: Kept | None) -> bool:
        """Whether its message may say that there is a picture: not of one that stays for seconds,
        and not while none can be written.
        """
        return kept not in (None, Kept.LAST) and self._trouble is None

    def keep(
        self, kept: Kept, part: Frame | Unseen, result: Result, name: str, payload: str
    ) -> None:
        """Hand over a part that was chosen, and was recorded with this id and message."""
        if isinstance(part, Frame):
            self._waiting.put(Part(name, kept, part.image, result, payload, self.judging))

    def tend(self) -> None:
        """Raise or clear the alarm. It is the judge who tells: the thread may hang on its disk."""
        now_s, refused = time.monotonic(), self._waiting.refused
        if refused > self._refused_before:
            self._refused_before, self._refused_s = refused, now_s
        text = self._trouble
        if text is None and now_s - self._refused_s < REMEMBER_S:
            text = f"{self._root}: parts come faster than they can be written; not all are kept"
        if text == self._told:
            return
        log.log(logging.INFO if text is None else logging.ERROR, "evidence: %s", text or "well")
        self._told = text
        self._alarm(EVIDENCE, text)

    @property
    def state(self) -> EvidenceState:
        """How it is doing right now."""
        store = self._store
        return EvidenceState(
            records=store.records if store else 0,
            size_bytes=store.size_bytes if store else 0,
            written=self._written,
            dropped=self._failed + self._waiting.refused,
            skipped=self._waiting.skipped,
            waiting=len(self._waiting),
            head=self._head,
            trouble=self._trouble,
        )

    def stats(self) -> EvidenceStats:
        """The same, as the line publishes it."""
        state = self.state
        number, sha256 = state.head
        return EvidenceStats(
            records=state.records,
            size_bytes=state.size_bytes,
            dropped=state.dropped,
            number=number,
            sha256=sha256,
        )

    def stop(self, timeout_s: float) -> bool:
        """Write what waits, if it can be written in that time; True if nothing is left."""
        self._waiting.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return self._waiting.drained and not self._thread.is_alive()

    @property
    def _trouble(self) -> str | None:
        since_s = self._busy_since_s
        if since_s is not None and time.monotonic() - since_s > HANG_S:
            return f"{self._root}: the disk does not answer: parts are not kept"
        return self._fault or self._no_room

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # the unit of systemd forbids it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while not self._waiting.drained:
            part = self._waiting.next(TICK_S)
            self._busy_since_s = time.monotonic()
            try:
                self._go_round(part)
            except Exception as error:
                self._fail(error)
                self._failed += _counts(part)
            self._busy_since_s = None
            if part is not None:
                self._waiting.done()
        if self._store is not None:
            self._store.close()

    def _go_round(self, part: Part | None) -> None:
        store = self._opened()
        if store is not None and time.monotonic() >= self._tend_due_s:
            self._tend_due_s = time.monotonic() + TICK_S
            store.tend(self._keeping, datetime.now(UTC), BATCH)
            self._make_room(store)
        if part is None:
            return
        if store is None or self._no_room is not None:
            self._failed += _counts(part)
            return
        store.add(draft(part), self._keeping.last)
        self._written += 1
        self._fault = None
        self._head = store.head
        if store.size_bytes > self._keeping.max_bytes:
            self._make_room(store)

    def _opened(self) -> Store | None:
        if self._store is not None and not self._store.in_place:
            log.error("%s: somebody has deleted or replaced the index: it is made anew", self._root)
            self._store.close()
            self._store = None
            self._open_due_s = -math.inf
        if self._store is None and time.monotonic() >= self._open_due_s:
            self._open_due_s = time.monotonic() + RETRY_S
            self._store = Store(self._root)
            self._head = self._store.head
            self._fault = None
        return self._store

    def _make_room(self, store: Store) -> None:
        """Give up what goes first, until there is as much room as the line is told to leave."""
        freed = 0
        while True:
            self._busy_since_s = time.monotonic()
            room = Room.at(self._root)
            short = room.lacking(self._keeping.min_free_bytes)
            lacking = max(short, math.ceil(store.size_bytes - self._keeping.max_bytes))
            self.yields = short > 0 and bool(store.records or store.last)
            if lacking <= 0:
                break
            found = store.give_up_first(lacking, datetime.now(UTC), BATCH)
            freed += found
            if not found and not store.give_up_last():
                break
        if freed:
            log.info("%s: %d records were deleted to make room: %s", self._root, freed, room)
        off = room.is_tight or (self._no_room is not None and short > 0)
        text = f"{self._root}: {room}: parts are not kept"
        self._no_room = (self._no_room or text) if off else None

    def _fail(self, error: Exception) -> None:
        expected = isinstance(error, OSError | sqlite3.Error | EvidenceError)
        if self._fault is None:
            log.error("what is kept cannot be written", exc_info=None if expected else error)
            why = (error.strerror if isinstance(error, OSError) else None) or error
            self._fault = f"{self._root}: parts are not kept: {why}"
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
        if self._store is not None and (damaged or isinstance(error, FileNotFoundError)):
            self._store.close()
            self._store = None


def _counts(part: Part | None) -> bool:
    """Whether it is a loss that this part is not kept."""
    return part is not None and part.kept is not Kept.LAST

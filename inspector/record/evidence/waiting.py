"""The queue between the judge and the thread that keeps: bounded in parts and in bytes."""

import threading
from collections import deque

from inspector.keeping import Kept
from inspector.record.evidence.draft import Part

PARTS, BYTES = 8, 64 << 20  # and their pictures; a part of any size may wait alone
PARTS_LAST = 2  # one that is not of the chain waits behind fewer: those that are come first


class Waiting:
    """Parts that wait to be written. `refused` and `skipped`: how many found no place, of those for
    the chain and of the others.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.skipped = 0
        self._changed = threading.Condition()
        self._parts: deque[Part] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._parts)

    def has_room(self, kept: Kept, size_bytes: int) -> bool:
        """Whether such a part may be put; if not it is counted. Only one thread puts parts, so what
        this says holds until it does.
        """
        with self._changed:
            waiting = len(self._parts)
            fits = waiting == 0 or size_bytes + sum(p.size_bytes for p in self._parts) <= BYTES
        if fits and waiting < (PARTS_LAST if kept is Kept.LAST else PARTS):
            return True
        if kept is Kept.LAST:
            self.skipped += 1
        else:
            self.refused += 1
        return False

    def put(self, part: Part) -> None:
        """Let it wait for its turn."""
        with self._changed:
            self._parts.append(part)
            self._changed.notify_all()

    def next(self, timeout_s: float) -> Part | None:
        """The part whose turn it is, which goes on to take its place until it is `done`; None if
        there is none in that time, or there will be none any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._parts or self._closed, timeout_s)
            return self._parts[0] if self._parts else None

    def done(self) -> None:
        """The part whose turn it was needs its place no longer."""
        with self._changed:
            self._parts.popleft()

    @property
    def drained(self) -> bool:
        """It is closed, and nothing waits."""
        with self._changed:
            return self._closed and not self._parts

    def close(self) -> None:
        """Nothing more will be put."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

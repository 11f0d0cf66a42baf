"""The janitor: keeps an eye on the room that an outbox has, and makes some before it runs out.

A full disk shows step by step: acknowledged rows are kept for shorter, so that their pages take the
new ones; the alarm `disk_low`; a write that fails releases the ballast and goes on: `disk_full`.
What then still finds no room is not recorded.
"""

import logging
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from inspector.errors import OutboxError
from inspector.record.ballast import BALLAST_BYTES
from inspector.record.outbox import Outbox

log = logging.getLogger(__name__)

EVERY_S = 1.0
KEEP, KEEP_ROWS = timedelta(days=7), 1_000_000  # delivered results stay for a broker that forgets
KEEP_ROWS_TIGHT = 1_000
# Free of the disk, the smaller of a share and bytes: 10 % of a large disk would last for months.
LOW_SHARE, LOW_BYTES = 0.10, 1 << 30
TIGHT_SHARE, TIGHT_BYTES = 0.15, 3 << 29  # the space between keeps the alarm from flapping
DISK_LOW, DISK_FULL = "disk_low", "disk_full"


@dataclass(frozen=True, slots=True)
class Room:
    """What is free of a disk, in bytes."""

    free: int
    total: int

    @property
    def is_low(self) -> bool:
        """Somebody has to make room."""
        return self.free < min(LOW_SHARE * self.total, LOW_BYTES)

    @property
    def is_tight(self) -> bool:
        """It could soon be low, or was and is not well yet."""
        return self.free < min(TIGHT_SHARE * self.total, TIGHT_BYTES)

    def __str__(self) -> str:
        return f"{self.free / 2**20:.0f} of {self.total / 2**20:.0f} MiB free"


class Janitor:
    """Called as often as the judge goes round; `alarm` takes a code and a text, None to clear."""

    def __init__(self, outbox: Outbox, alarm: Callable[[str, str | None], None]) -> None:
        self._outbox = outbox
        self._alarm = alarm
        self._raised = {DISK_LOW: False, DISK_FULL: False}
        self._due_s = -math.inf
        for code in self._raised:
            alarm(code, None)  # of an earlier session

    def tend(self) -> None:
        """Look once per second."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        try:
            usage = shutil.disk_usage(self._outbox.path.parent)
        except OSError:
            log.exception("the room on the disk is not known")
            return
        room = Room(usage.free, usage.total)
        self._keep_ballast(room)
        low = room.is_low or (self._raised[DISK_LOW] and room.is_tight)
        self._tell(DISK_LOW, f"{self._outbox.path.parent}: {room}: make room" if low else None)
        self._tell(DISK_FULL, None if self._outbox.ballast.held else _full(self._outbox, room))
        try:
            self._outbox.purge(KEEP, KEEP_ROWS_TIGHT if room.is_tight else KEEP_ROWS)
        except OutboxError as error:
            log.warning("delivered results stay: %s", error)

    def _keep_ballast(self, room: Room) -> None:
        """Make it again once as much room is left beside it."""
        if self._outbox.ballast.held or room.free < 2 * BALLAST_BYTES:
            return
        try:
            self._outbox.ballast.make()
        except OSError as error:  # somebody else was quicker
            log.warning("%s: no ballast: %s", self._outbox.path.parent, error)
            return
        log.info("%s: a ballast of %d MiB is held", self._outbox.path.parent, BALLAST_BYTES >> 20)

    def _tell(self, code: str, text: str | None) -> None:
        """Raise or clear an alarm; its text stays as it was raised."""
        if self._raised[code] == (text is not None):
            return
        self._raised[code] = text is not None
        log.log(logging.INFO if text is None else logging.ERROR, "%s: %s", code, text or "over")
        self._alarm(code, text)


def _full(outbox: Outbox, room: Room) -> str:
    return (
        f"{outbox.path.parent}: {room}, and no ballast is left: "
        "what finds no room is not recorded and cannot pass"
    )

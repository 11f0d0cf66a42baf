"""The janitor: keeps an eye on the room that an outbox has, and makes some before it runs out.

A full disk shows step by step: kept pictures give way; acknowledged rows are kept for shorter, so
that their pages take the new ones; the alarm `disk_low`; a write that fails releases the ballast
and goes on: `disk_full`. What then still finds no room is not recorded.
"""

import logging
import math
import time
from collections.abc import Callable
from datetime import timedelta

from inspector.errors import OutboxError
from inspector.record.ballast import BALLAST_BYTES
from inspector.record.outbox import Outbox
from inspector.record.room import Room

log = logging.getLogger(__name__)

EVERY_S = 1.0
KEEP, KEEP_ROWS = timedelta(days=7), 1_000_000  # delivered results stay for a broker that forgets
KEEP_ROWS_TIGHT = 1_000
DISK_LOW, DISK_FULL = "disk_low", "disk_full"
OUTBOX_ASTRAY = "outbox_astray"


class Janitor:
    """Called as often as the judge goes round; `alarm` takes a code and a text, None to clear.

    While `somebody_yields` says so, somebody else is making room, and acknowledged rows stay.
    """

    def __init__(
        self,
        outbox: Outbox,
        alarm: Callable[[str, str | None], None],
        somebody_yields: Callable[[], bool] = lambda: False,
    ) -> None:
        self._outbox = outbox
        self._alarm = alarm
        self._somebody_yields = somebody_yields
        self._raised = {DISK_LOW: False, DISK_FULL: False}
        self._mishap: str | None = None
        self._due_s = -math.inf
        for code in (*self._raised, OUTBOX_ASTRAY):
            alarm(code, None)  # of an earlier session

    def tend(self) -> None:
        """Look once per second."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        self._tell_mishap()
        try:
            room = Room.at(self._outbox.path.parent)
        except OSError:
            log.exception("the room on the disk is not known")
            return
        self._keep_ballast(room)
        low = room.is_low or (self._raised[DISK_LOW] and room.is_tight)
        self._tell(DISK_LOW, f"{self._outbox.path.parent}: {room}: make room" if low else None)
        self._tell(DISK_FULL, None if self._outbox.ballast.held else _full(self._outbox, room))
        # Once it is low nobody is waited for: who should make room may not come to it.
        thins = room.is_low or (room.is_tight and not self._somebody_yields())
        try:
            self._outbox.purge(KEEP, KEEP_ROWS_TIGHT if thins else KEEP_ROWS)
        except OutboxError as error:
            log.warning("delivered results stay: %s", error)

    def _tell_mishap(self) -> None:
        mishap = self._outbox.mishap()
        if mishap != self._mishap:
            self._mishap = mishap
            self._alarm(OUTBOX_ASTRAY, mishap)

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

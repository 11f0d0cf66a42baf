"""What the judge lets the page see: it writes and goes on, whether anybody reads or not.

One thread writes, one reads. A write is one append to a bounded deque or one assignment, neither of
which waits: there is no lock that the page could hold. What nobody takes is overwritten.
"""

from collections import deque
from dataclasses import dataclass
from typing import TypeVar

from inspector.cameras.grabber import CameraState
from inspector.limits import Limits, Scale
from inspector.publish.announcement import AlarmMessage, Totals
from inspector.publish.message import ResultMessage
from inspector.types import Image

T = TypeVar("T")

PARTS = 512  # a page that looks twice per second misses nothing of a line with 1000 parts a second
PICTURES = 3  # frames are large: 36 MB of twelve megapixels


@dataclass(frozen=True, slots=True)
class Shown:
    """A judged part and the totals with it. One whose result could not be recorded is none of the
    totals, and has the number 0.
    """

    message: ResultMessage
    since_start: Totals
    since_midnight: Totals


@dataclass(frozen=True, slots=True)
class Condition:
    """How the line is, at `at_s` of the monotonic clock."""

    at_s: float
    camera: CameraState
    connected: bool
    alarms: tuple[AlarmMessage, ...]
    limits: Limits
    scale: Scale | None


class Feed:
    """The last parts, their pictures, and how the line is."""

    def __init__(self) -> None:
        self.condition: Condition | None = None
        """The newest; None before the line has begun."""
        self.totals: tuple[Totals, Totals] | None = None
        """Since the start and since midnight, with the newest part; None before the first one."""
        self._parts: deque[Shown] = deque(maxlen=PARTS)
        self._pictures: deque[tuple[str, Image]] = deque(maxlen=PICTURES)

    def show(self, part: Shown, picture: Image | None) -> None:
        """One more part; its picture is not changed by anybody from now on."""
        if picture is not None:
            self._pictures.append((part.message.id, picture))
        self.totals = part.since_start, part.since_midnight
        self._parts.append(part)

    def take(self) -> tuple[list[Shown], dict[str, Image]]:
        """The parts since this was last asked, and pictures of some of them by id."""
        parts = _drain(self._parts)
        return parts, dict(_drain(self._pictures))


def _drain(queue: deque[T]) -> list[T]:
    taken: list[T] = []
    while True:
        try:
            taken.append(queue.popleft())
        except IndexError:
            return taken

"""What the page remembers of a line: its last parts, their pictures, lengths and pace. In memory
and bounded; the outbox has it all.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from inspector.limits import Limits
from inspector.page.feed import Shown
from inspector.page.lengths import length_of
from inspector.publish.announcement import Totals
from inspector.publish.message import ResultMessage
from inspector.types import Verdict

STRIP = 50  # parts
REJECTS = 12
LENGTHS = 2000  # parts that a limit is tried on
PACE_S = 60.0  # over which the rate is told
PICTURES = STRIP + REJECTS


@dataclass(frozen=True, slots=True)
class Pace:
    """Parts per minute, and ms from frame in to verdict out (median, 95 of 100); None: no part."""

    per_minute: float
    p50_ms: float | None
    p95_ms: float | None


@dataclass(slots=True)
class Book:
    """Written and read by the page's thread only. Times are of the monotonic clock."""

    last: deque[ResultMessage] = field(default_factory=lambda: deque(maxlen=STRIP))
    rejects: deque[ResultMessage] = field(default_factory=lambda: deque(maxlen=REJECTS))
    newest: Shown | None = None
    newest_s: float = 0.0
    since_start: Totals = field(default_factory=Totals)
    since_midnight: Totals = field(default_factory=Totals)
    _lengths: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=LENGTHS))
    _pace: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=LENGTHS))
    _pictures: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    def restore(self, messages: Iterable[ResultMessage], limits: Limits) -> None:
        """Parts of before the start, the oldest first; they are none of what is counted."""
        for message in messages:
            self._remember(message, limits)

    def add(self, part: Shown, limits: Limits, now_s: float) -> None:
        """One more part, judged by these limits."""
        self.newest, self.newest_s = part, now_s
        self.since_start, self.since_midnight = part.since_start, part.since_midnight
        self._pace.append((now_s, part.message.timing_ms.total))
        self._remember(part.message, limits)

    def _remember(self, message: ResultMessage, limits: Limits) -> None:
        if any(message.id == known.id for known in self.last):
            return  # it was recorded while the outbox was read
        self.last.append(message)
        self._lengths.append((length_of(message, limits, "px"), length_of(message, limits, "mm")))
        if message.verdict is not Verdict.PASS:
            self.rejects.append(message)

    def find(self, name: str) -> ResultMessage | None:
        """A part that is still known, by the id of its result."""
        parts = (*reversed(self.last), *reversed(self.rejects))
        return next((part for part in parts if part.id == name), None)

    def keep_picture(self, name: str, jpeg: bytes) -> None:
        """The picture of a part; the oldest ones go."""
        self._pictures[name] = jpeg
        while len(self._pictures) > PICTURES:
            wanted = {part.id for part in self.rejects}
            name = next((n for n in self._pictures if n not in wanted), next(iter(self._pictures)))
            del self._pictures[name]

    def picture(self, name: str) -> bytes | None:
        """The JPEG of a part, None where it is not kept."""
        return self._pictures.get(name)

    def lengths(self, unit: str) -> list[float]:
        """What the last parts are held against a limit in px or mm with, `lengths.length_of`."""
        return [px if unit == "px" else mm for px, mm in self._lengths]

    def pace(self, now_s: float) -> Pace:
        """Over the last minute, or since the first part."""
        recent = [(at_s, ms) for at_s, ms in self._pace if now_s - at_s <= PACE_S]
        if not recent:
            return Pace(0.0, None, None)
        span_s = max(now_s - recent[0][0], 1.0)
        # The first part only opens the interval in which the others are counted.
        counted = len(recent) - 1 if len(recent) > 1 else 0
        times = sorted(ms for _, ms in recent)
        return Pace(
            counted / span_s * 60,
            times[len(times) // 2],
            times[min(len(times) - 1, len(times) * 95 // 100)],
        )

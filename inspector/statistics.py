"""What a line counts: verdicts, rate and latency. Pure: the time is handed in."""

from collections import Counter, deque
from collections.abc import Mapping
from datetime import date

import numpy as np

from inspector.publish.announcement import LatencyMs, Totals
from inspector.types import Verdict

MOST = 10_000  # latencies that are kept: nobody asks while the broker is away, for days maybe


class Counts:
    """Verdicts of one session and of one day."""

    def __init__(self, day: date, today: Mapping[str, int]) -> None:
        """`today`: what this line had judged on `day` before it was started."""
        self._day = day
        self._since_start: Counter[str] = Counter()
        self._since_midnight: Counter[str] = Counter(today)

    def add(self, verdict: Verdict, day: date) -> None:
        """Count one part that was judged on `day`."""
        if day != self._day:
            self._day = day
            self._since_midnight.clear()
        self._since_start[verdict] += 1
        self._since_midnight[verdict] += 1

    def totals(self) -> tuple[Totals, Totals]:
        """Since the start, and since midnight."""
        return _totals(self._since_start), _totals(self._since_midnight)


class Pace:
    """Rate and latency over the interval between two reports; the latency is of its last parts."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._parts = 0
        self._total_ms: deque[float] = deque(maxlen=MOST)

    def add(self, total_ms: float) -> None:
        """One part was judged, `total_ms` after the camera began to read it."""
        self._parts += 1
        self._total_ms.append(total_ms)

    def report(self, now_s: float) -> tuple[float, LatencyMs]:
        """Parts per second and latency since the last report; the next interval begins."""
        last_ms, rate = self._total_ms, self._parts / max(now_s - self._since_s, 1e-9)
        p50, p95, p99 = np.percentile(last_ms, [50, 95, 99]).tolist() if last_ms else (None,) * 3
        self._since_s, self._parts = now_s, 0
        self._total_ms.clear()
        return rate, LatencyMs(p50=p50, p95=p95, p99=p99)


def _totals(counter: Counter[str]) -> Totals:
    return Totals(
        parts=counter.total(),
        passed=counter[Verdict.PASS],
        failed=counter[Verdict.FAIL],
        unknown=counter[Verdict.UNKNOWN],
    )

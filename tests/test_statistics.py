"""What a line counts, over minutes and over days."""

from datetime import date

from inspector.statistics import MOST, Counts, Pace
from inspector.types import Verdict


def test_rate_and_latency_are_of_the_interval() -> None:
    """The next report knows nothing of the one before; without parts there is no latency."""
    pace = Pace(100.0)
    for total_ms in range(1, 102):
        pace.add(total_ms)

    rate, latency = pace.report(110.0)
    assert (rate, latency.p50, latency.p95, latency.p99) == (10.1, 51, 96, 100)
    rate, latency = pace.report(120.0)
    assert (rate, latency.p50) == (0.0, None)


def test_an_interval_without_an_end_takes_no_memory() -> None:
    """Nobody asks while the broker is away: all parts are counted, and the last ones measured."""
    pace = Pace(0.0)
    for number in range(3 * MOST):
        pace.add(float(number >= MOST))

    assert len(pace._total_ms) == MOST
    rate, latency = pace.report(10.0)
    assert (rate, latency.p50) == (3 * MOST / 10, 1.0)


def test_a_new_day_starts_at_nothing() -> None:
    """What was counted since the start goes on."""
    counts = Counts(date(2026, 1, 1), {"pass": 5})
    counts.add(Verdict.FAIL, date(2026, 1, 1))
    start, midnight = counts.totals()
    assert (start.parts, midnight.parts, midnight.passed) == (1, 6, 5)

    counts.add(Verdict.PASS, date(2026, 1, 2))
    start, midnight = counts.totals()
    assert (start.parts, midnight.parts, midnight.passed) == (2, 1, 1)

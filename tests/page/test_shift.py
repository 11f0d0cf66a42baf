"""When a shift began, and what it has."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from inspector.page.shift import DAY, ShiftCount, began, began_at, totals_of
from inspector.publish.announcement import Totals

SHIFTS = ("06:00", "14:00", "22:00")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def parts(number: int) -> Totals:
    return totals_of({"pass": number})


@pytest.mark.parametrize(
    ("hour", "day", "start"), [(6, 1, 6), (5, 30, 22), (13, 1, 6), (14, 1, 14), (23, 1, 22)]
)
def test_a_shift_began_at_the_last_of_its_times(hour: int, day: int, start: int) -> None:
    """Before the first one of a day it is the last one of the day before."""
    found = began(SHIFTS, NOON.replace(hour=hour))

    assert (found.day, found.hour) == (day, start)


def test_what_a_shift_had_before_the_start_counts_until_it_ends() -> None:
    """The next one begins with nothing, whatever was counted since the start."""
    count = ShiftCount(SHIFTS, NOON, parts(100))

    assert count.count(parts(500), NOON) == parts(600)
    later = NOON + timedelta(hours=2)
    assert count.count(parts(500), later) == parts(0)
    assert count.since == later
    assert count.count(parts(520), later) == parts(20)


def test_a_shift_outlasts_the_end_of_summer_time() -> None:
    """At three in the morning it is two again, and the night shift keeps what it has."""
    summer, winter = (timezone(timedelta(hours=hours)) for hours in (2, 1))
    night = datetime(2026, 10, 25, 2, 59, tzinfo=summer)
    count = ShiftCount(SHIFTS, night, parts(0))

    assert count.count(parts(500), night) == parts(500)
    assert count.count(parts(501), datetime(2026, 10, 25, 2, 0, tzinfo=winter)) == parts(501)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("month", "day", "midnight", "night"),
    [(10, 25, (24, 22), (24, 20)), (3, 29, (28, 23), (28, 21)), (12, 1, (30, 23), (30, 21))],
)
def test_a_day_begins_by_the_offset_of_its_midnight(
    month: int, day: int, midnight: tuple[int, int], night: tuple[int, int]
) -> None:
    """Also after clocks were changed: a start in the morning counts what was judged since then."""
    now = datetime(2026, month, day, 4).astimezone()

    for shifts, expected in ((DAY, midnight), (SHIFTS, night)):
        found = began_at(shifts, now).astimezone(UTC)
        assert (found.day, found.hour) == expected

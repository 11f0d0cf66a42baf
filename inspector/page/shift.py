"""The shift that an instant lies in, and what was counted in it. Pure: the time is handed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from inspector.publish.announcement import Totals
from inspector.types import Verdict

DAY = ("00:00",)
"""As shifts: one from midnight on."""


def began(shifts: Sequence[str], now: datetime) -> datetime:
    """When the shift of `now` began: the last of the times ("06:00") today, else of yesterday."""
    for day in (now.date(), now.date() - timedelta(days=1)):
        for shift in reversed(shifts):
            start = datetime.combine(day, time.fromisoformat(shift), now.tzinfo)
            if start <= now:
                return start
    raise ValueError(f"expected at least one shift, found {shifts}")


def began_at(shifts: Sequence[str], now: datetime) -> datetime:
    """The instant of that, by the rules of this PC: on the two days on which clocks are changed the
    offset was another one than it is `now`.
    """
    return began(shifts, now).replace(tzinfo=None).astimezone()


def totals_of(verdicts: Mapping[str, int]) -> Totals:
    """Numbers by verdict, as the outbox counts them."""
    return Totals(
        parts=sum(verdicts.values()),
        passed=verdicts.get(Verdict.PASS, 0),
        failed=verdicts.get(Verdict.FAIL, 0),
        unknown=verdicts.get(Verdict.UNKNOWN, 0),
    )


class ShiftCount:
    """Parts of the running shift, kept by the totals since the start of the line."""

    def __init__(self, shifts: Sequence[str], now: datetime, before: Totals) -> None:
        """`before`: what this shift had already when the line was started."""
        self._shifts = shifts
        self._before = before
        self._base = Totals()
        self._last = Totals()
        self.since = began(shifts, now)
        """When the shift began."""

    def count(self, since_start: Totals, now: datetime) -> Totals:
        """What the shift has at `now`; at its end the next one begins with nothing."""
        since = began(self._shifts, now)
        # By the clock on the wall: where summer time ends at night, its shift goes on.
        if since.replace(tzinfo=None) != self.since.replace(tzinfo=None):
            self.since, self._before, self._base = since, Totals(), self._last
        self._last = since_start
        return Totals(
            **{
                name: getattr(self._before, name)
                + getattr(since_start, name)
                - getattr(self._base, name)
                for name in Totals.model_fields
            }
        )

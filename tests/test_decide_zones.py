"""The verdict where zones have limits of their own."""

import pytest

from inspector.decide import decide
from inspector.limits import Limits, Rules
from inspector.types import Rule, Verdict
from tests.support.verdicts import ROI, TENTH, at, limits, square

PASS, FAIL = Verdict.PASS, Verdict.FAIL

# Zones: a strict one at (100, 100), a loose one at (300, 100), one that is ignored at (500, 100).

ZONES = (
    square("strict", 100, 100, 100, Rules(min_scratch_px=20)),
    square("loose", 300, 100, 100, Rules(min_scratch_px=80)),
    square("logo", 500, 100, 100, "none"),
)
ZONED = Limits(min_scratch_width_px=5, zones=ZONES)


@pytest.mark.parametrize(
    ("scratch", "zones"),
    [
        (at(10, 10, 39), []),
        (at(10, 10, 40), [None]),
        (at(120, 150, 19), []),
        (at(120, 150, 20), ["strict"]),
        (at(310, 150, 79), []),
        (at(310, 150, 80), ["loose"]),
        (at(510, 150, 90), []),
        # Most of it lies elsewhere, but it touches the strict zone.
        (at(200, 150, 20), ["strict"]),
        (at(81, 150, 20), ["strict"]),
        (at(80, 150, 20), []),
        # Half in the loose zone: the line's own limit holds, too.
        (at(381, 150, 40), [None]),
        (at(360, 150, 80), [None, "loose"]),
        # One pixel beyond the ignored zone, and the whole of it is judged.
        (at(561, 150, 40), []),
        (at(562, 150, 40), [None]),
        # From the strict zone through what lies between into the loose one.
        (at(150, 150, 200), [None, "strict", "loose"]),
    ],
)
def test_a_scratch_is_held_against_each_zone_that_it_touches(scratch, zones) -> None:
    """With its whole length, so that none escapes by lying mostly elsewhere."""
    decision = decide([scratch], ZONED, ROI)

    assert decision.verdict is (FAIL if zones else PASS)
    assert [reason.zone for reason in decision.reasons] == zones


@pytest.mark.parametrize("x", [10, 120, 310])
def test_what_a_zone_does_not_limit_is_as_the_line_says(x: int) -> None:
    """The width is limited everywhere but in the ignored zone."""
    (reason,) = decide([at(x, 150, 10, max_width_px=6.0)], ZONED, ROI).reasons

    assert (reason.rule, reason.zone) == (Rule.MIN_SCRATCH_WIDTH_PX, None)
    assert decide([at(510, 150, 10, max_width_px=6.0)], ZONED, ROI).verdict is PASS


def test_a_zone_may_limit_in_millimetres_what_the_line_limits_in_pixels() -> None:
    """It is the same measure, so the line's limit does not hold there."""
    told = Limits(zones=[square("a", 100, 100, 100, Rules(min_scratch_mm=6))])

    assert decide([at(110, 150, 59)], told, ROI, TENTH).verdict is PASS
    (reason,) = decide([at(110, 150, 60)], told, ROI, TENTH).reasons
    assert (reason.rule, reason.value, reason.zone) == (Rule.MIN_SCRATCH_MM, 6.0, "a")


def test_numbers_are_counted_where_their_limit_holds() -> None:
    """The line's own count goes on in a zone that has none, and stops where one has."""
    zones = [ZONES[0], square("back", 300, 100, 100, Rules(min_scratch_count=3)), ZONES[2]]
    told = limits(min_scratch_count=2, zones=zones)
    rest, strict, logo = at(10, 10, 9), at(120, 150, 9), at(510, 150, 9)
    back = [at(310, y, 9) for y in (110, 130, 150)]

    assert decide([rest, *back[:2], logo, logo], told, ROI).verdict is PASS
    (reason,) = decide([rest, strict], told, ROI).reasons
    assert (reason.value, reason.zone) == (2, None)
    (reason,) = decide([rest, *back], told, ROI).reasons
    assert (reason.value, reason.zone) == (3, "back")


def test_a_density_refers_to_the_area_where_its_limit_holds() -> None:
    """A zone's own polygon; of the line what neither such a zone nor an ignored one covers."""
    zones = [square("a", 0, 0, 100, Rules(min_scratch_density_px=3000)), ZONES[2]]
    told = limits(min_scratch_density_px=1, zones=zones)

    (reason,) = decide([at(10, 10, 30)], told, ROI).reasons
    assert (reason.value, reason.zone) == (3000.0, "a")
    (reason,) = decide([at(10, 300, 30)], told, ROI).reasons
    assert reason.value == pytest.approx(30 / (500_000 - 2 * 101 * 101) * 1e6)
    assert reason.zone is None


def test_a_density_counts_the_area_of_a_window_in_what_is_not_judged() -> None:
    """Where only the window is judged, it is all the area that there is."""
    zones = [
        square("none", 0, 0, 99, "none"),
        square("window", 20, 20, 49, Rules(min_scratch_px=99)),
    ]
    told = limits(min_scratch_density_px=1, zones=zones)

    (reason,) = decide([at(30, 30, 30)], told, (0, 0, 100, 100)).reasons

    assert (reason.value, reason.zone) == (30 / 50**2 * 1e6, None)


def test_a_density_of_no_area_is_that_of_a_pixel() -> None:
    """Where zones with densities of their own leave nothing of the frame to the line."""
    everywhere = square("all", 0, 0, 100, Rules(min_scratch_density_px=1e9))
    told = limits(min_scratch_density_px=1, zones=[everywhere])

    (reason,) = decide([at(90, 90, 30)], told, (0, 0, 101, 101)).reasons

    assert (reason.value, reason.zone) == (30e6, None)


def test_a_distance_is_held_by_the_zone_of_either_scratch() -> None:
    """A pair across the edge of a zone does not escape, and what is ignored is no neighbour."""
    told = limits(zones=[square("a", 100, 100, 100, Rules(min_scratch_distance_px=10)), ZONES[2]])

    (reason,) = decide([at(150, 150, 51), at(206, 150)], told, ROI).reasons
    assert (reason.value, reason.zone) == (5.0, "a")
    assert decide([at(206, 150), at(206, 155)], told, ROI).verdict is PASS
    assert decide([at(510, 150), at(510, 155)], Limits(zones=[ZONES[2]]), ROI).verdict is PASS

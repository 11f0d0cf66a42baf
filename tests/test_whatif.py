"""What another limit would have done to parts whose truth is known."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inspector import whatif
from inspector.whatif import Parts

GOOD, BAD = [0, 0, 5, 12, 20], [60, 80, 90, 300, np.inf]


def parts(good: list[float], bad: list[float]) -> Parts:
    return Parts(np.array([*good, *bad], float), np.array([False] * len(good) + [True] * len(bad)))


def test_a_limit_rejects_what_is_as_long() -> None:
    """At equality too; a part that something else rejects is rejected by every limit."""
    found = whatif.point(parts(GOOD, BAD), 80)

    assert (found.missed.hits, found.missed.n) == (1, 5)
    assert (found.false_reject.hits, found.false_reject.n) == (0, 5)
    assert whatif.point(parts(GOOD, BAD), 1e9).missed.hits == 4


@pytest.mark.parametrize("largest", [1e-3, 0.7, 40.0, 123.456789012345, 8e7])
@pytest.mark.parametrize("included", [True, False])
def test_how_far_a_part_is_rejected_is_found_to_the_last_bit(
    largest: float, included: bool
) -> None:
    """Whether the limit itself still rejects or no longer does, the next number differs."""
    found = whatif.reach(lambda limit: limit <= largest if included else limit < largest)

    assert found == (largest if included else math.nextafter(largest, 0))


def test_what_no_limit_turns_is_nothing_or_infinite() -> None:
    """Every limit lets it pass, or none does."""
    assert whatif.reach(lambda _: False) == 0
    assert whatif.reach(lambda _: True) == math.inf


def test_the_curve_runs_over_the_lengths_that_occur() -> None:
    """With the limits that were asked for; missed only grows along it, false rejects only fall."""
    curve = whatif.curve(parts(GOOD, BAD), 40, 64.5)

    limits = [p.limit for p in curve]
    assert limits == sorted(limits)
    assert {40, 64.5} <= set(limits)
    assert limits[0] <= 5
    assert limits[-1] >= 300
    assert np.all(np.diff([p.missed.value for p in curve]) >= 0)
    assert np.all(np.diff([p.false_reject.value for p in curve]) <= 0)


def test_the_curve_tells_small_limits_apart() -> None:
    """In mm, too; at the last one all pass that any limit lets pass."""
    curve = whatif.curve(parts([0, 0.11], [0.13, 1234.5678, np.inf]))

    assert curve[0].limit == 0.11
    assert curve[-1].missed.hits == 2
    assert len(curve) == whatif.POINTS


def test_there_is_no_curve_where_no_limit_turns_a_part() -> None:
    """But for the limits that are asked for."""
    nothing_found = parts([0, 0], [0, np.inf])

    assert whatif.curve(nothing_found) == []
    assert [p.limit for p in whatif.curve(nothing_found, 40)] == [40]


def test_the_recommended_limit_lies_in_the_middle() -> None:
    """Between the longest good and the shortest bad, with an interval around it."""
    found = whatif.recommend(parts(GOOD, BAD))

    assert found.value == 40
    assert found.low <= 40 <= found.high


def test_what_does_equally_well_is_within_the_interval() -> None:
    """Good and bad parts far apart: the samples say nothing of where in between the limit lies."""
    found = whatif.recommend(parts([0] * 20, [300] * 20))

    assert (found.low, found.value, found.high) == (0, 150, 300)


@pytest.mark.parametrize(
    ("good", "bad", "value"),
    [(0, 0.9, 0.5), (4.12, 4.13, 4.125), (4.1, 4.3, 4.2), (1000, 1469, 1234), (0.1, 0.1000001, 0)],
)
def test_the_recommended_limit_has_few_digits(good: float, bad: float, value: float) -> None:
    """As many as it takes to do what was found best: in mm more than none."""
    found = whatif.recommend(parts([good], [bad])).value

    assert good < found <= bad
    assert found == value or not value


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ([], BAD),
        (GOOD, []),
        ([50, 60], [1, 2]),
        ([5, 5], [5, 5]),
        ([0], [np.inf]),
        ([0, 5], [np.inf, np.inf]),
    ],
    ids=["no good", "no bad", "the wrong way round", "all alike", "one length", "no use"],
)
def test_no_limit_is_recommended_where_none_serves(good: list[float], bad: list[float]) -> None:
    """Rather none than one that rejects all parts, or does what is done without any."""
    assert whatif.recommend(parts(good, bad)).value is None


REACHES = st.lists(st.sampled_from([*range(51), np.inf]), min_size=1, max_size=12)


@settings(max_examples=50)
@given(REACHES, REACHES)
@example(good=[np.inf], bad=[0])  # whatever the limit both are judged wrong
def test_no_limit_does_better_than_the_recommended(good: list[float], bad: list[float]) -> None:
    """Tried one by one, from one that rejects all to one that does what none does."""

    def wrong(limit: float) -> float:
        found = whatif.point(parts(good, bad), limit)
        return (found.missed.value or 0) + (found.false_reject.value or 0)

    best = whatif.recommend(parts(good, bad)).value

    least = min(wrong(limit) for limit in np.arange(0.5, 52))
    if best is None:
        assert least >= min(1, wrong(51)) - 1e-9
    else:
        assert wrong(best) == pytest.approx(least)


def test_claims_say_how_many_parts_are_lacking() -> None:
    """59, 149 and 299 bad parts without a miss, and what is left with a hundred."""
    assert [(c.share, c.more) for c in whatif.claims(100, 0)] == [
        (0.05, 0),
        (0.02, 49),
        (0.01, 199),
    ]
    for claim in whatif.claims(0, 0):
        assert (1 - claim.share) ** claim.more <= 0.05 < (1 - claim.share) ** (claim.more - 1)


def test_a_miss_has_to_be_outweighed() -> None:
    """Numbers of the exact interval as tables have it: 93 parts with one miss, 124 with two."""
    assert [whatif.parts_needed(0.05, missed) for missed in range(4)] == [59, 93, 124, 153]
    assert whatif.parts_needed(0.01, 1) == 473
    assert [c.more for c in whatif.claims(100, 1)][::2] == [0, 373]
    assert whatif.parts_needed(0.05, 400) > 400 / 0.05


def test_flips_are_counted_both_ways() -> None:
    """A lower limit rejects more, a higher one passes more."""
    assert whatif.flips(parts(GOOD, BAD), 40, 10) == (2, 0)
    assert whatif.flips(parts(GOOD, BAD), 40, 85) == (0, 2)


def test_the_picture_is_well_formed() -> None:
    """Two curves, and a mark for each limit that lies in the picture."""
    made = parts(GOOD, BAD)

    root = ET.fromstring(whatif.svg(whatif.curve(made, 40), [("now", 40), ("far", 1e6)], "mm"))

    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert names.count("polyline") == 2
    texts = [element.text for element in root.iter() if element.text]
    assert "now" in texts
    assert "far" not in texts
    assert "limit, mm" in texts

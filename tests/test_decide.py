"""The verdict: exact at the limit, and never pass without proof."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.config import Limits
from inspector.decide import decide
from inspector.types import Reason, Rule, Scratch, Verdict

SCRATCH = Scratch(30.0, 2.0, 3.0, 60, 0.9, ((0, 0), (30, 2)))
ALL = Limits(
    min_scratch_px=40,
    min_scratch_width_px=5,
    min_scratch_area_px=200,
    min_scratch_count=3,
)


def test_a_part_without_scratches_passes() -> None:
    """Nothing found, nothing reached."""
    assert decide((), ALL) == (Verdict.PASS, ())


@pytest.mark.parametrize(
    ("length", "verdict"), [(39.99, Verdict.PASS), (40.0, Verdict.FAIL), (40.01, Verdict.FAIL)]
)
def test_the_limit_is_exact(length: float, verdict: Verdict) -> None:
    """A scratch fails from the limit on, not a hundredth before."""
    assert decide([replace(SCRATCH, length_px=length)], Limits(min_scratch_px=40))[0] is verdict


@pytest.mark.parametrize(
    ("scratches", "reason"),
    [
        ([replace(SCRATCH, length_px=57.3)], Reason(Rule.MIN_SCRATCH_PX, 57.3, 40, "px")),
        ([replace(SCRATCH, max_width_px=5.0)], Reason(Rule.MIN_SCRATCH_WIDTH_PX, 5.0, 5, "px")),
        ([replace(SCRATCH, area_px=200)], Reason(Rule.MIN_SCRATCH_AREA_PX, 200, 200, "px2")),
        ([SCRATCH] * 3, Reason(Rule.MIN_SCRATCH_COUNT, 3, 3)),
    ],
)
def test_each_limit_names_itself(scratches: list[Scratch], reason: Reason) -> None:
    """The reason carries rule, value, limit and unit."""
    assert decide(scratches, ALL) == (Verdict.FAIL, (reason,))


@pytest.mark.parametrize("field", ["length_px", "max_width_px", "area_px"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_measure_that_is_not_finite_is_unknown(field: str, value: float) -> None:
    """NaN compares false with every limit, and must not slip through as a pass."""
    verdict, reasons = decide([replace(SCRATCH, **{field: value})], ALL)

    assert verdict is Verdict.UNKNOWN
    assert reasons == (Reason(Rule.NOT_FINITE),)


def test_a_reached_limit_outranks_an_unknown_measure() -> None:
    """One proof of a defect is enough."""
    scratches = [replace(SCRATCH, length_px=math.nan), replace(SCRATCH, length_px=80.0)]

    assert decide(scratches, ALL)[0] is Verdict.FAIL


@given(
    st.lists(st.floats(0, 500), max_size=5),
    st.floats(0, 500),
    st.floats(1, 300),
)
def test_a_longer_scratch_never_turns_fail_into_pass(
    lengths: list[float], more: float, limit: float
) -> None:
    """Growing any scratch keeps a fail a fail."""
    limits = Limits(min_scratch_px=limit)
    scratches = [replace(SCRATCH, length_px=length) for length in lengths]
    grown = [replace(s, length_px=s.length_px + more) for s in scratches]

    if decide(scratches, limits)[0] is Verdict.FAIL:
        assert decide(grown, limits)[0] is Verdict.FAIL

"""The verdict: exact at the limit, and never pass without proof."""

import math
from dataclasses import replace

import pytest

from inspector.decide import decide
from inspector.limits import GUARDED, Guard, Limits, Rules, Scale, measure_of
from inspector.types import Decision, Reason, Rule, Scratch, Verdict
from tests.support.verdicts import ROI, SCRATCH, TENTH, at, limits

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
ALL = Limits(
    min_scratch_px=40,
    min_scratch_width_px=5,
    min_scratch_area_px=200,
    min_scratch_count=3,
)


def test_a_part_without_scratches_passes() -> None:
    """Nothing found, nothing reached."""
    assert decide((), ALL, ROI) == Decision(PASS)


ONE_OF_EACH = {  # the limit, and scratches that are just below and exactly at it
    "min_scratch_px": (40, [at(0, 0, length_px=39.99)], [at(0, 0, length_px=40.0)]),
    "min_scratch_mm": (4, [at(0, 0, length_px=39.99)], [at(0, 0, length_px=40.0)]),
    "min_scratch_width_px": (5, [at(0, 0, max_width_px=4.99)], [at(0, 0, max_width_px=5.0)]),
    "min_scratch_width_mm": (0.5, [at(0, 0, max_width_px=4.99)], [at(0, 0, max_width_px=5.0)]),
    "min_scratch_area_px": (200, [at(0, 0, area_px=199)], [at(0, 0, area_px=200)]),
    "min_scratch_area_mm": (2, [at(0, 0, area_px=199)], [at(0, 0, area_px=200)]),
    "min_scratch_count": (3, [at(0, 0), at(0, 9)], [at(0, 0), at(0, 9), at(0, 20)]),
    # 0.5 Mpx, 50 cm²
    "min_scratch_density_px": (120, [at(0, 0), at(0, 9, 29)], [at(0, 0), at(0, 9)]),
    "min_scratch_density_mm": (0.12, [at(0, 0), at(0, 9, 29)], [at(0, 0), at(0, 9)]),
    "min_scratch_distance_px": (20, [at(0, 0), at(51, 0)], [at(0, 0), at(50, 0)]),
    "min_scratch_distance_mm": (2, [at(0, 0), at(51, 0)], [at(0, 0), at(50, 0)]),
}
UNITS = {"area_px": "px2", "area_mm": "mm2", "density_px": "px/Mpx", "density_mm": "mm/cm2"}


@pytest.mark.parametrize("rule", ONE_OF_EACH)
def test_each_limit_is_exact_and_names_itself(rule: str) -> None:
    """Below it a part passes, at it the part fails, with rule, value, limit, unit and margin."""
    limit, below, reached = ONE_OF_EACH[rule]
    told = limits(**{rule: limit})
    unit = UNITS.get(rule.removeprefix("min_scratch_"), rule[-2:] if rule[-3] == "_" else None)

    assert decide(below, told, ROI, TENTH) == Decision(PASS)
    assert decide(reached, told, ROI, TENTH) == Decision(
        FAIL, (Reason(Rule(rule), limit, limit, unit, margin=0.0),)
    )


def test_every_limit_is_tested_above() -> None:
    """A new limit comes with its boundary."""
    assert set(ONE_OF_EACH) == set(Rules.model_fields) < set(Rule)


def test_the_margin_is_what_is_left_to_the_limit() -> None:
    """Beyond it less than nothing, also of a distance, where less is worse."""
    scratches = [at(0, 0, length_px=57.3), at(42, 0)]
    told = limits(min_scratch_px=40, min_scratch_distance_px=20)

    assert [reason.margin for reason in decide(scratches, told, ROI).reasons] == [-17.3, -8.0]


def test_branches_count_in_a_density_and_in_no_length() -> None:
    """The longest way is what a limit of length is about; of a density all of it."""
    told = limits(min_scratch_px=40, min_scratch_density_px=120)
    below, reached = at(0, 0, branches_px=29.99), at(0, 0, branches_px=30.0)  # of 0.5 Mpx

    assert decide([below], told, ROI).verdict is PASS
    assert [r.rule for r in decide([reached], told, ROI).reasons] == [Rule.MIN_SCRATCH_DENSITY_PX]


@pytest.mark.parametrize("field", ["length_px", "branches_px", "max_width_px", "area_px"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_measure_that_is_not_finite_is_unknown(field: str, value: float) -> None:
    """NaN compares false with every limit, and must not slip through as a pass."""
    decision = decide([replace(SCRATCH, **{field: value})], ALL, ROI)

    assert decision == Decision(UNKNOWN, (Reason(Rule.NOT_FINITE),))


def test_a_reached_limit_outranks_an_unknown_measure() -> None:
    """One proof of a defect is enough."""
    scratches = [replace(SCRATCH, length_px=math.nan), replace(SCRATCH, length_px=80.0)]

    assert decide(scratches, ALL, ROI).verdict is FAIL


def test_a_scratch_that_cannot_be_measured_still_counts() -> None:
    """There are three of them, whatever their size."""
    assert decide([replace(SCRATCH, length_px=math.nan)] * 3, ALL, ROI).verdict is FAIL


@pytest.mark.parametrize("scratches", [(), [SCRATCH]])
def test_millimetres_without_a_scale_prove_nothing(scratches: list[Scratch]) -> None:
    """A configuration refuses it; a limit that is held all the same passes no part."""
    decision = decide(scratches, limits(min_scratch_mm=4), ROI)

    assert decision == Decision(UNKNOWN, (Reason(Rule.NOT_FINITE),))


def test_what_millimetres_cannot_prove_hides_no_limit_in_pixels() -> None:
    """The width is reached, whatever the length may be."""
    told = limits(min_scratch_mm=4, min_scratch_width_px=3)

    decision = decide([at(0, 0, max_width_px=3.5)], told, ROI)

    assert decision.verdict is FAIL
    assert [reason.rule for reason in decision.reasons] == [
        Rule.NOT_FINITE,
        Rule.MIN_SCRATCH_WIDTH_PX,
    ]


def test_a_distance_in_mm_that_is_the_limit_is_reached() -> None:
    """0.3 mm at 0.1 mm per px are 3 px, though the quotient of the two is a little less."""
    told = limits(min_scratch_distance_mm=0.3)

    (reason,) = decide([at(0, 0), at(0, 5)], told, ROI, Scale(mm_per_px=0.1)).reasons

    assert 0.3 / 0.1 < 3
    assert (reason.value, reason.limit) == (0.3, 0.3)


def test_a_value_beyond_all_numbers_hides_no_other() -> None:
    """The scratch after it is judged too."""
    told, scale = limits(min_scratch_area_mm=1), Scale(mm_per_px=1000)
    endless = replace(SCRATCH, area_px=1e305)

    assert decide([endless, at(0, 0)], told, ROI, scale).verdict is FAIL


def test_a_value_beyond_all_numbers_is_unknown() -> None:
    """Finite measures whose square or product is not."""
    told, scale = limits(min_scratch_area_mm=1), Scale(mm_per_px=1000)

    assert decide([replace(SCRATCH, area_px=1e305)], told, ROI, scale).verdict is UNKNOWN


# Guard band: a limit of 40 px that is uncertain by 1 px.


@pytest.mark.parametrize("policy", ["fail", "pass", "recheck"])
@pytest.mark.parametrize(
    ("length", "marginal"),
    [(38.99, False), (39.0, True), (40.0, True), (41.0, True), (41.01, False)],
)
def test_in_the_guard_band_the_policy_decides(policy: str, length: float, marginal: bool) -> None:
    """Exactly one band to either side of the limit, and nowhere else."""
    told = Limits(guard=Guard(px=1, policy=policy))

    decision = decide([at(0, 0, length_px=length)], told, ROI)

    if not marginal:
        assert (decision.verdict, decision.marginal) == (PASS if length < 40 else FAIL, False)
        return
    margin = round(40 - length, 2)
    reason = Reason(Rule.MIN_SCRATCH_PX, length, 40, "px", margin=margin, marginal=True)
    assert (
        decision
        == {
            "fail": Decision(FAIL, (reason,), marginal=True),
            "pass": Decision(PASS, (), marginal=True),
            "recheck": Decision(UNKNOWN, (Reason(Rule.MARGINAL), reason), marginal=True),
        }[policy]
    )


@pytest.mark.parametrize("policy", ["fail", "pass", "recheck"])
def test_beside_a_marginal_scratch_one_beyond_doubt_fails(policy: str) -> None:
    """A part is let pass only if every limit that it reached is within the band."""
    scratches = [at(0, 0, length_px=40.5), at(0, 9, length_px=60)]

    decision = decide(scratches, Limits(guard=Guard(px=1, policy=policy)), ROI)

    assert (decision.verdict, decision.marginal) == (FAIL, False)
    assert [reason.marginal for reason in decision.reasons] == [True, False]


@pytest.mark.parametrize(
    ("policy", "verdict"), [("fail", FAIL), ("pass", UNKNOWN), ("recheck", UNKNOWN)]
)
def test_beside_an_unknown_measure_nothing_passes(policy: str, verdict: Verdict) -> None:
    """Whatever the policy says of the other one."""
    scratches = [at(0, 0, length_px=40.5), at(0, 9, length_px=math.nan)]

    assert decide(scratches, Limits(guard=Guard(px=1, policy=policy)), ROI).verdict is verdict


@pytest.mark.parametrize("policy", ["fail", "pass", "recheck"])
def test_an_unknown_measure_is_not_marginal(policy: str) -> None:
    """The policy says nothing of a part on which nothing is near a limit."""
    told = Limits(guard=Guard(px=1, policy=policy))

    decision = decide([replace(SCRATCH, length_px=math.nan)], told, ROI)

    assert decision == Decision(UNKNOWN, (Reason(Rule.NOT_FINITE),), marginal=False)


def test_the_band_of_a_limit_in_mm() -> None:
    """0.1 mm of 1 px, and 1 % of 4 mm by the uncertainty of the scale."""
    told = limits(min_scratch_mm=4, guard=Guard(px=1, policy="pass"))
    scale = Scale(mm_per_px=0.1, uncertainty=0.001)

    def verdict(length_px: float) -> tuple[Verdict, bool]:
        decision = decide([at(0, 0, length_px=length_px)], told, ROI, scale)
        return decision.verdict, decision.marginal

    assert verdict(38.59) == (PASS, False)
    assert verdict(38.6) == verdict(41.4) == (PASS, True)
    assert verdict(41.41) == (FAIL, False)


@pytest.mark.parametrize("rule", ONE_OF_EACH)
def test_only_lengths_have_a_guard_band(rule: str) -> None:
    """Areas, sums and numbers fail at their limit, where lengths and distances are marginal."""
    limit, _, reached = ONE_OF_EACH[rule]
    # Beside a limit that is far, because a guard needs a length to guard.
    far = {"min_scratch_px": 900} if measure_of(rule) != "min_scratch" else {}
    told = limits(**far | {rule: limit}, guard=Guard(px=0.1, policy="pass"))

    decision = decide(reached, told, ROI, TENTH)

    assert (decision.verdict, decision.marginal) == (
        (PASS, True) if measure_of(rule) in GUARDED else (FAIL, False)
    )


@pytest.mark.parametrize("told", [{"min_scratch_distance_px": 20}, {"min_scratch_distance_mm": 2}])
@pytest.mark.parametrize(
    ("between", "verdict"), [(17, FAIL), (18, UNKNOWN), (22, UNKNOWN), (23, PASS)]
)
def test_a_distance_is_marginal_beyond_its_limit_too(told, between: int, verdict: Verdict) -> None:
    """It is looked for as far as the band reaches."""
    guarded = limits(**told, guard=Guard(px=2, policy="recheck"))

    assert decide([at(0, 0), at(30 + between, 0)], guarded, ROI, TENTH).verdict is verdict

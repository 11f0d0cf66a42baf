"""The verdict: exact at the limit, and never pass without proof."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.decide import decide
from inspector.limits import GUARDED, Guard, Limits, Rules, Scale, Zone, measure_of
from inspector.types import Decision, Reason, Rule, Scratch, Verdict

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
ROI = (0, 0, 1000, 500)
TENTH = Scale(mm_per_px=0.1)
SCRATCH = Scratch(30.0, 2.0, 3.0, 60, 0.9, ((0, 0), (29, 0), (29, 1), (0, 1)))
ALL = Limits(
    min_scratch_px=40,
    min_scratch_width_px=5,
    min_scratch_area_px=200,
    min_scratch_count=3,
)


def at(x: int, y: int, length: int = 30, **measures: float) -> Scratch:
    """A bar of that length, 2 px high, whose corner is at (x, y)."""
    right = x + length - 1
    outline = ((x, y), (right, y), (right, y + 1), (x, y + 1))
    seen = replace(SCRATCH, length_px=float(length), area_px=2 * length, polygon=outline)
    return replace(seen, **measures)


def limits(**rules: object) -> Limits:
    """With no other limit than these."""
    return Limits(**({"min_scratch_px": None} | rules))


def square(name: str, x: int, y: int, side: int, rules: object) -> Zone:
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    return Zone(name=name, polygon=corners, limits=rules)


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


@pytest.mark.parametrize("field", ["length_px", "max_width_px", "area_px"])
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


# What holds for any scratches and any limits.

positive = st.floats(0.5, 300)
RULES = {
    rule: st.none() | (st.integers(1, 5) if rule == "min_scratch_count" else positive)
    for rule in Rules.model_fields
}


@st.composite
def any_rules(draw: st.DrawFn) -> dict[str, float]:
    """At least one limit, and no measure twice."""
    drawn = {rule: value for rule in RULES if (value := draw(RULES[rule])) is not None}
    chosen = {measure_of(rule): rule for rule in drawn} or {"": "min_scratch_px"}
    return {rule: drawn.get(rule, 40.0) for rule in chosen.values()}


@st.composite
def any_limits(draw: st.DrawFn) -> Limits:
    """With or without zones; the guard's band is below every limit."""
    spots = st.integers(0, 300)
    zones = [
        square(f"z{n}", draw(spots), draw(spots), draw(st.integers(5, 150)), rules)
        for n, rules in enumerate(draw(st.lists(any_rules() | st.just("none"), max_size=3)))
    ]
    policies = st.sampled_from(["fail", "pass", "recheck"])
    guard = draw(st.none() | st.builds(Guard, px=st.floats(0.01, 0.4), policy=policies))
    rules = draw(any_rules())
    if guard and not {measure_of(rule) for rule in rules} & GUARDED:
        rules |= {"min_scratch_px": 40.0}
    return Limits(**({"min_scratch_px": None} | rules), zones=zones, guard=guard)


lengths = st.floats(0, 500, width=32)
spot = st.integers(0, 400)
scratch = st.builds(
    at, spot, spot, st.integers(1, 150), length_px=lengths, max_width_px=lengths,
    area_px=st.integers(1, 900),
)  # fmt: skip
parts = st.lists(scratch, max_size=4)


@given(
    parts, any_limits(), st.integers(0, 3), st.sampled_from(["length_px", "max_width_px"]), lengths
)
def test_a_longer_or_wider_scratch_never_turns_fail_into_pass(
    scratches: list[Scratch], told: Limits, index: int, measure: str, more: float
) -> None:
    """Growing any scratch keeps a fail a fail, and makes no pass of an unknown part."""
    grown = [
        replace(s, **{measure: getattr(s, measure) + more}) if k == index else s
        for k, s in enumerate(scratches)
    ]

    assert_no_better(decide(grown, told, ROI, TENTH), decide(scratches, told, ROI, TENTH))


@given(parts, any_limits(), scratch, st.integers(0, 4))
def test_another_scratch_never_turns_fail_into_pass(
    scratches: list[Scratch], told: Limits, added: Scratch, index: int
) -> None:
    """Wherever it lies, and however small it is."""
    more = [*scratches[:index], added, *scratches[index:]]

    assert_no_better(decide(more, told, ROI, TENTH), decide(scratches, told, ROI, TENTH))


@given(parts.filter(bool), any_limits(), st.integers(0, 300))
def test_a_scratch_that_reaches_farther_never_turns_fail_into_pass(
    scratches: list[Scratch], told: Limits, more: int
) -> None:
    """Into more zones, or nearer to another one, with the same measures."""
    first = scratches[0]
    (x, y), (right, _) = first.polygon[:2]
    reaching = replace(first, polygon=at(x, y, right - x + 1 + more).polygon)

    assert_no_better(
        decide([reaching, *scratches[1:]], told, ROI, TENTH), decide(scratches, told, ROI, TENTH)
    )


@given(
    parts.filter(bool),
    any_limits(),
    st.sampled_from(["length_px", "max_width_px", "area_px"]),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
def test_what_is_not_finite_never_passes(
    scratches: list[Scratch], told: Limits, field: str, value: float
) -> None:
    """Under any limits, also in a zone where nothing is judged."""
    torn = [replace(scratches[0], **{field: value}), *scratches[1:]]

    assert decide(torn, told, ROI, TENTH).verdict is not PASS


@given(parts, any_limits())
def test_a_pass_is_a_pass_without_reasons(scratches: list[Scratch], told: Limits) -> None:
    """And everything else has some; every reason of a limit is at it or marginal."""
    decision = decide(scratches, told, ROI, TENTH)

    assert (decision.verdict is PASS) is (decision.reasons == ())
    for reason in decision.reasons:
        assert reason.margin is None or reason.margin <= 0 or reason.marginal


@given(parts, any_limits())
def test_without_a_guard_the_same_limits_judge_the_same_beyond_the_band(
    scratches: list[Scratch], told: Limits
) -> None:
    """The guard changes nothing of a part on which no value is near its limit."""
    guarded = decide(scratches, told, ROI, TENTH)

    plain = decide(scratches, told.model_copy(update={"guard": None}), ROI, TENTH)
    if not (guarded.marginal or any(reason.marginal for reason in guarded.reasons)):
        assert guarded == plain
    assert not plain.marginal


def assert_no_better(after: Decision, before: Decision) -> None:
    rank = {PASS: 0, UNKNOWN: 1, FAIL: 2}
    assert rank[after.verdict] >= rank[before.verdict]

"""What holds of the verdict for any scratches and any limits."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inspector.decide import decide
from inspector.limits import GUARDED, Guard, Limits, Rules, measure_of
from inspector.types import Decision, Scratch, Verdict
from tests.support.verdicts import ROI, TENTH, at, square

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN

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

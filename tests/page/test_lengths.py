"""Which length of a part its line's limit is about, and what another limit would have done."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.decide import decide
from inspector.limits import ClassLimits, Guard, Limits, Rules, Scale
from inspector.page.lengths import Flips, Limit, flips, length_of
from inspector.place import tidy
from inspector.publish.message import ResultMessage, result_message
from inspector.types import Reason, Result, Rule, Verdict
from tests.support.page import MODEL, result
from tests.support.verdicts import ROI, at, limits

LIMITS = Limits(classes=[ClassLimits(name="dent", limits=Rules(min_scratch_px=200))])


def message(told: Result) -> ResultMessage:
    return result_message(
        told, id="a-1-1", seq=1, time=datetime(2026, 11, 28, tzinfo=UTC), site="a", line="b",
        limits=LIMITS, model=MODEL,
    )  # fmt: skip


def test_a_class_with_a_limit_of_its_own_does_not_count() -> None:
    """Another limit of the line would let it pass, or reject it, all the same."""
    found = result(30, 20)
    dent = replace(found.scratches[0], kind="dent", length_px=150.0)
    told = message(replace(found, scratches=(dent, found.scratches[1])))

    assert length_of(told, LIMITS, "px") == 20
    assert length_of(told, Limits(), "px") == 150


def test_what_its_own_limit_rejects_every_other_limit_rejects() -> None:
    found = result(30)
    dent = replace(found.scratches[0], kind="dent", length_px=250.0)
    reason = Reason(Rule.MIN_SCRATCH_PX, 250, 200, "px", margin=-50.0, kind="dent")
    judged = replace(found, verdict=Verdict.FAIL, scratches=(dent,), reasons=(reason,))

    assert math.isinf(length_of(message(judged), LIMITS, "px"))


ROUGH = Scale(mm_per_px=0.05, uncertainty=0.005)  # the band of a limit is 10 % of it, and 0.05 mm


def guarded(policy: str, min_scratch_mm: float) -> Limits:
    return limits(min_scratch_mm=min_scratch_mm, guard=Guard(px=1, policy=policy))


@pytest.mark.parametrize(
    ("policy", "length", "passes"),
    [
        ("fail", 8.9, True),
        ("fail", 8.95, False),
        ("fail", 9.2, False),
        ("fail", 9.5, False),
        ("recheck", 9.2, False),
        ("pass", 9.5, True),
        ("pass", 11.05, True),
        ("pass", 11.1, False),
    ],
)
def test_another_limit_has_a_guard_band_of_its_own(
    policy: str, length: float, passes: bool
) -> None:
    """The longer the limit, the wider it is: 0.25 mm of 2 mm, 1.05 mm of 10 mm."""
    limit = Limit.of(guarded(policy, 2), ROUGH)

    assert limit is not None
    assert flips([length], limit, 10) == Flips(1, rejected=0, passed=int(passes))


@given(
    st.sampled_from(["fail", "pass", "recheck"]),
    st.integers(1, 400),
    st.integers(1, 400),
    st.lists(st.integers(0, 500), min_size=1, max_size=20),
)
def test_what_if_says_what_the_line_would_do(
    policy: str, before: int, after: int, px: list[int]
) -> None:
    """Limits and lengths in tenths of a mm and in px, so that some meet an edge of a band."""
    parts = [[at(0, 0, length_px=float(length))] if length else [] for length in px]

    def rejects(tenths: int) -> list[bool]:
        verdicts = (decide(part, guarded(policy, tenths / 10), ROI, ROUGH) for part in parts)
        return [decision.verdict is not Verdict.PASS for decision in verdicts]

    limit = Limit.of(guarded(policy, before / 10), ROUGH)
    assert limit is not None
    found = flips([tidy(length * 0.05) for length in px], limit, after / 10)

    turns = list(zip(rejects(before), rejects(after), strict=True))
    assert found == Flips(len(px), turns.count((False, True)), turns.count((True, False)))

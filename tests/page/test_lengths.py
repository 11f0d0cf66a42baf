"""Which length of a part its line's limit is about."""

import math
from dataclasses import replace
from datetime import UTC, datetime

from inspector.limits import ClassLimits, Limits, Rules
from inspector.page.lengths import length_of
from inspector.publish.message import ResultMessage, result_message
from inspector.types import Reason, Result, Rule, Verdict
from tests.support.page import MODEL, result

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

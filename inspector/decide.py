"""Scratches + limits → verdict. Pass is written as «every condition was proved».

A NaN compares false with everything, so a condition that cannot be evaluated is never proved.
"""

import math
from collections.abc import Iterator, Sequence

from inspector.config import Limits
from inspector.types import Reason, Rule, Scratch, Verdict

_MEASURES = (
    (Rule.MIN_SCRATCH_PX, "length_px", "px"),
    (Rule.MIN_SCRATCH_WIDTH_PX, "max_width_px", "px"),
    (Rule.MIN_SCRATCH_AREA_PX, "area_px", "px2"),
)


def decide(scratches: Sequence[Scratch], limits: Limits) -> tuple[Verdict, tuple[Reason, ...]]:
    """The verdict on a part that was seen, and every limit that its scratches reached.

    A limit is reached at equality: a scratch of 40 px fails `min_scratch_px: 40`. Fail outranks
    unknown, because one reached limit is proof enough.
    """
    reasons = tuple(_reached(scratches, limits))
    if any(reason.rule is not Rule.NOT_FINITE for reason in reasons):
        return Verdict.FAIL, reasons
    if reasons:
        return Verdict.UNKNOWN, reasons
    return Verdict.PASS, ()


def is_measured(scratch: Scratch) -> bool:
    """Every measure that a limit can ask for is a number."""
    return all(map(math.isfinite, (scratch.length_px, scratch.max_width_px, scratch.area_px)))


def _reached(scratches: Sequence[Scratch], limits: Limits) -> Iterator[Reason]:
    for scratch in scratches:
        if not is_measured(scratch):
            yield Reason(Rule.NOT_FINITE)
            continue
        for rule, measure, unit in _MEASURES:
            limit, value = getattr(limits, rule.value), float(getattr(scratch, measure))
            if limit is not None and not value < limit:
                yield Reason(rule, value, limit, unit)
    limit = limits.min_scratch_count
    if limit is not None and not len(scratches) < limit:
        yield Reason(Rule.MIN_SCRATCH_COUNT, len(scratches), limit)

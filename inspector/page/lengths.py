"""The lengths that a line's limit is held against, part by part, and what another limit would have
done to these parts. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inspector import whatif
from inspector.limits import Guard, Limits, Scale
from inspector.place import tidy
from inspector.publish.message import ResultMessage
from inspector.types import Rule, Verdict

OF_LENGTH = frozenset({Rule.MIN_SCRATCH_PX, Rule.MIN_SCRATCH_MM, Rule.MARGINAL})
BARS = 30


@dataclass(frozen=True, slots=True)
class Limit:
    """The line's own limit of length: its value and unit, and what makes a length near it marginal
    (`Guard.band`).
    """

    value: float
    unit: str
    guard: Guard | None = None
    scale: Scale | None = None

    @classmethod
    def of(cls, limits: Limits, scale: Scale | None) -> "Limit | None":
        """None where the line limits no length, or not outside of its zones."""
        for value, unit in ((limits.min_scratch_px, "px"), (limits.min_scratch_mm, "mm")):
            if value is not None:
                return cls(value, unit, limits.guard, scale)
        return None

    def rejects_from(self, value: float) -> float:
        """The shortest length that is rejected where the limit is `value`."""
        if self.guard is None:
            return value
        band = self.guard.band(f"min_scratch_{self.unit}", value, self.scale) or 0.0
        if self.guard.policy == "pass":
            return math.nextafter(tidy(value + band), math.inf)
        return tidy(value - band)


def length_of(message: ResultMessage, limits: Limits, unit: str) -> float:
    """What a part is held against its line's limit with: its longest scratch, 0 without any.

    Infinite where it is rejected by whatever length is allowed: it could not be judged, or another
    limit was reached. Scratches in zones, or of a class, with a limit of length of their own do not
    count.
    """
    others = [r for r in message.reasons if r.rule not in OF_LENGTH or r.zone or r.kind]
    marginal = any(reason.rule is Rule.MARGINAL for reason in message.reasons)
    if others or (message.verdict is Verdict.UNKNOWN and not marginal):
        return math.inf
    own = {zone.name for zone in limits.zones if zone.limits_measure("min_scratch")}
    apart = {one.name for one in limits.classes if one.limits_measure("min_scratch")}
    lengths = [
        scratch.length_px if unit == "px" else scratch.length_mm
        for scratch in message.scratches
        if scratch.zone not in own and scratch.kind not in apart
    ]
    return max((length for length in lengths if length is not None), default=0.0)


@dataclass(frozen=True, slots=True)
class Flips:
    """Of so many parts, how many more another limit rejects, and how many more it passes."""

    parts: int
    rejected: int
    passed: int


def flips(lengths: Sequence[float], limit: Limit, other: float) -> Flips:
    """What `other` in the place of `limit` would have done to parts of these lengths."""
    parts = whatif.Parts(np.array(lengths, np.float64), np.zeros(len(lengths), np.bool_))
    before, after = (limit.rejects_from(value) for value in (limit.value, other))
    rejected, passed = whatif.flips(parts, before, after)
    return Flips(len(lengths), rejected, passed)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Numbers of parts by length: bars of `step` from 0 to `end`, and those beyond.

    `clean` parts have no scratch at all; `unjudged` ones have no length that a limit is held
    against.
    """

    step: float
    bars: tuple[int, ...]
    beyond: int
    clean: int
    unjudged: int

    @property
    def end(self) -> float:
        """The upper end of the last bar."""
        return self.step * len(self.bars)


def histogram(lengths: Sequence[float], limit: float) -> Histogram:
    """The limit lies in the left half, and most of what was found to its right is in view."""
    values = np.array(lengths, np.float64)
    known = values[np.isfinite(values)]
    found = known[known > 0]
    most = float(np.quantile(found, 0.95)) if len(found) else 0.0
    step = _round_up(max(2.5 * limit, min(most, 10 * limit)) / BARS)
    bars, _ = np.histogram(found, BARS, (0, step * BARS))
    return Histogram(
        step,
        tuple(map(int, bars)),
        int((found > step * BARS).sum()),
        int((known <= 0).sum()),
        len(values) - len(known),
    )


def _round_up(step: float) -> float:
    """The next of 1, 2, 4, 5 times a power of ten, so that ticks are round numbers."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(n * power for n in (1, 2, 4, 5, 10) if step <= n * power * (1 + 1e-9))

"""What another limit would have done to parts whose truth is known. Pure.

Each part is how far it is rejected, and whether it ought to be. Limits of one call are in one unit.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.intervals import Estimate, Flags, bootstrap, share

SEED = 1
CLAIMS, DOUBT = (0.05, 0.02, 0.01), 0.05
"""Shares of missed bad parts that people want to stay below, and the chance of being wrong."""
POINTS = 12  # limits in a table, beside those that were asked for
LEAST, MOST = 1e-6, 1e12  # a limit below, and above, that of anything that can be photographed
EQUAL = 1e-9  # shares of parts differ by more, or not at all

Stretch = tuple[float, float]
"""Limits above the first number, up to and with the second one."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The largest limit that rejects each part (n,), and which parts ought to be rejected (n,).

    That limit is the length of the longest scratch, where nothing else bears on the verdict. It is
    0 where every limit lets the part pass, and infinite where none does.
    """

    reach: NDArray[np.float64]
    bad: Flags


@dataclass(frozen=True, slots=True)
class Point:
    """What one limit does: bad parts that pass, good parts that are rejected."""

    limit: float
    missed: Estimate
    false_reject: Estimate


@dataclass(frozen=True, slots=True)
class Claim:
    """That fewer than `share` of bad parts are missed (95 % confidence) could be said with so many
    `more` of them, of which none is missed.
    """

    share: float
    more: int


def reach(rejects: Callable[[float], bool]) -> float:
    """The largest limit that rejects a part, to the last bit; 0: none does, infinite: all do.

    `rejects` says it of one limit. A limit below one that rejects has to reject, too.
    """
    if rejects(MOST):
        return math.inf
    if not rejects(LEAST):
        return 0.0
    low, high = LEAST, MOST
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if rejects(middle) else (low, middle)
    return low


def point(parts: Parts, limit: float) -> Point:
    """A scratch that is as long as the limit is rejected."""
    passes = parts.reach < limit
    return Point(limit, share(passes[parts.bad]), share(~passes[~parts.bad]))


def curve(parts: Parts, *limits: float) -> list[Point]:
    """Over the limits at which parts turn, and at those that are asked for."""
    turns = parts.reach[np.isfinite(parts.reach) & (parts.reach > 0)]
    # Every part that a limit can let pass is let pass by the last one.
    steps = np.geomspace(turns.min(), 1.01 * turns.max(), POINTS) if len(turns) else ()
    return [point(parts, limit) for limit in sorted({*map(rounded, steps), *limits})]


def rounded(value: float) -> float:
    """To three digits that count, for people."""
    return float(f"{value:.3g}")


def recommend(parts: Parts) -> Estimate:
    """The limit with the fewest wrong verdicts in shares of bad and of good parts.

    It is about the middle between the parts on either side, so that both kinds keep the same
    distance from it. None where good or bad parts are missing, or where no limit does better than
    to reject all of them or to have none. The interval is a bootstrap's, from the lower end of all
    that do best to the upper one: of what does equally well nothing is left out.
    """
    best = _stretches(parts.reach, parts.bad)
    if not best:
        return Estimate(None, None, None, len(parts.bad))
    low, high = (_end_of_best(parts, upper=upper) for upper in (False, True))
    value = _between(*max(best, key=lambda stretch: stretch[1] - stretch[0]))
    return Estimate(value, low.low, high.high, len(parts.bad))


def _end_of_best(parts: Parts, *, upper: bool) -> Estimate:
    def end(drawn: NDArray[np.intp]) -> float:
        best = _stretches(parts.reach[drawn], parts.bad[drawn])
        return (best[-1][1] if upper else best[0][0]) if best else math.nan

    return bootstrap(end, len(parts.bad), SEED)


def _stretches(reach: NDArray[np.float64], bad: Flags) -> list[Stretch]:
    """Which limits do best, in order; none where a limit is of no use."""
    known = np.isfinite(reach)
    ends, which = np.unique(reach[known], return_inverse=True)
    if bad.all() or not bad.any() or len(ends) < 2:
        return []
    # Between two neighbouring ends every limit does the same, and beyond the last one as none does.
    passes_bad = np.cumsum(np.bincount(which[bad[known]], minlength=len(ends)))
    passes_good = np.cumsum(np.bincount(which[~bad[known]], minlength=len(ends)))
    wrong = passes_bad / bad.sum() + 1 - passes_good / (~bad).sum()
    least = wrong[:-1].min()
    if not least < min(1.0, wrong[-1]) - EQUAL:
        return []
    best = np.flatnonzero(wrong[:-1] < least + EQUAL)
    return [(float(ends[k]), float(ends[k + 1])) for k in best]


def _between(low: float, high: float) -> float:
    """A limit in the middle of a stretch, with as few digits as stay within it."""
    middle = (low + high) / 2
    for digits in range(10):
        if low < (short := round(middle, digits)) <= high:
            return short
    return high


def claims(bad_parts: int, missed: int) -> list[Claim]:
    """What may be claimed with so many bad parts and misses, and how many more it takes."""
    return [Claim(share, max(0, parts_needed(share, missed) - bad_parts)) for share in CLAIMS]


def parts_needed(share: float, missed: int) -> int:
    """The fewest parts of which `missed` prove that fewer than `share` are missed.

    With that share so few misses would come about by a chance of `DOUBT` at most: the one-sided
    interval of Clopper and Pearson, 1934. Without a miss that is ln 0.05 / ln(1 - share), the rule
    of three made exact.
    """
    low = high = missed + 1
    while _at_most(missed, high, share) > DOUBT:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if _at_most(missed, middle, share) <= DOUBT:
            high = middle
        else:
            low = middle + 1
    return low


def _at_most(k: int, n: int, p: float) -> float:
    """The chance of k or fewer of n, each with the chance p."""
    log_p, log_q = math.log(p), math.log1p(-p)
    return sum(
        math.exp(
            math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
            + i * log_p + (n - i) * log_q
        )
        for i in range(k + 1)
    )  # fmt: skip


def flips(parts: Parts, before: float, after: float) -> tuple[int, int]:
    """How many parts would be rejected that passed, and pass that were rejected."""
    was, is_now = parts.reach >= before, parts.reach >= after
    return int(np.count_nonzero(is_now & ~was)), int(np.count_nonzero(was & ~is_now))


def svg(points: Sequence[Point], marks: Sequence[tuple[str, float]], unit: str) -> str:
    """The curve of one point or more as a picture: shares over the limit, which is in `unit`, with
    vertical marks (label, limit).
    """
    width, height, left, bottom, top = 720, 400, 60, 50, 30
    limits = [p.limit for p in points]
    low, high = math.log(min(limits)), math.log(max(limits) + 1e-9)
    span = max(high - low, 1e-9)

    def x(limit: float) -> float:
        return left + (math.log(limit) - low) / span * (width - left - 20)

    def y(value: float) -> float:
        return height - bottom - value * (height - bottom - top)

    def line(values: Sequence[float | None], colour: str, dash: str) -> str:
        known = [(p, v) for p, v in zip(limits, values, strict=True) if v is not None]
        path = " ".join(f"{x(p):.1f},{y(v):.1f}" for p, v in known)
        return (
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{dash}"/>'
        )

    grid = "".join(
        f'<line x1="{left}" x2="{width - 20}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ddd"/>'
        f'<text x="{left - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.0%}</text>'
        for v in (0, 0.25, 0.5, 0.75, 1)
    )
    ticks = "".join(
        f'<text x="{x(p):.1f}" y="{height - bottom + 18}" text-anchor="middle">{p:g}</text>'
        for p in limits[:: max(1, len(limits) // 8)]
    )
    verticals = "".join(
        f'<line x1="{x(p):.1f}" x2="{x(p):.1f}" y1="{top}" y2="{height - bottom}" stroke="#444"'
        f' stroke-dasharray="2 3"/><text x="{x(p) + 4:.1f}" y="{top + 12 + 14 * k}">{label}</text>'
        for k, (label, p) in enumerate(marks)
        if min(limits) <= p <= max(limits)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{grid}{ticks}{verticals}"
        f"{line([p.missed.value for p in points], '#d55e00', 'none')}"
        f"{line([p.false_reject.value for p in points], '#0072b2', '6 3')}"
        f'<text x="{left}" y="18" fill="#d55e00">— bad parts that pass</text>'
        f'<text x="{left + 180}" y="18" fill="#0072b2">- - good parts that are rejected</text>'
        f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">limit, {unit}</text></svg>\n'
    )

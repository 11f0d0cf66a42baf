"""What another limit would have done to parts whose truth is known. Pure.

Each part is the length of its longest scratch, and whether it ought to be rejected. A part that
could not be judged is rejected by every limit: its length is infinite here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.intervals import Estimate, Flags, bootstrap, share

SEED = 1
CLAIMS, DOUBT = (0.05, 0.02, 0.01), 0.05
"""Shares of missed bad parts that people want to stay below, and the chance of being wrong."""
POINTS = 12  # limits in a table, beside those that were asked for


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Longest scratch of each part in px (n,), and which parts ought to be rejected (n,)."""

    longest_px: NDArray[np.float64]
    bad: Flags


@dataclass(frozen=True, slots=True)
class Point:
    """What one limit does: bad parts that pass, good parts that are rejected."""

    limit_px: float
    missed: Estimate
    false_reject: Estimate


@dataclass(frozen=True, slots=True)
class Claim:
    """With `needed` bad parts, of which no more are missed than were, fewer than `share` are missed
    (95 % confidence); `more` are lacking.
    """

    share: float
    needed: int
    more: int


def point(parts: Parts, limit_px: float) -> Point:
    """A scratch that is as long as the limit is rejected."""
    passes = parts.longest_px < limit_px
    return Point(limit_px, share(passes[parts.bad]), share(~passes[~parts.bad]))


def curve(parts: Parts, *limits_px: float) -> list[Point]:
    """Over the lengths that occur, and at the limits that are asked for."""
    known = parts.longest_px[np.isfinite(parts.longest_px) & (parts.longest_px > 0)]
    steps = np.geomspace(max(1.0, known.min()), known.max() + 1, POINTS) if len(known) else ()
    return [point(parts, limit) for limit in sorted({*np.round(steps, 0).tolist(), *limits_px})]


def recommend(parts: Parts) -> Estimate:
    """The limit, in px, with the fewest wrong verdicts in shares of bad and of good parts.

    It is the middle between the lengths on either side, so that both kinds of parts keep the same
    distance from it. None where good or bad parts are missing, or where no limit does better than
    to reject all of them or none. The interval is a bootstrap's.
    """

    def best(drawn: NDArray[np.intp]) -> float:
        return _best(parts.longest_px[drawn], parts.bad[drawn])

    return bootstrap(best, len(parts.bad), SEED)


def _best(longest: NDArray[np.float64], bad: Flags) -> float:
    if bad.all() or not bad.any():
        return math.nan
    lengths, which = np.unique(longest[np.isfinite(longest)], return_inverse=True)
    if len(lengths) < 2:
        return math.nan
    # Between two neighbouring lengths every limit does the same.
    known_bad = bad[np.isfinite(longest)]
    passes_bad = np.cumsum(np.bincount(which[known_bad], minlength=len(lengths)))[:-1]
    passes_good = np.cumsum(np.bincount(which[~known_bad], minlength=len(lengths)))[:-1]
    wrong = passes_bad / bad.sum() + 1 - passes_good / (~bad).sum()
    k = int(np.argmin(wrong))
    return float((lengths[k] + lengths[k + 1]) / 2) if wrong[k] < 1 else math.nan


def claims(bad_parts: int, missed: int) -> list[Claim]:
    """What may be claimed with so many bad parts and misses, and how many more it takes."""
    wanted = [(share, parts_needed(share, missed)) for share in CLAIMS]
    return [Claim(share, needed, max(0, needed - bad_parts)) for share, needed in wanted]


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


def flips(parts: Parts, before_px: float, after_px: float) -> tuple[int, int]:
    """How many parts would be rejected that passed, and pass that were rejected."""
    was, is_now = parts.longest_px >= before_px, parts.longest_px >= after_px
    return int(np.count_nonzero(is_now & ~was)), int(np.count_nonzero(was & ~is_now))


def svg(points: Sequence[Point], marks: Sequence[tuple[str, float]]) -> str:
    """The curve as a picture: shares over the limit, with vertical marks (label, limit in px)."""
    width, height, left, bottom, top = 720, 400, 60, 50, 30
    limits = [p.limit_px for p in points]
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
        f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">limit, px</text></svg>\n'
    )

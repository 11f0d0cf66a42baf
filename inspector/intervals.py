"""Numbers with their intervals. Pure; all intervals are at 95 %.

Wilson, J. Am. Stat. Assoc. 22 (1927) 209; that it holds at small n and near 0 and 1, where
p ± 1.96 s does not: Brown, Cai, DasGupta, Statistical Science 16 (2001) 101. Percentile bootstrap:
Efron, Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""
ROUNDS = 1000
"""Resamplings of a bootstrap; the ends of an interval then move by less than its tenth."""
UNDEFINED_MAX = 0.05
"""A bootstrap with more rounds than this without a value has no interval."""

Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; `n` is what it was counted on, `hits` of them for a share.

    None where it is not defined: a share of nothing, an interval of a single picture.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    hits: int | None = None


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The Wilson score interval of a share `hits / n`, n ≥ 1."""
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Exactly 0 and 1 belong to their intervals; rounding must not push them out.
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return low, 1.0 if hits == n else min(1.0, middle + half)


def share(flags: Flags) -> Estimate:
    """How many of `flags` (n,) are true, with Wilson's interval."""
    hits, n = int(np.count_nonzero(flags)), len(flags)
    if n == 0:
        return Estimate(None, None, None, 0, 0)
    return Estimate(hits / n, *wilson(hits, n), n, hits)


def bootstrap(statistic: Callable[[Indices], float], n: int, seed: int) -> Estimate:
    """`statistic` of all n items, with the percentile interval over resamplings of them.

    `statistic` gets indices (n,) into the items and answers NaN where it is not defined.
    """
    value = statistic(np.arange(n)) if n else math.nan
    if not math.isfinite(value):
        return Estimate(None, None, None, n)
    if n < 2:
        return Estimate(value, None, None, n)
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(rng.integers(0, n, n)) for _ in range(ROUNDS)])
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < (1 - UNDEFINED_MAX) * ROUNDS:
        return Estimate(value, None, None, n)
    low, high = np.quantile(defined, (0.025, 0.975))
    return Estimate(value, float(low), float(high), n)

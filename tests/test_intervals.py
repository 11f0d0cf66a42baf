"""Figures with their intervals, against published values and against theory."""

import math

import numpy as np
import pytest

from inspector import intervals
from inspector.intervals import Estimate


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_is_as_published(hits: int, n: int, low: float, high: float) -> None:
    """The interval of a share, and the mirrored one of the opposite share."""
    assert intervals.wilson(hits, n) == pytest.approx((low, high), abs=5e-5)
    assert intervals.wilson(n - hits, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_a_share_of_all_reaches_to_one() -> None:
    """Rounding must not push the value out of its interval."""
    for n in range(1, 200):
        none, whole = intervals.wilson(0, n), intervals.wilson(n, n)
        assert none[0] == 0.0
        assert whole[1] == 1.0
        assert none[1] < 1.0
        assert whole[0] > 0.0


def test_a_share_of_nothing_is_undefined() -> None:
    """No figure is made up where nothing was counted."""
    assert intervals.share(np.zeros(0, np.bool_)) == Estimate(None, None, None, 0, 0)
    assert intervals.share(np.array([True, False, True, True])).value == 0.75


def test_the_bootstrap_of_a_mean_is_its_standard_error() -> None:
    """Where theory knows the interval, resampling finds it; the same seed, the same ends."""
    values = np.random.default_rng(2).normal(10, 3, 400)

    def mean(drawn: intervals.Indices) -> float:
        return float(values[drawn].mean())

    found = intervals.bootstrap(mean, len(values), seed=1)

    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.15 * half
    )
    assert intervals.bootstrap(mean, len(values), seed=1) == found
    assert intervals.bootstrap(mean, len(values), seed=2) != found


def test_a_bootstrap_without_spread_or_value_says_so() -> None:
    """One item has no interval, none has no value, and neither has what is mostly undefined."""
    assert intervals.bootstrap(lambda _: 4.0, 1, seed=1) == Estimate(4.0, None, None, 1)
    assert intervals.bootstrap(lambda _: 4.0, 0, seed=1) == Estimate(None, None, None, 0)
    spread = intervals.bootstrap(lambda i: 1.0 if len(set(i)) == 2 else math.nan, 2, seed=1)
    assert spread == Estimate(1.0, None, None, 2)

"""How well something separates good from bad, against counting by hand."""

import math

import numpy as np
import pytest

from inspector.intervals import Estimate
from training.evaluation import statistics


def test_auc_is_the_chance_of_the_right_order() -> None:
    """Equal to comparing every pair, a tie counting half; undefined with one class."""
    rng = np.random.default_rng(1)
    truth = rng.random(60) < 0.4
    score = np.round(truth + rng.normal(0, 1, 60), 1)  # rounded, so that there are ties
    difference = score[truth][:, None] - score[~truth][None]

    expected = (difference > 0).mean() + (difference == 0).mean() / 2

    assert statistics.auc(truth, score) == pytest.approx(expected)
    assert math.isnan(statistics.auc(np.ones(3, np.bool_), np.arange(3.0)))
    unknown = np.array([math.inf, math.inf, 1.0, 0.0])
    assert statistics.auc(np.array([True, False, True, False]), unknown) == 0.625


def test_the_roc_encloses_the_auc() -> None:
    """From (0, 0) to (1, 1); items of one score are one step; its area is the AUC."""
    truth = np.array([True, True, False, True, False, False])
    score = np.array([9.0, 7.0, 7.0, 5.0, 5.0, 1.0])

    false, true, thresholds = statistics.roc(truth, score)

    assert false.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])
    assert true.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert thresholds.tolist() == [math.inf, 9, 7, 5, 1]
    assert np.trapezoid(true, false) == pytest.approx(statistics.auc(truth, score))
    assert [len(a) for a in statistics.roc(truth[:2], score[:2])] == [0, 0, 0]


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    """Two right, one missed, one too many; undefined where there is nothing on either side."""
    truth, said = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool)

    assert statistics.f1(truth, said) == pytest.approx(2 / 3)
    assert math.isnan(statistics.f1(~truth & truth, ~said & said))


def test_a_ratio_of_sums_weighs_by_size() -> None:
    """Over all pixels, not over pictures; undefined over nothing."""
    of = statistics.ratio(np.array([1.0, 90.0, 0.0]), np.array([10.0, 100.0, 0.0]))

    assert of(np.array([0, 1])) == pytest.approx(91 / 110)
    assert math.isnan(of(np.array([2, 2])))


def test_parts_without_an_error_give_f1_and_auc_no_interval() -> None:
    """No resampling of them holds an error: from 1 to 1 would say that there can be none."""
    truth = np.arange(20) < 10
    one_wrong = truth ^ (np.arange(20) == 3)

    def f1(said: np.ndarray) -> Estimate:
        return statistics.bootstrap(lambda i: statistics.f1(truth[i], said[i]), len(truth), seed=1)

    assert f1(truth) == Estimate(1.0, None, None, 20)
    found = f1(one_wrong)
    assert found.low is not None
    assert found.low < found.value < found.high == 1.0

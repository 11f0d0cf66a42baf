"""How well something separates good from bad. Pure; intervals: `inspector.intervals`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inspector import intervals
from inspector.intervals import Estimate, Flags, Indices

Floats = NDArray[np.float64]


def bootstrap(statistic: Callable[[Indices], float], n: int, seed: int) -> Estimate:
    """As `intervals.bootstrap`, but without an interval where all resamplings say the same: those
    of a set without an error hold none either, and prove nothing of how rare errors are.
    """
    found = intervals.bootstrap(statistic, n, seed)
    return replace(found, low=None, high=None) if found.low == found.high else found


def f1(truth: Flags, said: Flags) -> float:
    """2 TP / (2 TP + FP + FN) of two (n,) arrays; NaN if both hold nothing."""
    both = np.count_nonzero(truth) + np.count_nonzero(said)
    return float(2 * np.count_nonzero(truth & said) / both) if both else math.nan


def auc(truth: Flags, score: Floats) -> float:
    """Area under the ROC curve: the chance that a true item scores higher than a false one.

    The Mann-Whitney statistic (Hanley, McNeil, Radiology 143 (1982) 29); a tie counts half.
    `truth`, `score`: (n,). NaN with one class only.
    """
    positives = int(np.count_nonzero(truth))
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return math.nan
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks = float(middle_rank[inverse[truth]].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def roc(truth: Flags, score: Floats) -> tuple[Floats, Floats, Floats]:
    """The ROC curve from (0, 0) to (1, 1): false and true positive rate, and the score ≥ which an
    item is called positive; three arrays (k,). Empty with one class only.
    """
    positives = np.count_nonzero(truth)
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return (np.zeros(0), np.zeros(0), np.zeros(0))
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.append(ordered[1:] != ordered[:-1], True)  # items of one score are called together
    true = np.append(0, np.cumsum(truth[order])[last]) / positives
    false = np.append(0, np.cumsum(~truth[order])[last]) / negatives
    return false, true, np.append(np.inf, ordered[last])


def ratio(over: Floats, under: Floats) -> Callable[[Indices], float]:
    """Σ over / Σ under of the items (n,) that a bootstrap draws; NaN where the sum is 0."""

    def of(drawn: Indices) -> float:
        total = float(under[drawn].sum())
        return float(over[drawn].sum()) / total if total else math.nan

    return of

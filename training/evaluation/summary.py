"""What a set of judged pictures says about the model: figures with intervals, curves, bins. Pure.

A part ought to be rejected when its longest true scratch reaches the limit; where lengths are not
known, when it is labelled bad. Parts within `UNSURE` of the limit are left out of that question,
because no measurement settles it. `unknown` is a reject and is counted by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from inspector import intervals
from inspector.intervals import Estimate, Flags
from inspector.types import Verdict
from training.evaluation import statistics
from training.evaluation.statistics import Floats
from training.evaluation.values import (
    AtLimit,
    Bin,
    Judged,
    Kind,
    Lengths,
    LimitCost,
    Pictures,
    Scratches,
    Summary,
    TrueScratch,
)

UNSURE = 0.15
LENGTHS_PX = (0, 10, 20, 40, 80, math.inf)
CONTRASTS = (0, 16, 32, math.inf)
"""Grey levels: below 16 a scratch is faint, from 32 on anyone sees it."""
CLEAR_LENGTH_PX, CLEAR_CONTRAST = 20.0, 16.0
"""From here on a scratch has to be found; below, finding it is a bonus."""
SWEEP = (0.5, 1.0, 2.0)
"""Limits at which parts are told apart too, as multiples of the one that was judged by."""
WIDTH_PX = 1.0
LIMITS = 2.0 ** (np.arange(-24, 25) / 8)
"""Other limits of which the cost is told, as multiples of the one that was judged by."""


def summaries(judged: Sequence[Judged], limit_px: float, seed: int) -> list[Summary]:
    """One of all pictures, then one of each surface by name."""
    names = sorted({j.row.surface for j in judged})
    groups = [("all", list(judged))]
    groups += [(name, [j for j in judged if j.row.surface == name]) for name in names]
    return [summarise(name, group, limit_px, seed) for name, group in groups]


def summarise(name: str, judged: Sequence[Judged], limit_px: float, seed: int) -> Summary:
    """The figures of at least one picture. `seed`: of the resamplings."""
    sure = [j for j in judged if not is_borderline(j, limit_px)]
    good = [j for j in judged if not j.row.bad]
    iou, dice, per_picture = _overlaps(judged, seed)
    times = [j.total_ms for j in judged]
    return Summary(
        name=name,
        pictures=len(judged),
        bad=sum(j.row.bad for j in judged),
        borderline=len(judged) - len(sure),
        unknown=intervals.share(_flags(judged, lambda j: j.verdict is Verdict.UNKNOWN)),
        by_limit=_pictures(sure, lambda j: ought_to_fail(j, limit_px), seed),
        by_label=_pictures(judged, lambda j: j.row.bad, seed),
        false_reject_good=intervals.share(_flags([j for j in good if not j.row.hard], rejected)),
        false_reject_hard=intervals.share(_flags([j for j in good if j.row.hard], rejected)),
        limits=_limits(sure, limit_px),
        sweep=[_at_limit(judged, multiple * limit_px, seed) for multiple in SWEEP],
        scratches=_scratches(judged),
        iou=iou,
        dice=dice,
        iou_per_picture=per_picture,
        length=_lengths([t for j in judged for t in j.truths], seed),
        total_ms_p50=float(np.percentile(times, 50)),
        total_ms_p95=float(np.percentile(times, 95)),
    )


def rejected(judged: Judged) -> bool:
    """What the gate does."""
    return judged.verdict is not Verdict.PASS


def ought_to_fail(judged: Judged, limit_px: float) -> bool:
    """Whether a scratch reaches the limit; a bad part of unknown lengths is trusted to have one."""
    return judged.longest_true_px is None or judged.longest_true_px >= limit_px


def is_borderline(judged: Judged, limit_px: float) -> bool:
    """Whether the longest true scratch is too near to the limit to ask."""
    longest = judged.longest_true_px
    return longest is not None and (1 - UNSURE) * limit_px < longest < (1 + UNSURE) * limit_px


def _flags(judged: Sequence[Judged], of: Callable[[Judged], bool]) -> Flags:
    return np.array([of(j) for j in judged], np.bool_)


def _score(judged: Sequence[Judged]) -> Floats:
    """By what a limit rejects: the longest measured scratch; no limit lets an unknown pass."""
    return np.array([math.inf if j.verdict is Verdict.UNKNOWN else j.longest_px for j in judged])


def _pictures(judged: Sequence[Judged], is_bad: Callable[[Judged], bool], seed: int) -> Pictures:
    truth, said, score = _flags(judged, is_bad), _flags(judged, rejected), _score(judged)
    false, true, thresholds = statistics.roc(truth, score)
    return Pictures(
        bad=int(truth.sum()),
        good=int((~truth).sum()),
        precision=intervals.share(truth[said]),
        recall=intervals.share(said[truth]),
        f1=statistics.bootstrap(lambda i: statistics.f1(truth[i], said[i]), len(truth), seed),
        auc=statistics.bootstrap(lambda i: statistics.auc(truth[i], score[i]), len(truth), seed),
        roc=(
            false.tolist(),
            true.tolist(),
            [t if math.isfinite(t) else None for t in thresholds.tolist()],
        ),
    )


def _at_limit(judged: Sequence[Judged], limit_px: float, seed: int) -> AtLimit:
    sure = [j for j in judged if not is_borderline(j, limit_px)]
    truth = _flags(sure, lambda j: ought_to_fail(j, limit_px))
    said = _score(sure) >= limit_px
    f1 = statistics.bootstrap(lambda i: statistics.f1(truth[i], said[i]), len(truth), seed)
    return AtLimit(limit_px, f1)


def _limits(sure: Sequence[Judged], limit_px: float) -> list[LimitCost]:
    truth, score = _flags(sure, lambda j: ought_to_fail(j, limit_px)), _score(sure)
    good = _flags(sure, lambda j: not j.row.bad)
    return [
        LimitCost(
            limit_px=limit,
            missed=intervals.share(score[truth] < limit),
            false_reject=intervals.share(score[~truth] >= limit),
            false_reject_good=intervals.share(score[good] >= limit),
        )
        for limit in (limit_px * LIMITS).tolist()
    ]


def _scratches(judged: Sequence[Judged]) -> Scratches:
    truths = [t for j in judged for t in j.truths]
    told = [p for j in judged for p in j.predictions if p.kind in (Kind.RIGHT, Kind.WRONG)]
    right = [p.kind is Kind.RIGHT for p in told]
    long = [p.kind is Kind.RIGHT for p in told if p.length_px >= CLEAR_LENGTH_PX]
    clear = [t.found for t in truths if is_clear(t)]
    return Scratches(
        recall=intervals.share(np.array([t.found for t in truths], np.bool_)),
        precision=intervals.share(np.array(right, np.bool_)),
        clear_recall=intervals.share(np.array(clear, np.bool_)),
        clear_precision=intervals.share(np.array(long, np.bool_)),
        in_pieces=intervals.share(np.array([t.pieces > 1 for t in truths if t.found], np.bool_)),
        bins=[
            _bin(truths, length, contrast)
            for length in pairwise(LENGTHS_PX)
            for contrast in pairwise(CONTRASTS)
        ],
    )


def is_clear(truth: TrueScratch) -> bool:
    """Long and strong enough that it has to be found; one of unknown contrast goes by length."""
    return truth.length_px >= CLEAR_LENGTH_PX and (
        truth.contrast is None or truth.contrast >= CLEAR_CONTRAST
    )


def _bin(
    truths: Sequence[TrueScratch], length: tuple[float, float], contrast: tuple[float, float]
) -> Bin:
    inside = [
        t.found
        for t in truths
        if t.contrast is not None
        and length[0] <= t.length_px < length[1]
        and contrast[0] <= t.contrast < contrast[1]
    ]
    return Bin(_open(length), _open(contrast), intervals.share(np.array(inside, np.bool_)))


def _open(span: tuple[float, float]) -> tuple[float, float | None]:
    return span[0], span[1] if math.isfinite(span[1]) else None


def _overlaps(judged: Sequence[Judged], seed: int) -> tuple[Estimate, Estimate, Estimate]:
    """IoU and Dice over all pixels of the pictures with a mask, and the mean IoU of a picture."""
    overlaps = [j.overlap for j in judged if j.overlap is not None]
    both, true, predicted = (
        np.array([getattr(o, name) for o in overlaps], float)
        for name in ("both", "true", "predicted")
    )
    union, n = true + predicted - both, len(overlaps)
    return (
        statistics.bootstrap(statistics.ratio(both, union), n, seed),
        statistics.bootstrap(statistics.ratio(2 * both, true + predicted), n, seed),
        statistics.bootstrap(lambda i: float((both[i] / union[i]).mean()), n, seed),
    )


def _lengths(truths: Sequence[TrueScratch], seed: int) -> Lengths:
    measured = [(t.error_px, t.length_px) for t in truths if t.error_px is not None]
    error, true = np.array(measured, float).reshape(-1, 2).T
    n = len(error)
    wider = np.array([t.width_error_px for t in truths if t.width_error_px is not None], float)

    def of(statistic: Callable[[Floats], np.floating], values: Floats) -> Estimate:
        return statistics.bootstrap(lambda i: float(statistic(values[i])), n, seed)

    return Lengths(
        median_abs_px=of(np.median, np.abs(error)),
        median_relative=of(np.median, np.abs(error) / true),
        bias_px=of(np.mean, error),
        low_limit_px=of(lambda e: np.quantile(e, 0.025), error),
        high_limit_px=of(lambda e: np.quantile(e, 0.975), error),
        width_within_1px=intervals.share(np.abs(wider) <= WIDTH_PX),
    )

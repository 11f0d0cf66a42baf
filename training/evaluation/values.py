"""What an evaluation says: of one picture, and of many. Lengths are in pixels of the camera."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inspector.intervals import Estimate
from inspector.types import Verdict
from training.evaluation.labels import Labelled

Polygon = tuple[tuple[float, float], ...]


class Kind(StrEnum):
    """What became of a prediction. UNJUDGED: nobody said where the scratches of its picture are."""

    RIGHT = "right"
    WRONG = "wrong"
    IGNORED = "ignored"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class TrueScratch:
    """A true scratch and how it fared. `error_px`, `width_error_px`: measured minus true length and
    median width, of its best match.

    `pieces`: how many predictions lie on it.
    """

    polygon: Polygon
    length_px: float
    contrast: float | None
    found: bool
    pieces: int
    error_px: float | None
    width_error_px: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A measured scratch and whether there is one."""

    polygon: Polygon
    length_px: float
    confidence: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Overlap:
    """Pixels of one picture, without ignored ones: in both, true, and predicted."""

    both: int
    true: int
    predicted: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: the label, the verdict, and how they compare.

    `longest_true_px` is 0 without scratches, None where it is not known.
    """

    row: Labelled
    verdict: Verdict
    reasons: tuple[str, ...]
    longest_true_px: float | None
    longest_px: float
    truths: tuple[TrueScratch, ...]
    predictions: tuple[Prediction, ...]
    overlap: Overlap | None
    total_ms: float


@dataclass(frozen=True, slots=True)
class Pictures:
    """Rejected or not, against whether it ought to be. AUC and ROC rank by the longest measured
    scratch; the ROC as false positive rate, true positive rate, threshold in px.
    """

    bad: int
    good: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auc: Estimate
    roc: tuple[list[float], list[float], list[float | None]]


@dataclass(frozen=True, slots=True)
class LimitCost:
    """What `min_scratch_px` = `limit_px` would miss of the parts that ought to be rejected, and
    falsely reject of the others and of the good ones alone.
    """

    limit_px: float
    missed: Estimate
    false_reject: Estimate
    false_reject_good: Estimate


@dataclass(frozen=True, slots=True)
class AtLimit:
    """Parts told apart by `min_scratch_px` = `limit_px`, without those within 15 % of it."""

    limit_px: float
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Bin:
    """Recall of the scratches with lengths and contrasts in [from, to); None: no upper end."""

    length_px: tuple[float, float | None]
    contrast: tuple[float, float | None]
    recall: Estimate


@dataclass(frozen=True, slots=True)
class Scratches:
    """Scratches found and predictions right; `clear`: those that have to be found.

    `in_pieces`: of those found, seen as more than one.
    """

    recall: Estimate
    precision: Estimate
    clear_recall: Estimate
    clear_precision: Estimate
    in_pieces: Estimate
    bins: list[Bin]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Measured minus true length of the found scratches. `limits`: the 2.5 % and 97.5 % quantiles,
    between which 95 % of the errors lie (Bland, Altman, Stat. Methods Med. Res. 8 (1999) 135).
    """

    median_abs_px: Estimate
    median_relative: Estimate
    bias_px: Estimate
    low_limit_px: Estimate
    high_limit_px: Estimate
    width_within_1px: Estimate
    """Of the found scratches whose true width is known."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one surface, or of all."""

    name: str
    pictures: int
    bad: int
    borderline: int
    unknown: Estimate
    by_limit: Pictures
    by_label: Pictures
    false_reject_good: Estimate
    false_reject_hard: Estimate
    limits: list[LimitCost]
    sweep: list[AtLimit]
    scratches: Scratches
    iou: Estimate
    dice: Estimate
    iou_per_picture: Estimate
    length: Lengths
    total_ms_p50: float
    total_ms_p95: float

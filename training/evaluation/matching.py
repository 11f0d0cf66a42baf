"""Truth against result, one picture at a time. Pure.

- A true scratch is found if one prediction has IoU ≥ `IOU` with it, or if predictions cover at
  least `COVER` of its centre line within `NEAR_PX`. A prediction of which less than `ON_SCRATCH`
  lies within `BROAD_PX` of true scratches covers nothing: a giant outline finds no scratch.
- A prediction is right if it has IoU ≥ `IOU` with a true scratch, or covers `COVER` of one's centre
  line by itself, or if at least half of it lies within `NEAR_PX` of true scratches (a fragment).
- A wrong prediction that lies at least half within `RIM_PX` of ignored pixels is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspector.measure import measure
from inspector.skeleton import thin
from inspector.types import Detection, Mask, Result, Scratch
from training.evaluation.labels import LabelError, Labelled, LabelledScratch
from training.evaluation.values import Judged, Kind, Overlap, Prediction, TrueScratch
from training.marks import IGNORE, SCRATCH

IOU = 0.1
COVER = 0.3
NEAR_PX, BROAD_PX, RIM_PX = 3, 5, 2
ON_SCRATCH = 0.1
FRAGMENT = 0.5
TOUCHED = 0.02
"""A prediction that covers more of a centre line than this is a piece of that scratch."""

Pixels = NDArray[np.intp]
"""(n,): which pixels of a picture, counted row by row. A picture holds many thin things: as masks
of its size they would fill the memory."""


def compare(row: Labelled, marks: NDArray[np.uint8] | None, result: Result) -> Judged:
    """Match what was found on a picture with its labels and its mask `marks` (H, W), if any.

    Raises:
        LabelError: a mask that contradicts the label or the polygons.
    """
    shape = _canvas(row, marks, result)
    truths, areas = _truths(row, marks, shape)
    predicted = [np.flatnonzero(raster(s.polygon, shape)) for s in result.scratches]
    ignore = np.zeros(shape, np.bool_) if marks is None else np.asarray(marks == IGNORE)
    known = not row.bad or bool(truths)
    found, kinds = _match(truths, areas, result.scratches, predicted, ignore)
    longest_true = max((t.length_px for t in truths), default=0.0) if known else None
    return Judged(
        row=row,
        verdict=result.verdict,
        reasons=tuple(reason.rule.value for reason in result.reasons),
        longest_true_px=longest_true,
        longest_px=max((s.length_px for s in result.scratches), default=0.0),
        truths=tuple(found),
        predictions=tuple(
            Prediction(s.polygon, s.length_px, s.confidence, kind if known else Kind.UNJUDGED)
            for s, kind in zip(result.scratches, kinds, strict=True)
        ),
        overlap=_overlap(marks, predicted) if row.bad and marks is not None else None,
        total_ms=result.timing.total,
    )


def raster(polygon: ArrayLike, shape: tuple[int, int]) -> Mask:
    """The filled outline (n, 2) of x, y, its boundary included, in a picture of (H, W)."""
    canvas = np.zeros(shape, np.uint8)
    cv2.drawContours(canvas, [np.rint(polygon).astype(np.int32).reshape(-1, 1, 2)], -1, 1, -1)
    return np.asarray(canvas > 0)


def grow(mask: Mask, radius: int) -> Mask:
    """The pixels within `radius` px of the mask (H, W)."""
    side = 2 * radius + 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disk) > 0)


def _canvas(row: Labelled, marks: NDArray[np.uint8] | None, result: Result) -> tuple[int, int]:
    """(H, W) in which to compare; a picture that could not be read has none of its own."""
    if result.size is not None:
        return result.size[1], result.size[0]
    if marks is not None:
        return marks.shape[0], marks.shape[1]
    corners = np.array([xy for s in row.scratches for xy in s.polygon] or [(0, 0)])
    width, height = corners.max(axis=0).astype(int) + 1
    return int(height), int(width)


def _truths(
    row: Labelled, marks: NDArray[np.uint8] | None, shape: tuple[int, int]
) -> tuple[list[LabelledScratch], list[Pixels]]:
    """The true scratches and their pixels; a mask without polygons is measured as the edge does."""
    drawn = None if marks is None else np.asarray(marks == SCRATCH)
    if drawn is not None and drawn.any() != row.bad:
        expected, found = ("some", "none") if row.bad else ("no", "some")
        raise LabelError(
            f"{row.where}: mask: expected {expected} scratch pixels in a "
            f"{'bad' if row.bad else 'good'} picture, found {found} in {row.mask}"
        )
    scratches = list(row.scratches)
    if drawn is not None and row.bad and not scratches:
        scratches = [
            LabelledScratch(polygon=s.polygon, length_px=s.length_px)
            for s in measure([Detection(1.0, 0, 0, drawn)])
        ]
    areas = []
    for number, scratch in enumerate(scratches):
        area = raster(scratch.polygon, shape)
        if drawn is not None:  # polygons may be wider than the scratch, for training
            area &= drawn
        if not area.any():
            raise LabelError(
                f"{row.where}: scratches.{number}.polygon: expected scratch pixels of the picture "
                "and its mask inside, found none"
            )
        areas.append(np.flatnonzero(area))
    return scratches, areas


def _match(
    truths: Sequence[LabelledScratch],
    areas: Sequence[Pixels],
    scratches: Sequence[Scratch],
    predicted: Sequence[Pixels],
    ignore: Mask,
) -> tuple[list[TrueScratch], list[Kind]]:
    anywhere = _mask(areas, ignore.shape)
    near, broad = grow(anywhere, NEAR_PX), grow(anywhere, BROAD_PX)
    ignore = grow(ignore & ~anywhere, RIM_PX)
    reach = [
        np.flatnonzero(grow(_mask([p], ignore.shape), NEAR_PX))
        if _on(p, broad) >= ON_SCRATCH
        else p[:0]
        for p in predicted
    ]
    right = [_on(p, near) >= FRAGMENT for p in predicted]
    out = []
    for truth, area in zip(truths, areas, strict=True):
        line = _centre_line(area, ignore.shape)
        covered = np.zeros(len(line), np.bool_)
        rank: dict[int, tuple[float, float]] = {}
        for k, (pixels, wide) in enumerate(zip(predicted, reach, strict=True)):
            overlap, by_this = _iou(pixels, area), np.isin(line, wide)
            cover = float(by_this.mean())
            covered |= by_this
            right[k] |= overlap >= IOU or cover >= COVER
            if overlap >= IOU or cover > TOUCHED:
                rank[k] = (round(overlap, 6), cover)
        best = max(rank, key=lambda k: rank[k], default=None)
        found = bool(covered.mean() >= COVER) or (best is not None and rank[best][0] >= IOU)
        error = wider = None
        if found and best is not None:
            error = scratches[best].length_px - truth.length_px
            if truth.width_px is not None:
                wider = scratches[best].width_px - truth.width_px
        out.append(
            TrueScratch(
                truth.polygon, truth.length_px, truth.contrast, found, len(rank), error, wider
            )
        )
    kinds = [
        Kind.RIGHT if ok else Kind.IGNORED if _on(p, ignore) >= FRAGMENT else Kind.WRONG
        for p, ok in zip(predicted, right, strict=True)
    ]
    return out, kinds


def _centre_line(area: Pixels, shape: tuple[int, int]) -> Pixels:
    """The pixels of the skeleton; at least one."""
    rows, columns = np.unravel_index(area, shape)
    top, left = int(rows.min()), int(columns.min())
    box = np.zeros((int(rows.max()) - top + 1, int(columns.max()) - left + 1), np.bool_)
    box[rows - top, columns - left] = True
    line = thin(box)
    rows, columns = np.nonzero(line if line.any() else box)  # nothing is left of a square of 2 × 2
    return np.asarray(np.ravel_multi_index((rows + top, columns + left), shape))


def _mask(areas: Sequence[Pixels], shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.bool_)
    for pixels in areas:
        mask.ravel()[pixels] = True
    return mask


def _on(pixels: Pixels, ground: Mask) -> float:
    """The share of `pixels` that lies on `ground`."""
    return int(np.count_nonzero(ground.ravel()[pixels])) / max(1, len(pixels))


def _iou(a: Pixels, b: Pixels) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / max(1, len(a) + len(b) - both)


def _overlap(marks: NDArray[np.uint8], predicted: Sequence[Pixels]) -> Overlap:
    valid, true = marks != IGNORE, marks == SCRATCH
    said = _mask(predicted, marks.shape) & valid
    return Overlap(
        both=int(np.count_nonzero(said & true)),
        true=int(np.count_nonzero(true)),
        predicted=int(np.count_nonzero(said)),
    )

"""YOLO-seg outputs → detections, an instance each. One decode for every runtime and for training.

Two heads are read. `end2end` (YOLO26): (1, N, 4 + 2 + 32) rows of x1, y1, x2, y2, confidence, class
and mask coefficients, already free of duplicates. `raw` (YOLO11, YOLOv8): (1, 4 + classes + 32, N)
columns of centre x, centre y, width, height, class scores and coefficients, which need suppression.
Both come with prototypes (1, 32, H/4, W/4); a mask is sigmoid(coefficients · prototypes) > 0.5.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.errors import InferenceError
from inspector.segment.manifest import STRIDE, Manifest
from inspector.segment.runtime import Floats, Outputs, check_outputs
from inspector.types import Detection

BOX_MARGIN = 8.0  # px; a thin scratch leaves its predicted box before it ends
MAX_DETECTIONS = 300
FAR = 1e5  # px; no box of a working model lies so far away


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    boxes: Floats  # (n, 4): x1, y1, x2, y2 in pixels of the model's input
    scores: Floats  # (n,)
    classes: NDArray[np.intp]  # (n,): which of the manifest's
    coefficients: Floats  # (n, 32)


def decode(outputs: Outputs, manifest: Manifest, confidence: float) -> list[Detection]:
    """Detections in pixels of the model's input, most confident first.

    Raises:
        InferenceError: an output of another shape than the manifest promises, or not finite; a box
            that is none, or a class.
    """
    check_outputs(outputs, manifest)
    candidates, prototypes = outputs
    rows = candidates[0]
    found = (
        _end2end(rows, confidence)
        if manifest.head == "end2end"
        else _suppress(_raw(rows.T, confidence, len(manifest.classes)), manifest.overlap)
    )
    order = np.argsort(-found.scores, kind="stable")[:MAX_DETECTIONS]
    kinds = manifest.classes
    if not all(0 <= number < len(kinds) for number in found.classes[order].tolist()):
        numbers = sorted({*found.classes[order].tolist()})
        raise InferenceError(f"expected classes from 0 to {len(kinds) - 1}, found {numbers}")
    detections = (
        _compose(
            found.boxes[i], found.scores[i], kinds[found.classes[i]], found.coefficients[i],
            prototypes[0],
        )
        for i in order
    )  # fmt: skip
    return [detection for detection in detections if detection is not None]


def _end2end(rows: Floats, confidence: float) -> _Candidates:
    kept = rows[rows[:, 4] >= confidence]
    return _Candidates(kept[:, :4], kept[:, 4], np.rint(kept[:, 5]).astype(np.intp), kept[:, 6:])


def _raw(rows: Floats, confidence: float, classes: int) -> _Candidates:
    scores = rows[:, 4 : 4 + classes].max(axis=1)
    kept = scores >= confidence
    centre, half = rows[kept, :2], rows[kept, 2:4] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    which = rows[kept, 4 : 4 + classes].argmax(axis=1)
    return _Candidates(boxes, scores[kept], which, rows[kept, 4 + classes :])


def _suppress(found: _Candidates, overlap: float) -> _Candidates:
    """Greedy non-maximum suppression by box IoU within each class: a scratch in a smear stays."""
    sizes = found.boxes[:, 2:] - found.boxes[:, :2]
    xywh = np.concatenate([found.boxes[:, :2], sizes], axis=1)
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(
            xywh.tolist(), found.scores.tolist(), found.classes.tolist(), 0.0, overlap
        ),
        dtype=np.intp,
    ).reshape(-1)
    return _Candidates(
        found.boxes[kept], found.scores[kept], found.classes[kept], found.coefficients[kept]
    )


def _compose(
    box: Floats, score: np.float32, kind: str, coefficients: Floats, prototypes: Floats
) -> Detection | None:
    """The mask of one candidate, computed inside its box only; None for a box beyond the input.

    A box without a mask is a scratch whose shape the net does not know: then the box is its mask,
    because what was seen must not be lost.
    """
    rows, columns = prototypes.shape[1:]
    if not (np.abs(box) < FAR).all() or not (box[2:] >= box[:2]).all():
        raise InferenceError(f"expected a box x1, y1, x2, y2 of the input, found {box.tolist()}")
    low = np.floor((box[:2] - BOX_MARGIN) / STRIDE).astype(int).clip(0)
    high = np.ceil((box[2:] + BOX_MARGIN) / STRIDE).astype(int).clip(0)
    x0, y0, x1, y1 = low[0], low[1], min(high[0], columns), min(high[1], rows)
    if x1 <= x0 or y1 <= y0:
        return None
    logits = np.tensordot(coefficients, prototypes[:, y0:y1, x0:x1], axes=1)
    # Interpolating logits, not the mask, puts the edge between prototype cells.
    size = ((x1 - x0) * STRIDE, (y1 - y0) * STRIDE)
    mask = cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR) > 0
    left, top = int(x0 * STRIDE), int(y0 * STRIDE)
    if not mask.any():
        x_low, y_low = np.floor(box[:2]).astype(int) - (left, top)
        x_high, y_high = np.ceil(box[2:]).astype(int) - (left, top)
        mask[max(0, y_low) : max(1, y_high), max(0, x_low) : max(1, x_high)] = True
    return Detection(float(score), left, top, mask, kind=kind)

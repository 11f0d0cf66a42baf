"""A dense answer → detections: for every spot of the frame how surely it is scratched.

The tiles' answers are put together on one canvas of the whole frame, so that a scratch across any
number of seams is one from the start. A detection is a connected spot of the canvas.
"""

import math

import cv2
import numpy as np

from inspector.errors import InferenceError
from inspector.segment.manifest import DENSE_STRIDE, Manifest
from inspector.segment.runtime import Floats, Outputs, check_outputs
from inspector.segment.tiles import OVERLAP, Tile
from inspector.types import Detection, Mask

EDGE = 0.5
"""Probability at which a scratch ends."""
SUREST, MOST_SURE = 0.5, 24
"""Share of a detection's cells, the surest ones, whose mean probability is its confidence; and no
more than so many, or a long faint stretch could hide what is sure."""
LEAST_CELLS = 3
NOTHING = -20.0
"""Logit of what is not of a spot."""


Window = tuple[slice, slice]


class Canvas:
    """Logits (⌈H/2⌉, ⌈W/2⌉) of a frame of width × height px."""

    def __init__(self, width: int, height: int, manifest: Manifest) -> None:
        self._manifest = manifest
        self._size = width, height
        self._logits = np.full((_cells(height), _cells(width)), np.nan, np.float32)

    def add(self, tile: Tile, outputs: Outputs) -> None:
        """Put a tile's answer in its place. Half of what neighbours share belongs to each.

        Raises:
            InferenceError: another shape than the manifest promises, or not finite.
        """
        check_outputs(outputs, self._manifest)
        own, here = self._places(tile)
        self._logits[here] = outputs[0][0, 0][own]

    def leave(self, tile: Tile) -> None:
        """There is nothing on this tile."""
        self._logits[self._places(tile)[1]] = NOTHING

    def _places(self, tile: Tile) -> tuple[Window, Window]:
        """The cells that are a tile's own, counted from its corner, and from the frame's."""
        width, height = self._size
        left, right = _own(tile.x, tile.width, width)
        top, bottom = _own(tile.y, tile.height, height)
        x, y = tile.x // DENSE_STRIDE, tile.y // DENSE_STRIDE
        return np.s_[top:bottom, left:right], np.s_[y + top : y + bottom, x + left : x + right]

    def detections(self, confidence: float) -> list[Detection]:
        """Connected spots of at least this confidence, the surest first, in pixels of the frame.

        Raises:
            InferenceError: no tile has looked at some part of the frame.
        """
        if np.isnan(self._logits).any():
            raise InferenceError("expected an answer for every part of the frame, found gaps")
        level = math.log(EDGE / (1 - EDGE))
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(
            (self._logits > level).view(np.uint8), connectivity=8
        )
        found = []
        for k in range(1, count):
            x, y, columns, rows, cells = boxes[k].tolist()
            if cells < LEAST_CELLS:
                continue
            window = np.s_[y : y + rows, x : x + columns]
            own = labels[window] == k
            sure = _confidence(self._logits[window][own])
            if sure >= confidence:
                found.append(self._detection(sure, x, y, own, level))
        return sorted(found, key=lambda d: -d.confidence)

    def _detection(self, confidence: float, x: int, y: int, own: Mask, level: float) -> Detection:
        """The spot `own` (rows, columns) of cells from (x, y) on, at the resolution of the frame.

        Interpolating logits, not the mask, puts the edge between cells. The spot's own cells stay
        whatever lies beside them, or where it is one cell wide and faint it would break up.
        """
        rows, columns = own.shape
        left, top = max(0, x - 1), max(0, y - 1)
        logits = self._logits[top : y + rows + 1, left : x + columns + 1].copy()
        cells = np.zeros(logits.shape, np.uint8)
        cells[y - top : y - top + rows, x - left : x - left + columns] = own
        logits[cv2.dilate(cells, np.ones((3, 3), np.uint8)) == 0] = NOTHING
        size = (logits.shape[1] * DENSE_STRIDE, logits.shape[0] * DENSE_STRIDE)
        mask = cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR) > level
        mask |= cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST) > 0
        width, height = self._size
        px, py = left * DENSE_STRIDE, top * DENSE_STRIDE
        inside = np.asarray(mask[: height - py, : width - px])
        return Detection(confidence, px, py, inside, kind=self._manifest.classes[0])


def _cells(length: int) -> int:
    return -(-length // DENSE_STRIDE)


def _own(start: int, length: int, whole: int) -> tuple[int, int]:
    """The cells of a tile (first, end) that are its own: none near an edge that has a neighbour."""
    margin = OVERLAP // 2 // DENSE_STRIDE
    first = margin if start else 0
    return first, _cells(length) - (margin if start + length < whole else 0)


def _confidence(logits: Floats) -> float:
    count = min(max(1, round(SUREST * len(logits))), MOST_SURE)
    surest = np.partition(logits, len(logits) - count)[-count:].astype(np.float64)
    return float((1 / (1 + np.exp(-surest))).mean())

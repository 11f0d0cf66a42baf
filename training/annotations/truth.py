"""What is on a picture or a crop of it: marked pixels, and scratches as the edge measures them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.measure import measure
from inspector.segment.tiles import Tile
from inspector.skeleton import thin
from inspector.types import Detection, Gray, Mask, Scratch
from training.annotations.shapes import Drawn
from training.evaluation.matching import raster
from training.marks import IGNORE, SCRATCH
from training.synth.scene import LABEL_WIDTH_PX, MIN_VISIBLE_PX


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """One scratch: length and width of its exact pixels, and an outline (n, 2) for training.

    The outline is at least `LABEL_WIDTH_PX` wide.
    """

    length_px: float
    width_px: float
    polygon: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Marks (H, W) with the grey levels of a mask, and the scratches that they show.

    `noise_px`: pixels that were drawn as scratches and are too few, or cut too short, for one.
    """

    marks: Gray
    scratches: tuple[Outlined, ...]
    noise_px: int

    @property
    def unsure(self) -> bool:
        """Whether nobody can say of it that it is good or bad: all it shows is to be ignored."""
        return not self.scratches and bool(self.marks.any())


def truth(drawn: Drawn, window: Tile, size: tuple[int, int]) -> Truth:
    """The truth of a window of a picture of (width, height), in the window's pixels.

    What the edge takes for noise, and tips that the window cut shorter than `MIN_VISIBLE_PX`, are
    no scratches but ignored.
    """
    shape = (window.height, window.width)
    marks, scratched, kept = np.zeros(shape, np.uint8), np.zeros(shape, np.bool_), []
    for detection in _seen(drawn.ignored, window):
        _window(marks, detection)[detection.mask] = IGNORE
    for group in drawn.groups:
        seen = _seen(group, window)
        for detection in seen:
            _window(scratched, detection)[detection.mask] = True
        kept += [
            scratch
            for scratch in measure(seen)
            if scratch.length_px >= MIN_VISIBLE_PX or not _is_cut(scratch, window, size)
        ]
    marks[scratched] = IGNORE
    outlined = []
    for scratch in kept:
        area = _area(scratch, shape)
        own = area.mask & _window(scratched, area)
        _window(marks, area)[own] = SCRATCH
        polygon = outline(area.mask, own) + np.array([area.x, area.y])
        outlined.append(Outlined(scratch.length_px, scratch.width_px, polygon.astype(np.int32)))
    noise = np.count_nonzero(scratched & (marks != SCRATCH))
    return Truth(marks, tuple(outlined), int(noise))


def outline(area: Mask, exact: Mask) -> NDArray[np.int32]:
    """The outline (n, 2) of a scratch for training, in the pixels of the canvas (H, W).

    `area` is its filled outer contour, `exact` its pixels. What is inside of a loop is no scratch;
    an outline cannot have a hole, so that a cut of one pixel opens the loop.
    """
    # Bridges over gaps are a pixel wide: opening leaves only what a loop encloses.
    bare = (area & ~exact).astype(np.uint8)
    enclosed = cv2.morphologyEx(bare, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    solid = area & ~enclosed
    line = thin(solid)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (LABEL_WIDTH_PX, LABEL_WIDTH_PX))
    # Thinning leaves nothing of a square of 2 × 2.
    wide = cv2.dilate((line if line.any() else solid).astype(np.uint8), disk)
    label = _opened(wide | solid.astype(np.uint8))
    outlines, _ = cv2.findContours(label, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(outlines, key=cv2.contourArea)
    return np.asarray(cv2.approxPolyDP(longest, 0.6, True)[:, 0], np.int32)


def _opened(label: Gray) -> Gray:
    """A connected label (H, W) with each of its holes joined to the outside by a cut."""
    background = np.pad(1 - label, 1, constant_values=1)
    while True:
        count, parts = cv2.connectedComponents(background, connectivity=4)
        hole = next((k for k in range(1, count) if k != parts[0, 0]), None)
        if hole is None:
            return np.ascontiguousarray(1 - background[1:-1, 1:-1])
        outside = (parts != parts[0, 0]).astype(np.uint8)
        distance, nearest = cv2.distanceTransformWithLabels(
            outside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        inner = np.argwhere(parts == hole)
        start = inner[distance[tuple(inner.T)].argmin()]
        end = np.argwhere((outside == 0) & (nearest == nearest[tuple(start)]))[0]
        a, b = (int(start[1]), int(start[0])), (int(end[1]), int(end[0]))
        cv2.line(background, a, b, 1, lineType=cv2.LINE_4)


def _seen(detections: tuple[Detection, ...], window: Tile) -> list[Detection]:
    """What of the detections lies in the window, in its pixels."""
    out = []
    for d in detections:
        height, width = d.mask.shape
        box = Tile(d.x, d.y, width, height).within(window)
        y, x = box.y - d.y, box.x - d.x
        mask = d.mask[y : y + box.height, x : x + box.width]
        if mask.any():
            out.append(Detection(d.confidence, box.x - window.x, box.y - window.y, mask))
    return out


def _window(canvas: NDArray[Any], box: Detection) -> NDArray[Any]:
    height, width = box.mask.shape
    return canvas[box.y : box.y + height, box.x : box.x + width]


def _is_cut(scratch: Scratch, window: Tile, size: tuple[int, int]) -> bool:
    """Whether it reaches a border of the window that is none of the picture."""
    x, y = np.array(scratch.polygon).T
    right, bottom = window.x + window.width, window.y + window.height
    return bool(
        (x.min() == 0 and window.x > 0)
        or (y.min() == 0 and window.y > 0)
        or (x.max() == window.width - 1 and right < size[0])
        or (y.max() == window.height - 1 and bottom < size[1])
    )


def _area(scratch: Scratch, shape: tuple[int, int]) -> Detection:
    """Its filled outline in a box with room for the width of a label, inside of the window."""
    points = np.array(scratch.polygon)
    x0, y0 = np.maximum(points.min(axis=0) - LABEL_WIDTH_PX, 0).tolist()
    x1, y1 = np.minimum(points.max(axis=0) + LABEL_WIDTH_PX + 1, shape[::-1]).tolist()
    corners = tuple((x - x0, y - y0) for x, y in scratch.polygon)
    return Detection(1.0, x0, y0, raster(corners, (y1 - y0, x1 - x0)))

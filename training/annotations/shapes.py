"""From a drawn shape to its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.types import Detection, Mask
from training import marks as marking
from training.annotations.values import (
    IGNORE,
    Line,
    MaskFile,
    Picture,
    Points,
    Polygon,
    Runs,
    Unknown,
)
from training.evaluation.labels import LabelError, read_mask
from training.synth import strokes
from training.synth.scene import truth_of

SLACK_PX = 1.0
"""Tools let a click at the border land this far outside."""
SLIP_PX = 2.0
"""The sides of a hairline's outline may cross by so much: a slip of the hand, or of a tool that
simplifies. Its pixels are nearly the same.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The pixels of a picture's marks, each a box in the picture.

    Each of `groups` is measured by itself: a shape is one scratch, because its annotator said so;
    the spots of a mask file are one group, in which pieces that continue each other are one.
    """

    groups: tuple[tuple[Detection, ...], ...] = ()
    ignored: tuple[Detection, ...] = ()


def draw(picture: Picture, size: tuple[int, int], line_width_px: float) -> Drawn:
    """The pixels of all marks of a picture of (width, height); lines without a width get that one.

    Raises:
        LabelError: another size than annotated, marks outside of the picture, unknown shapes,
            masks that are none.
    """
    where = f"{picture.where}: {picture.name}"
    if picture.size not in (None, size):
        raise LabelError(
            f"{where}: expected a picture of {picture.size[0]} × {picture.size[1]} px as "
            f"annotated, found {size[0]} × {size[1]}"
        )
    groups: list[tuple[Detection, ...]] = []
    ignored: list[Detection] = []
    for mark in picture.marks:
        at = f"{where}: {mark.where}"
        if isinstance(mark.shape, MaskFile):
            marks = read_mask(mark.shape.path, size, at)
            groups.append(_spots(marks == marking.SCRATCH))
            ignored += _spots(marks == marking.IGNORE)
            continue
        area = _area(mark.shape, size, line_width_px, at)
        if mark.label == IGNORE:
            ignored.append(area)
        else:
            groups.append((area,))
    return Drawn(tuple(group for group in groups if group), tuple(ignored))


def fill(ring: Points, shape: tuple[int, int]) -> Mask:
    """The pixels (H, W) whose centres lie inside an outline (n, 2), by the even-odd rule.

    OpenCV's filling adds the pixels of the outline itself, which makes a hairline of 2 px one of 3.
    """
    height, width = shape
    turns = np.zeros((height, width + 1), np.bool_)
    for a, b in pairwise([*ring, ring[0]]):
        low, high = (a, b) if a[1] < b[1] else (b, a)
        first, last = max(0, int(np.ceil(low[1]))), min(height, int(np.ceil(high[1])))
        if first >= last:
            continue
        rows = np.arange(first, last)
        columns = low[0] + (rows - low[1]) * (high[0] - low[0]) / (high[1] - low[1])
        turns[rows, np.clip(np.ceil(columns), 0, width).astype(int)] ^= True
    return np.asarray(np.logical_xor.accumulate(turns, axis=1)[:, :width])


def decode(runs: Runs) -> Mask:
    """The box (H, W) of a run-length mask, whose runs must be as long as the box."""
    flags = np.repeat(np.arange(len(runs.counts)) % 2 == 1, runs.counts)
    if runs.by_column:
        return np.ascontiguousarray(flags.reshape(runs.width, runs.height).T)
    return flags.reshape(runs.height, runs.width)


def _area(
    shape: Polygon | Line | Runs | Unknown,
    size: tuple[int, int],
    line_width_px: float,
    where: str,
) -> Detection:
    if isinstance(shape, Unknown):
        raise LabelError(f"{where}: expected {shape.known}, found {shape.kind}")
    if isinstance(shape, Polygon):
        for ring in shape.rings:
            _inside(ring, size, where)
            _simple(ring, where)
        if all(_is_straight(ring) for ring in shape.rings):
            raise LabelError(f"{where}: expected an outline of an area, found corners on one line")
        area = _boxed(shape.rings, size, 1)
        for ring in shape.rings:
            area.mask[:] |= _polygon(ring - (area.x, area.y), area.mask.shape)
    elif isinstance(shape, Line):
        _inside(shape.points, size, where)
        width = shape.width_px or line_width_px
        area = _boxed((shape.points,), size, width / 2 + 2)
        area.mask[:] = _line(shape.points - (area.x, area.y), width, area.mask.shape, where)
    else:
        area = Detection(1.0, shape.x, shape.y, _runs(shape, size, where))
    if not area.mask.any():
        raise LabelError(f"{where}: expected pixels inside, found none")
    return area


def _inside(points: Points, size: tuple[int, int], where: str) -> None:
    outer = np.array(size) - 0.5 + SLACK_PX
    ok = (points >= -0.5 - SLACK_PX) & (points <= outer)
    if not ok.all():
        x, y = points[~ok.all(axis=1)][0] + 0.5
        raise LabelError(
            f"{where}: expected points inside of the picture, 0 … {size[0]} and 0 … {size[1]}, "
            f"found ({x:g}, {y:g})"
        )


def _simple(ring: Points, where: str) -> None:
    """Raise LabelError for an outline whose sides cross.

    It may touch itself, as the zones of a line may not (`inspector/polygon.py`): tools write the
    first corner again at the end, corners twice or on the way, and of a mask as wide as a pixel an
    outline that goes back the way it came.
    """
    corners = cv2.approxPolyDP(ring.astype(np.float32), 0.5, True)[:, 0].astype(np.float64)
    after = np.roll(corners, -1, axis=0)
    for k, (a, b) in enumerate(zip(corners, after, strict=True)):
        for other in k + 1 + np.flatnonzero(_parted(a, b, corners[k + 1 :], after[k + 1 :])):
            c, d = corners[other], after[other]
            if _parted(c, d, a[None], b[None])[0]:
                x, y = a + (b - a) * _beside(c, d, a) / (_beside(c, d, a) - _beside(c, d, b)) + 0.5
                raise LabelError(
                    f"{where}: expected an outline that does not cross itself, found that it does "
                    f"at ({x:.0f}, {y:.0f})"
                )


def _parted(a: Points, b: Points, c: Points, d: Points) -> NDArray[np.bool_]:
    """(n,): whether the line ab has each c clearly on one side, and its d on the other."""
    one, other = _beside(a, b, c), _beside(a, b, d)
    return (one * other < 0) & (np.minimum(abs(one), abs(other)) > SLIP_PX)


def _beside(a: Points, b: Points, points: Points) -> NDArray[np.float64]:
    """How far points (n, 2) are from the line ab, to its left or right; 0 where a is b."""
    (x, y), (u, v) = b - a, (points - a).T
    return np.asarray((x * v - y * u) / max(np.hypot(x, y), np.finfo(float).tiny))


def _is_straight(ring: Points) -> bool:
    """Whether all corners lie on one line, to a hundredth of a pixel."""
    return bool(np.linalg.svd(ring - ring.mean(axis=0), compute_uv=False)[1] < 0.01)


def _boxed(rings: tuple[Points, ...], size: tuple[int, int], margin: float) -> Detection:
    """An empty box around points, cut off at the picture's border."""
    everything = np.concatenate(rings)
    x0, y0 = np.maximum(np.floor(everything.min(axis=0) - margin), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(everything.max(axis=0) + margin + 1), size).astype(int).tolist()
    return Detection(1.0, x0, y0, np.zeros((max(1, y1 - y0), max(1, x1 - x0)), np.bool_))


def _polygon(ring: Points, shape: tuple[int, int]) -> Mask:
    area = fill(ring, shape)
    if cv2.connectedComponents(area.astype(np.uint8), connectivity=8)[0] != 2:
        # A sliver falls apart between the centres of pixels: it is at least one pixel wide.
        outline = np.rint(ring).astype(np.int32).reshape(-1, 1, 2)
        area |= cv2.polylines(np.zeros(shape, np.uint8), [outline], isClosed=True, color=1) > 0
    return area


def _line(points: Points, width: float, shape: tuple[int, int], where: str) -> Mask:
    """What the generator of pictures takes for the pixels of such a scratch (H, W).

    Its round ends reach half a width and half a pixel beyond the centre line; an annotator clicks
    at the tips, so that the line is drawn that much shorter.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < 1:
        raise LabelError(f"{where}: expected a line of at least 1 px, found {along[-1]:.2f}")
    trim = min((width + 1) / 2, (along[-1] - 1) / 2)
    inner = along[-1] - 2 * trim
    samples = np.linspace(trim, trim + inner, max(2, round(inner / strokes.STEP) + 1))
    path = np.stack([np.interp(samples, along, axis) for axis in points.T], 1).astype(np.float32)
    n = len(path)
    stroke = strokes.Stroke(path, np.full(n, width, np.float32), np.ones(n, np.float32))
    return truth_of(strokes.Scratch((stroke,)), shape, 0.0).mask


def _runs(runs: Runs, size: tuple[int, int], where: str) -> Mask:
    if runs.x + runs.width > size[0] or runs.y + runs.height > size[1]:
        raise LabelError(
            f"{where}: expected a mask inside of {size[0]} × {size[1]} px, found "
            f"{runs.width} × {runs.height} at ({runs.x}, {runs.y})"
        )
    if sum(runs.counts) != runs.width * runs.height:
        raise LabelError(
            f"{where}: expected runs of {runs.width * runs.height} pixels together, found "
            f"{sum(runs.counts)}"
        )
    return decode(runs)


def _spots(mask: Mask) -> tuple[Detection, ...]:
    """The connected pieces of a mask (H, W), each in its box."""
    _, spots, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return tuple(
        Detection(1.0, x, y, spots[y : y + height, x : x + width] == number)
        for number, (x, y, width, height, _) in enumerate(stats.tolist()[1:], start=1)
    )

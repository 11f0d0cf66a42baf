"""Where scratches lie: in which zones of the frame, and how far from each other. Pure.

Everything is drawn in whole pixels; the outline of a polygon belongs to it.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.limits import Scale, Zone
from inspector.polygon import Point, area
from inspector.types import Scratch

DIGITS = 9  # that count, of a measure in mm: finer than any measuring, coarser than a float's noise

Box = tuple[int, int, int, int]
"""x, y, width, height in px of the frame."""


@dataclass(frozen=True, slots=True)
class Place:
    """`touched`: names of the zones with limits that a scratch reaches into, None: beyond all.

    It is empty where nothing is judged: a scratch wholly in zones without limits. Where these and
    zones with limits overlap, the smaller zone counts. `mostly` names the zone that holds the most
    of a scratch, and of one that is not judged, because of which.
    """

    touched: frozenset[str | None]
    mostly: str | None


def place(scratch: Scratch, zones: Sequence[Zone]) -> Place:
    """Where a scratch lies among the zones."""
    if not zones:
        return Place(frozenset({None}), None)
    box = _box(scratch.polygon)
    pixels = _filled([scratch.polygon], box)
    shares = {zone.name: pixels & _filled([zone.polygon], box) for zone in zones}
    beyond = pixels & ~np.logical_or.reduce(list(shares.values()))
    if not (pixels & ~_spared(zones, shares)).any():
        idle = {zone.name: shares[zone.name] for zone in zones if zone.limits is None}
        return Place(frozenset(), _largest(idle)[0])
    touched: set[str | None] = {z.name for z in zones if z.limits and shares[z.name].any()}
    touched |= {None} if beyond.any() else set()
    name, size = _largest(shares)
    most = size >= max(1, int(np.count_nonzero(beyond)))
    return Place(frozenset(touched), name if most else None)


def _spared(zones: Sequence[Zone], shares: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Where the smallest zone has no limits; of two of one size the one with limits counts."""
    spared = np.zeros_like(shares[zones[0].name])
    for zone in sorted(zones, key=lambda z: (-area(z.polygon), z.limits is not None)):
        spared[shares[zone.name]] = zone.limits is None
    return spared


def placed(scratch: Scratch, zones: Sequence[Zone], scale: Scale | None) -> Scratch:
    """The scratch with its zone and, where there is a scale, its length and width in mm."""
    scratch = replace(scratch, zone=place(scratch, zones).mostly)
    if scale is None:
        return scratch
    return replace(
        scratch,
        length_mm=tidy(scratch.length_px * scale.mm_per_px),
        width_mm=tidy(scratch.width_px * scale.mm_per_px),
    )


def tidy(value: float) -> float:
    """The value without the noise of floats, at any scale; what is not finite stays so."""
    return float(f"{value:.{DIGITS}g}")


@lru_cache(maxsize=16)
def judged_px(roi: Box, zones: tuple[Zone, ...], but: frozenset[str]) -> int:
    """Pixels of a part of the frame where something is judged, without the zones named in `but`."""
    if not zones:
        return roi[2] * roi[3]
    shares = {zone.name: _filled([zone.polygon], roi) for zone in zones}
    left_out = _spared(zones, shares)
    for name in but:
        left_out |= shares[name]
    return roi[2] * roi[3] - int(np.count_nonzero(left_out))


def nearest_px(scratches: Sequence[Scratch], some: Collection[int], reach: float) -> float | None:
    """The least distance of one of `some` (indices) from another scratch; None beyond `reach` px.

    It is the number of pixels between them: 0 where they touch or cross.
    """
    polygons = [scratch.polygon for scratch in scratches]
    boxes = [_box(polygon) for polygon in polygons]
    nearest = math.inf
    for i in some:
        box = _near(boxes[i], reach, boxes)
        others = [p for j, p in enumerate(polygons) if j != i and _overlap(boxes[j], box)]
        if not others:
            continue
        away = cv2.distanceTransform(
            (~_filled([polygons[i]], box)).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
        )
        between = float(away[_filled(others, box)].min(initial=np.inf)) - 1
        nearest = min(nearest, max(0.0, round(between, 2)))
    return nearest if nearest <= reach else None


def _largest(shares: dict[str, NDArray[np.bool_]]) -> tuple[str, int]:
    sizes = {name: int(np.count_nonzero(share)) for name, share in shares.items()}
    name = max(sizes, key=lambda name: sizes[name])
    return name, sizes[name]


def _filled(polygons: Sequence[Sequence[Point]], box: Box) -> NDArray[np.bool_]:
    """(height, width) of the box, True on the polygons."""
    canvas = np.zeros((box[3], box[2]), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(canvas, [np.asarray(polygon, np.int32) - np.array(box[:2], np.int32)], 1)
    return np.asarray(canvas > 0)


def _box(polygon: Sequence[Point]) -> Box:
    xs, ys = zip(*polygon, strict=True)
    return min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1


def _near(box: Box, reach: float, boxes: Sequence[Box]) -> Box:
    """What lies within reach of a box, as far as there are boxes."""
    x, y, width, height = box
    by = reach + 2
    left, top = max(x - by, min(b[0] for b in boxes)), max(y - by, min(b[1] for b in boxes))
    right = min(x + width + by, max(b[0] + b[2] for b in boxes))
    bottom = min(y + height + by, max(b[1] + b[3] for b in boxes))
    left, top = math.floor(left), math.floor(top)
    return left, top, math.ceil(right) - left, math.ceil(bottom) - top


def _overlap(a: Box, b: Box) -> bool:
    return all(max(a[k], b[k]) < min(a[k] + a[k + 2], b[k] + b[k + 2]) for k in (0, 1))

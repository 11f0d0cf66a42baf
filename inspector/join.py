"""Which pieces are one scratch: those of one mask that are near each other; and of several masks
tips that continue each other over a gap, or run into each other.

A net often tells a long scratch as several instances. Two tips are joined if each points at the
other: the wider the gap, the straighter it must be bridged. Each tip is joined once, the best pair
first, so that two scratches which cross, even where both are broken at the crossing, stay two. A
tip that is left over is a branch of what took the other one: what lies near a gap never divides it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Pixels, Points
from inspector.skeleton import pixels_of
from inspector.types import Mask

GAP = 16.0  # px that are bridged within a mask, and between pieces which are as long themselves
FAR = 48.0  # px that are bridged between pieces which are `LONGER` than that themselves
LONGER = 1.5  # times
BEND, FAR_BEND = np.radians(35), np.radians(15)  # what a bridge of GAP or less, of FAR, may turn
TOUCHING = 4.0  # px, or a width; between tips so near the direction of the gap says nothing
BACK = 12  # points of a line from which the direction of its tip is taken
BLUNT = 8.0  # px; a shorter piece has no direction of its own
ON = 3.0  # px, or a width, from a line within which a tip lies on it
STRIP = 256  # rows of a mask in which gaps are looked for at a time, so that a large one fits


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Indices of the pieces of one scratch, and the gaps (k, 2, 2) between joined tips, in px."""

    pieces: tuple[int, ...]
    bridges: Points


@dataclass(frozen=True, slots=True, eq=False)
class _Tips:
    """Both ends of every line: tip 2i begins line i, tip 2i + 1 ends it."""

    at: Points
    outward: Points
    """Unit vectors; zeros for a piece without a direction."""
    length: NDArray[np.float64]
    width: NDArray[np.float64]


def chains(lines: Sequence[Points], widths: Sequence[float]) -> list[Chain]:
    """Group centre lines (n, 2), n ≥ 1, x and y in frame pixels; each line is in one chain.

    `widths`: of the pieces, in px. Their lines may end in one corner of their tips or the other, so
    that the narrower one of two is so much room for how they lie; no more than `GAP`.
    """
    group = list(range(len(lines)))
    gaps: list[tuple[int, Points]] = []
    taken: set[int] = set()
    tips = _tips(lines, widths)
    candidates = _candidates(lines, tips)
    for most in (0, 1):  # of the two tips may be joined already
        for a, b in candidates:
            i, j = a // 2, b // 2
            if len(taken & {a, b}) <= most and group[i] != group[j]:
                taken |= {a, b}
                gaps.append((i, tips.at[[a, b]]))
                group = [group[i] if g == group[j] else g for g in group]
    return [
        Chain(
            tuple(k for k, g in enumerate(group) if g == name),
            np.array([gap for i, gap in gaps if group[i] == name]).reshape(-1, 2, 2),
        )
        for name in dict.fromkeys(group)
    ]


def bridges(labels: NDArray[np.int32], skeleton: Mask) -> list[Pixels]:
    """The lines, from one pixel (2, 2) to the other, that make one of the pieces of a mask within
    `GAP` of each other: Kruskal's tree. `labels` (H, W) numbers the pieces from 1 on.

    A line runs between their skeletons: between outlines it could run from corner to corner.
    """
    at = pixels_of(skeleton)
    piece = labels[at[:, 1], at[:, 0]]
    order = np.argsort(piece, kind="stable")
    middles = np.split(at[order], np.searchsorted(piece[order], np.arange(1, piece.max() + 1)))
    group = np.arange(len(middles))
    lines = []
    for i, j, *gap in _gaps(labels):
        if group[i] != group[j]:
            group[group == group[j]] = group[i]
            one, other = np.reshape(gap, (2, 2))
            lines.append(np.stack([_nearest(middles[i], other), _nearest(middles[j], one)]))
    return lines


def _gaps(labels: NDArray[np.int32]) -> list[list[int]]:
    """The gaps between pieces that face each other, the narrowest first: the numbers of both, and x
    and y of that pixel of either which is nearest to the other.
    """
    found, margin = [], int(GAP)
    for top in range(0, len(labels), STRIP):
        first = max(0, top - margin)
        gaps = _facing(labels[first : top + STRIP + margin])
        gaps[:, [4, 6]] += first
        found.append(gaps)
    gaps = np.concatenate(found)
    gaps = gaps[np.lexsort(gaps.T[::-1])]
    _, narrowest = np.unique(gaps[:, 1] * gaps[:, 2].max(initial=0) + gaps[:, 2], return_index=True)
    listed: list[list[int]] = gaps[np.sort(narrowest), 1:].tolist()
    return listed


def _facing(labels: NDArray[np.int32]) -> NDArray[np.intp]:
    """Where what is nearest to one piece meets what is nearest to another: the square of the gap
    between them, and as of `_gaps` (n, 7). None is wider than `GAP`.
    """
    at = pixels_of(labels > 0)
    if not len(at):
        return np.zeros((0, 7), np.intp)
    piece = labels[at[:, 1], at[:, 0]]
    _, cells = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(len(at) + 1, np.int32)
    index[cells[at[:, 1], at[:, 0]]] = np.arange(len(at))
    nearest = index[cells]
    owner = piece[nearest]
    out = []
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        meet = owner[one] != owner[other]
        i, j = nearest[one][meet], nearest[other][meet]
        i, j = np.where(piece[i] < piece[j], (i, j), (j, i))
        squares = np.square(at[i] - at[j]).sum(axis=1)
        out.append(np.column_stack([squares, piece[i], piece[j], at[i], at[j]])[squares <= GAP**2])
    return np.concatenate(out).astype(np.intp)


def _nearest(pixels: Pixels, to: NDArray[np.intp]) -> Pixels:
    return np.asarray(pixels[np.square(pixels - to).sum(axis=1).argmin()])


def _tips(lines: Sequence[Points], widths: Sequence[float]) -> _Tips:
    ends, outward, length = [], [], []
    for line in lines:
        long = float(np.hypot(*np.diff(line, axis=0).T).sum())
        for points in (line, line[::-1]):
            ends.append(points[0])
            outward.append(_direction(points[: BACK + 1]) if long >= BLUNT else np.zeros(2))
            length.append(long)
    return _Tips(
        np.array(ends).reshape(-1, 2),
        np.array(outward).reshape(-1, 2),
        np.array(length),
        np.repeat(np.asarray(widths, np.float64).clip(max=GAP), 2),
    )


def _direction(points: Points) -> Points:
    """Unit vector (2,) along the line that fits the points best, towards the first of them.

    From the first to the last would follow whatever pixel sits at the corner of a tip.
    """
    away = points - points.mean(axis=0)
    (xx, xy), (_, yy) = (away.T @ away).tolist()
    angle = atan2(2 * xy, xx - yy) / 2  # of the main axis of their moments
    ahead = np.array([cos(angle), sin(angle)])
    return ahead if ahead @ (points[0] - points[-1]) >= 0 else -ahead


def _candidates(lines: Sequence[Points], tips: _Tips) -> list[tuple[int, int]]:
    """Pairs of tips that may be joined, the most certain first."""
    gap = tips.at[None] - tips.at[:, None]
    distance = np.hypot(gap[..., 0], gap[..., 1])
    turn = _angle(tips.outward[:, None], gap)
    width = np.minimum(tips.width[:, None], tips.width[None])
    turn = np.where(distance <= np.maximum(TOUCHING, width), 0.0, np.maximum(turn, turn.T))
    bend = np.maximum(turn, _angle(tips.outward[:, None], -tips.outward[None]))
    shorter = np.minimum(tips.length[:, None], tips.length[None])
    reach = np.maximum(np.clip(shorter, TOUCHING, GAP), np.clip(shorter / LONGER, 0, FAR))
    allowed = np.interp(distance, [GAP, FAR], [BEND, FAR_BEND])
    other = np.arange(len(tips.at)) // 2
    later = other[:, None] < other[None]
    ahead = later & (distance <= reach) & (bend <= allowed)
    cost = distance * (1 + bend / allowed)
    found = [(cost[a, b], int(a), int(b)) for a, b in np.argwhere(ahead)]
    facing = _angle(tips.outward[:, None], -tips.outward[None]) <= BEND
    within = np.maximum(ON, width)
    near = _near(tips.at, lines, float(within.max(initial=ON)))
    past = later & facing & (turn > np.pi / 2) & near[:, other] & near[:, other].T
    for a, b in np.argwhere(past):
        on = _distance(tips.at[a], lines[b // 2]), _distance(tips.at[b], lines[a // 2])
        if max(on) <= within[a, b]:
            found.append((0.0, int(a), int(b)))
    return [(a, b) for _, a, b in sorted(found)]


def _angle(a: Points, b: Points) -> NDArray[np.float64]:
    """Between vectors (…, 2), in radians; 0 where either has no direction."""
    dot, cross = (a * b).sum(axis=-1), a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return np.asarray(np.abs(np.arctan2(cross, dot)))


def _near(points: Points, lines: Sequence[Points], far: float) -> NDArray[np.bool_]:
    """For n points and m lines whether the point is within so many px of the line's box (n, m)."""
    low = np.array([line.min(axis=0) for line in lines]).reshape(-1, 2) - far
    high = np.array([line.max(axis=0) for line in lines]).reshape(-1, 2) + far
    return np.asarray(((points[:, None] >= low) & (points[:, None] <= high)).all(axis=2))


def _distance(point: Points, line: Points) -> float:
    return float(np.hypot(*(line - point).T).min())

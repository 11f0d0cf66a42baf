"""Mask → Scratch: length along the curve, local width, area, in pixels of the frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.crossing import strokes
from inspector.graph import Points
from inspector.join import chains
from inspector.skeleton import longest_path, thickness, thin
from inspector.types import Detection, Mask, Scratch

GAP = 16.0  # px; pieces of one detection that are nearer than this are one scratch
SPECK = 6  # px²; a smaller piece of a mask is noise of its edge
SMOOTHING = 7  # path points; evens the pixel staircase, which alone makes a path up to 8 % too long
WAVES = 1.6  # times the width: so far apart thinning waves about the middle of a wide mask
WINDOW = 7  # path points over which the local width is averaged
COMPACT = 3.0  # widths; what is shorter has no centre line that would tell its length
BROAD = 64.0  # px of thickness, from which a spot is no line at all
DIGITS = 2  # measures are rounded before they are judged, so that a message shows what was judged


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A connected piece of a scratch. `whole` (H, W) holds the bridges too, `mask` what was seen;
    both have their corner at (x, y) of the frame. `path` is the centre line in their pixels, and
    `line` the same without its staircase.
    """

    confidence: float
    x: int
    y: int
    whole: Mask
    mask: Mask
    fragments: int
    path: Points = field(default_factory=lambda: np.zeros((0, 2)))
    line: Points = field(default_factory=lambda: np.zeros((0, 2)))

    def along(self, path: Points) -> "_Part":
        """The same part with this centre line."""
        return replace(self, path=path, line=_smooth(path, _width(self.mask, path)))


def measure(detections: Sequence[Detection]) -> list[Scratch]:
    """The scratches that the detections of one frame show, in the order of the detections.

    Pieces of one detection that are within `GAP` of each other are one scratch, and pieces of
    several detections that continue each other (`join.py`). A piece below `SPECK` px² is none.
    """
    parts = [part for one in detections if one.mask.any() for part in _parts(one)]
    lines = [part.line + np.array([part.x, part.y]) for part in parts]
    return [_measure(_joined([parts[k] for k in c.pieces], c.bridges)) for c in chains(lines)]


def _parts(detection: Detection) -> list[_Part]:
    # Most of a mask's box can be its margin, and every step costs by the box.
    x, y, columns, rows = cv2.boundingRect(detection.mask.view(np.uint8))
    pieces = _pieces(detection.mask[y : y + rows, x : x + columns])
    parts = []
    for whole, inside in _groups(pieces):
        part = _Part(
            detection.confidence, detection.x + x, detection.y + y, whole,
            np.logical_or.reduce(inside), len(inside),
        )  # fmt: skip
        if thickness(whole) > BROAD:
            parts.append(part.along(_axis(whole)))
            continue
        skeleton = thin(whole)
        width = int(np.count_nonzero(whole)) / max(1, int(np.count_nonzero(skeleton)))
        paths = strokes(skeleton, width)
        if len(paths) == 1:
            parts.append(part.along(paths[0]))
        else:
            parts += [_share(part, paths, own, width) for own in range(len(paths))]
    return parts


def _groups(pieces: list[Mask]) -> list[tuple[Mask, list[Mask]]]:
    """The pieces that are one scratch, together with the bridges between them."""
    if len(pieces) == 1:
        return [(pieces[0], pieces)]
    count, labels = cv2.connectedComponents(_bridge(pieces), connectivity=8)
    wholes = [np.asarray(labels == k) for k in range(1, count)]
    return [(whole, [p for p in pieces if (p & whole).any()]) for whole in wholes]


def _share(part: _Part, paths: list[Points], own: int, width: float) -> _Part:
    """What belongs to one of several scratches that cross: what is nearest to its path, and what
    all of them have at the crossing.
    """
    lines = np.concatenate(paths)
    of = np.repeat(np.arange(len(paths)), [len(path) for path in paths])
    across = np.zeros(part.whole.shape, np.uint8)
    cv2.polylines(across, [paths[own].astype(np.int32)], False, 1, max(1, round(width)))
    whole = across > 0
    whole[part.whole] |= of[_nearest(part.whole, lines)] == own
    whole &= part.whole
    # A corner that is nearest to this path only beyond another one is not connected with it.
    _, labels = cv2.connectedComponents(whole.astype(np.uint8), connectivity=8)
    x, y = paths[own][len(paths[own]) // 4].astype(int)
    whole = np.asarray(labels == labels[y, x])
    return replace(part, whole=whole, mask=part.mask & whole).along(paths[own])


def _joined(parts: list[_Part], bridges: Points) -> _Part:
    """One part of several, on a canvas of its own, with lines over the gaps between them."""
    if len(parts) == 1:
        return parts[0]
    x, y = min(p.x for p in parts), min(p.y for p in parts)
    right = max(p.x + p.mask.shape[1] for p in parts)
    bottom = max(p.y + p.mask.shape[0] for p in parts)
    mask = np.zeros((bottom - y, right - x), np.bool_)
    bridged = np.zeros(mask.shape, np.uint8)
    for part in parts:
        rows, columns = part.mask.shape
        window = np.s_[part.y - y : part.y - y + rows, part.x - x : part.x - x + columns]
        mask[window] |= part.mask
        bridged[window] |= part.whole
    for a, b in np.rint(bridges - (x, y)).astype(int).tolist():
        cv2.line(bridged, a, b, 1)
    whole = bridged > 0
    confidence, fragments = max(p.confidence for p in parts), sum(p.fragments for p in parts)
    return _Part(confidence, x, y, whole, mask, fragments).along(_line(whole))


def _pieces(mask: Mask) -> list[Mask]:
    """The connected pieces of a mask, without specks, unless it is made of nothing else."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    known = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= SPECK]
    if not known and np.count_nonzero(mask) >= SPECK:  # dots, as a tool that chatters leaves them
        known = list(range(1, count))
    return [labels == k for k in known]


def _line(mask: Mask) -> Points:
    """The centre line (n, 2) of a connected mask."""
    return _axis(mask) if thickness(mask) > BROAD else longest_path(thin(mask))


def _axis(mask: Mask) -> Points:
    """The ends (2, 2) of the long axis of a spot, within its box."""
    (x, y), (width, height), angle = cv2.minAreaRect(_outline(mask))
    turn = np.radians(angle if width >= height else angle + 90)
    half = np.array([[-1], [1]]) * (np.cos(turn), np.sin(turn)) * max(width, height) / 2
    ends = half + np.array([x, y])
    return np.asarray(ends.clip(0, np.array(mask.shape[::-1]) - 1).astype(int), np.float64)


def _bridge(pieces: list[Mask]) -> NDArray[np.uint8]:
    """The pieces, and lines that connect those within `GAP` of each other (Kruskal's tree).

    A line runs between the centre lines: between outlines it could run from corner to corner.
    """
    canvas = np.zeros(pieces[0].shape if pieces else (1, 1), np.uint8)
    for piece in pieces:
        canvas[piece] = 1
    if len(pieces) < 2:
        return canvas
    outlines = [_outline(piece) for piece in pieces]
    group = list(range(len(pieces)))
    gaps = ((_nearest_pair(outlines[i], outlines[j])[0], i, j) for i, j in combinations(group, 2))
    paths: dict[int, NDArray[np.int32]] = {}
    for gap, i, j in sorted(gaps):
        if gap <= GAP and group[i] != group[j]:
            for k in (i, j):
                if k not in paths:
                    paths[k] = _line(pieces[k]).astype(np.int32)
            _, a, b = _nearest_pair(paths[i], paths[j])
            cv2.line(canvas, a, b, 1)
            group = [group[i] if g == group[j] else g for g in group]
    return canvas


def _nearest_pair(
    a: NDArray[np.int32], b: NDArray[np.int32]
) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """Distance between two sets of points (n, 2), and the two points that are nearest."""
    squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    i, j = np.unravel_index(int(squares.argmin()), squares.shape)
    return float(np.sqrt(squares[i, j])), (int(a[i][0]), int(a[i][1])), (int(b[j][0]), int(b[j][1]))


def _measure(part: _Part) -> Scratch:
    rows, columns = np.nonzero(part.whole)
    pixels = np.stack([columns, rows], axis=1)
    nearest = _nearest(part.whole, part.path)
    line, width = part.line, _width(part.mask, part.path)
    length = _length(pixels, line, nearest, width)
    outline = _outline(part.whole)
    if len(line) < COMPACT * width:
        length = max(length, max(cv2.minAreaRect(outline)[1]) + 1)
    widths = _local_widths(part, line, nearest[part.mask[rows, columns]], length)
    return Scratch(
        length_px=round(length, DIGITS),
        width_px=round(float(np.median(widths)), DIGITS),
        max_width_px=round(max(float(widths.max()), thickness(part.mask)), DIGITS),
        area_px=int(np.count_nonzero(part.mask)),
        confidence=round(part.confidence, 4),
        polygon=tuple(map(_point, (outline + np.array([part.x, part.y])).tolist())),
        fragments=part.fragments,
    )


def _width(mask: Mask, path: Points) -> float:
    """Roughly: the pixels per point of the path."""
    return float(np.count_nonzero(mask) / max(1, len(path)))


def _point(xy: list[int]) -> tuple[int, int]:
    return xy[0], xy[1]


def _outline(mask: Mask) -> NDArray[np.int32]:
    """Outer contour (n, 2) of a connected mask; filling it restores the mask but for its holes."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return np.asarray(contours[0][:, 0, :], np.int32)


def _nearest(mask: Mask, path: Points) -> NDArray[np.intp]:
    """For every pixel of a mask, row by row, the index of the path point that is nearest (n,)."""
    x, y = path.astype(np.intp).T
    off = np.ones(mask.shape, np.uint8)
    off[y, x] = 0
    _, labels = cv2.distanceTransformWithLabels(
        off, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(len(path) + 1, np.intp)
    index[labels[y, x]] = np.arange(len(path))
    return np.asarray(index[labels[mask]])


def _smooth(path: Points, width: float) -> Points:
    """Moving average along the path; the window shrinks towards the ends, which stay."""
    window = max(SMOOTHING, round(WAVES * width))
    reach = np.minimum(window // 2, np.minimum(np.arange(len(path)), np.arange(len(path))[::-1]))
    total = np.concatenate([np.zeros((1, 2)), np.cumsum(path, axis=0)])
    middle = np.arange(len(path))
    return np.asarray(
        (total[middle + reach + 1] - total[middle - reach]) / (2 * reach + 1)[:, None]
    )


def _length(
    pixels: NDArray[np.intp], line: Points, nearest: NDArray[np.intp], width: float
) -> float:
    """Arc length of the centre line plus what the mask's pixels reach beyond both of its ends.

    Thinning eats about half a width off each tip.
    """
    if len(line) < 2:
        return float(max(len(np.unique(axis)) for axis in pixels.T))
    arc = float(np.hypot(*np.diff(line, axis=0).T).sum())
    back = min(len(line) - 1, max(SMOOTHING, round(width)))
    return (
        arc
        + _beyond(pixels[nearest == 0], line[0], line[0] - line[back], width)
        + _beyond(pixels[nearest == len(line) - 1], line[-1], line[-1] - line[-1 - back], width)
    )


def _beyond(cap: NDArray[np.intp], tip: Points, direction: Points, width: float) -> float:
    """How far a cap (n, 2) reaches beyond the tip of the line: area over breadth of a strip of it.

    The strip is the middle half, which flat and round tips both fill nearly to their end. Pixels
    on its edges count by the share that lies inside. (The farthest pixel would be too far by up to
    half a pixel, because among many one always lies well.)
    """
    ahead = direction / np.hypot(*direction)
    away = cap - tip
    along, across = away @ ahead, away @ (-ahead[1], ahead[0])
    half = max(1.0, width / 2) / 2
    share = (along + 0.5).clip(0, 1) * (half + 0.5 - np.abs(across)).clip(0, 1)
    return float(share.sum() / (2 * half))


def _local_widths(
    part: _Part, line: Points, nearest: NDArray[np.intp], length: float
) -> NDArray[np.float64]:
    """Pixels that lie nearest to a stretch of the line, per length of the stretch; `nearest` is of
    the pixels that were seen.

    Stretches on a bridge, where nothing was seen, have no width and are left out.
    """
    if len(line) > 2 * WINDOW:  # else too short for stretches
        pixels = np.bincount(nearest, minlength=len(line)).astype(np.float64)
        steps = np.hypot(*np.diff(line, axis=0).T)
        lengths = np.concatenate([[steps[0]], (steps[1:] + steps[:-1]) / 2, [steps[-1]]])
        x, y = part.path.astype(np.intp).T
        seen = np.convolve(part.mask[y, x], np.ones(WINDOW), "valid") >= WINDOW
        kernel = np.ones(WINDOW)
        stretch = np.convolve(pixels, kernel, "valid") / np.convolve(lengths, kernel, "valid")
        trim = WINDOW // 2  # the ends' own pixels fan out beyond the line
        inner = stretch[trim:-trim][seen[trim:-trim]]
        if len(inner):
            return np.asarray(inner)
    return np.array([np.count_nonzero(part.mask) / length])

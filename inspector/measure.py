"""Mask → Scratch: length along the curve, local width, area, in pixels of the frame."""

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.skeleton import Points, longest_path, thin
from inspector.types import Detection, Mask, Scratch

GAP = 16.0  # px; pieces of one detection that are nearer than this are one scratch
SPECK = 6  # px²; a smaller piece of a mask is noise of its edge
SMOOTHING = 7  # path points; evens the pixel staircase, which alone makes a path up to 8 % too long
WINDOW = 7  # path points over which the local width is averaged
DIGITS = 2  # measures are rounded before they are judged, so that a message shows what was judged


def measure(detection: Detection) -> list[Scratch]:
    """The scratches that a detection's mask holds: pieces within `GAP` of each other are one.

    A mask without a piece of at least `SPECK` px² holds none.
    """
    pieces = _pieces(detection.mask)
    if len(pieces) == 1:
        return [_measure(pieces[0], pieces[0], 1, detection)]
    bridged = _bridge(pieces)
    count, labels = cv2.connectedComponents(bridged, connectivity=8)
    scratches = []
    for k in range(1, count):
        whole = np.asarray(labels == k)
        inside = [piece for piece in pieces if (piece & whole).any()]
        mask = np.logical_or.reduce(inside)
        scratches.append(_measure(whole, mask, len(inside), detection))
    return scratches


def _pieces(mask: Mask) -> list[Mask]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    return [labels == k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= SPECK]


def _bridge(pieces: list[Mask]) -> NDArray[np.uint8]:
    """The pieces, with the shortest lines that connect those within `GAP` (Kruskal's tree)."""
    canvas = np.zeros(pieces[0].shape if pieces else (1, 1), np.uint8)
    for piece in pieces:
        canvas[piece] = 1
    outlines = [_outline(piece) for piece in pieces]
    group = list(range(len(pieces)))
    gaps = ((*_gap(outlines[i], outlines[j]), i, j) for i, j in combinations(group, 2))
    for gap, a, b, i, j in sorted(gaps, key=lambda g: g[0]):
        if gap <= GAP and group[i] != group[j]:
            cv2.line(canvas, a, b, 1)
            group = [group[i] if g == group[j] else g for g in group]
    return canvas


def _gap(
    a: NDArray[np.int32], b: NDArray[np.int32]
) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """Distance between two outlines (n, 2) and the points where they are nearest."""
    squares = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    i, j = np.unravel_index(int(squares.argmin()), squares.shape)
    return float(np.sqrt(squares[i, j])), (int(a[i][0]), int(a[i][1])), (int(b[j][0]), int(b[j][1]))


def _measure(whole: Mask, mask: Mask, fragments: int, detection: Detection) -> Scratch:
    """`whole` is connected and gives the centre line; `mask` is what the model saw of it."""
    path = longest_path(thin(whole))
    nearest = _nearest(whole, path)
    line = _smooth(path)
    length = _length(whole, line, nearest)
    widths = _local_widths(whole, line, nearest, length)
    return Scratch(
        length_px=round(length, DIGITS),
        width_px=round(float(np.median(widths)), DIGITS),
        max_width_px=round(float(widths.max()), DIGITS),
        area_px=int(np.count_nonzero(mask)),
        confidence=round(detection.confidence, 4),
        polygon=tuple((int(x) + detection.x, int(y) + detection.y) for x, y in _outline(whole)),
        fragments=fragments,
    )


def _outline(mask: Mask) -> NDArray[np.int32]:
    """Outer contour (n, 2) of a connected mask; filling it restores the mask but for its holes."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return np.asarray(contours[0][:, 0, :], np.int32)


def _nearest(mask: Mask, path: Points) -> NDArray[np.intp]:
    """For every pixel of the mask's box the index of the path point that is nearest (H, W)."""
    x, y = path[:, 0].astype(np.intp), path[:, 1].astype(np.intp)
    off = np.ones(mask.shape, np.uint8)
    off[y, x] = 0
    _, labels = cv2.distanceTransformWithLabels(
        off, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(labels.max() + 1, np.intp)
    index[labels[y, x]] = np.arange(len(path))
    return np.asarray(index[labels])


def _smooth(path: Points) -> Points:
    """Moving average along the path; the window shrinks towards the ends, which stay."""
    reach = np.minimum(SMOOTHING // 2, np.minimum(np.arange(len(path)), np.arange(len(path))[::-1]))
    total = np.concatenate([np.zeros((1, 2)), np.cumsum(path, axis=0)])
    middle = np.arange(len(path))
    return np.asarray(
        (total[middle + reach + 1] - total[middle - reach]) / (2 * reach + 1)[:, None]
    )


def _length(mask: Mask, line: Points, nearest: NDArray[np.intp]) -> float:
    """Arc length of the centre line plus what the mask reaches beyond both of its ends.

    Thinning eats about half a width off each tip. The pixels that belong to an end point are
    projected on the direction in which the line leaves; half a pixel is the last one's own extent.
    """
    if len(line) < 2:
        return float(max(mask.any(axis=0).sum(), mask.any(axis=1).sum()))
    arc = float(np.hypot(*np.diff(line, axis=0).T).sum())
    back = min(len(line) - 1, SMOOTHING)
    return (
        arc
        + _beyond(mask & (nearest == 0), line[0], line[0] - line[back])
        + _beyond(mask & (nearest == len(line) - 1), line[-1], line[-1] - line[-1 - back])
    )


def _beyond(cap: Mask, tip: Points, direction: Points) -> float:
    """How far the pixels of a cap reach beyond the tip of the line, in px."""
    rows, columns = np.nonzero(cap)
    along = (np.stack([columns, rows], axis=1) - tip) @ (direction / np.hypot(*direction))
    return float(along.max(initial=0.0)) + 0.5


def _local_widths(
    mask: Mask, line: Points, nearest: NDArray[np.intp], length: float
) -> NDArray[np.float64]:
    """Pixels that lie nearest to a stretch of the line, per length of the stretch."""
    if len(line) <= 2 * WINDOW:  # too short for stretches: the mean is all there is
        return np.array([np.count_nonzero(mask) / length])
    pixels = np.bincount(nearest[mask], minlength=len(line)).astype(np.float64)
    steps = np.hypot(*np.diff(line, axis=0).T)
    lengths = np.concatenate([[steps[0]], (steps[1:] + steps[:-1]) / 2, [steps[-1]]])
    kernel = np.ones(WINDOW)
    stretch = np.convolve(pixels, kernel, "valid") / np.convolve(lengths, kernel, "valid")
    trim = WINDOW // 2  # the ends' own pixels fan out beyond the line
    return np.asarray(stretch[trim:-trim])

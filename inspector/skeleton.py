"""The centre line of a mask: thinning, and the longest path through what it leaves. Thickness."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Graph, Pixels, Points
from inspector.types import Mask

SMOOTHING = 7  # path points; evens the pixel staircase, which alone makes a path up to 8 % too long
WAVES = 1.6  # times the width: so far apart thinning waves about the middle of a wide mask


def _removable(first: bool) -> NDArray[np.bool_]:
    """For each pattern of the eight neighbours whether their pixel is peeled off."""
    removable = np.zeros(256, np.bool_)
    for code in range(256):
        p2, p3, p4, p5, p6, p7, p8, p9 = (bool(code >> k & 1) for k in range(8))
        crossings = (
            (not p2 and (p3 or p4))
            + (not p4 and (p5 or p6))
            + (not p6 and (p7 or p8))
            + (not p8 and (p9 or p2))
        )
        pairs = min(
            (p9 or p2) + (p3 or p4) + (p5 or p6) + (p7 or p8),
            (p2 or p3) + (p4 or p5) + (p6 or p7) + (p8 or p9),
        )
        held = (p6 or p7 or not p9) and p8 if first else (p2 or p3 or not p5) and p4
        removable[code] = crossings == 1 and 2 <= pairs <= 3 and not held
    return removable


_STEPS = (_removable(True), _removable(False))
_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Rows and columns away, clockwise from north, as Guo and Hall number them p2 … p9."""


def around(stride: int) -> NDArray[np.intp]:
    """Steps to the eight neighbours in a flattened picture whose rows are `stride` long."""
    return np.array([row * stride + column for row, column in _NEIGHBOURS], np.intp)


def thin(mask: Mask) -> Mask:
    """One-pixel skeleton of a mask (H, W), by Guo and Hall (CACM 32(3), 1989).

    It peels off a layer at a time: what is `thickness` wide costs half as many rounds. (Zhang and
    Suen's older rule eats diagonal lines that are two pixels wide.) Only pixels on the edge of the
    mask are looked at: a scratch fills little of its box, and what is deep in a spot waits.
    """
    image = _bordered(mask)
    image += np.asarray(cv2.erode(image, np.ones((3, 3), np.uint8)), np.uint8)  # 2: surrounded
    flat = image.reshape(-1)
    beside = around(image.shape[1])
    left = np.flatnonzero(flat == 1)
    peeled = True
    while peeled:
        peeled = False
        for removable in _STEPS:
            code = np.packbits(flat[left[:, None] + beside], axis=1, bitorder="little")[:, 0]
            away = removable[code]
            gone, left = left[away], left[~away]
            flat[gone] = 0
            near = gone[:, None] + beside
            bared = near[flat[near] == 2]
            if bared.size:
                flat[bared] = 1
                bared.sort()
                left = np.concatenate([left, bared[:1], bared[1:][bared[1:] > bared[:-1]]])
            peeled |= bool(gone.size)
    return np.asarray(image[1:-1, 1:-1] > 0)


def depth(mask: Mask) -> NDArray[np.float32]:
    """How far each pixel of a mask (H, W) lies inside it, in px from the nearest one that does not;
    beyond the edges of the array nothing does. 0 outside.
    """
    far = cv2.distanceTransform(_bordered(mask), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(far[1:-1, 1:-1], np.float32)


def _bordered(mask: Mask) -> NDArray[np.uint8]:
    """A mask (H, W) as 0 and 1, with a border of zeros a pixel wide."""
    height, width = mask.shape
    bordered = np.zeros((height + 2, width + 2), np.uint8)
    bordered[1:-1, 1:-1] = mask
    return bordered


def thickness(mask: Mask) -> float:
    """Diameter in px of the largest disc inside a mask (H, W)."""
    return 2 * float(depth(mask).max()) - 1


def longest_path(skeleton: Mask) -> Points:
    """The longest way along a skeleton (H, W) that passes no pixel twice, from end to end.

    A ring is cut open and counts once round, and so does a loop at the end of a stem. Only the part
    with the longest path counts.
    """
    paths = graph_of(skeleton).longest_paths()
    return max(paths, key=length) if paths else np.zeros((0, 2))


def length(path: Points) -> float:
    """Of a path from pixel to pixel, in px."""
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def smoothing(width: float) -> int:
    """Points of a path through the middle of a line `width` px wide, over which it is evened."""
    return max(SMOOTHING, round(WAVES * width))


def evened(path: Points, window: int) -> Points:
    """Moving average along a path (n, 2), which takes out the staircase of its pixels; the window
    of so many points shrinks towards the ends, which stay.
    """
    middle = np.arange(len(path))
    reach = np.minimum(window // 2, np.minimum(middle, middle[::-1]))
    total = np.concatenate([np.zeros((1, 2)), np.cumsum(path, axis=0)])
    return np.asarray(
        (total[middle + reach + 1] - total[middle - reach]) / (2 * reach + 1)[:, None]
    )


def nearest_of(at: Pixels, path: Pixels, shape: tuple[int, int]) -> NDArray[np.intp]:
    """For each of n pixels the index of the path point that is nearest (n,), in a canvas (H, W)."""
    x, y = path.T
    off = np.ones(shape, np.uint8)
    off[y, x] = 0
    _, labels = cv2.distanceTransformWithLabels(
        off, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(len(path) + 1, np.intp)
    index[labels[y, x]] = np.arange(len(path))
    return np.asarray(index[labels[at[:, 1], at[:, 0]]])


def pixels_of(mask: Mask) -> Pixels:
    """The pixels of a mask (H, W), row by row."""
    found = cv2.findNonZero(np.ascontiguousarray(mask).view(np.uint8))
    return np.zeros((0, 2), np.int32) if found is None else np.asarray(found[:, 0], np.int32)


def graph_of(skeleton: Mask) -> Graph:
    """A skeleton (H, W) as a graph of its pixels, at x, y."""
    at = pixels_of(skeleton)
    return Graph.of(at.astype(np.float64), _neighbours(at, skeleton.shape[1]))


def _neighbours(pixels: Pixels, width: int) -> NDArray[np.intp]:
    """For each of n pixels its neighbours among them, (n, 8), -1 where there is none. They come row
    by row, and the canvas is `width` px wide.

    Two that touch at a corner are none where a third lies beside both: it is on the way between
    them, and every fork would be a knot of small loops.
    """
    stride = width + 2
    at = pixels.astype(np.intp) @ (1, stride)
    beside = at[:, None] + around(stride)
    near = np.searchsorted(at, beside).clip(max=len(at) - 1)
    near[at[near] != beside] = -1
    straight = near[:, ::2] >= 0
    near[:, 1::2][straight | straight[:, [1, 2, 3, 0]]] = -1
    return np.asarray(near)

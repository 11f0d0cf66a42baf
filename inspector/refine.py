"""From the network's mask to the camera's own pixels.

A network mask is a blob at quarter resolution, several times wider than a hairline. Where the
picture shows a clear ridge inside it, the ridge is the scratch: its width is the full width at
about half of its local height over the surroundings. Where it shows none, the core of the network's
mask stays, also along a stretch of a scratch whose rest is clear. Of a broad graze the core stays
as well, with its thin tails.

What the network has found in one piece stays in one: along the middle of its mask nothing is taken
away but up to `NEAR` px at each tip that no ridge reaches.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.skeleton import depth, graph_of, thin
from inspector.types import Detection, Image

MARGIN = 24  # px around the mask from which the surroundings are taken
BESIDE, RING = 3.0, 10.0  # px from the mask, between which the surroundings tell their noise
SURROUNDINGS = 25  # px, side of the window over which they are averaged
ALONG = 7  # px, side of the window over which the ridge's height is taken
DEPTH = (1, 2, 4, 5)
HALF = (0.8, 0.45, 0.45, 0.2)
"""So many px inside the network's mask a ridge ends at this share of its height. Half is its full
width at half height; but what rises near the edge of a mask that is known to be too wide belongs to
something beside it, and what drops deep inside a wide one is a rough spot."""
CLEAR = 3.0  # times the noise of the surroundings, from which a ridge is one
NOISE_FLOOR = 0.7  # gray levels; a picture that was compressed to flatness has noise all the same
LEAST = 0.06  # share of the network's mask; less is a speck in it, not the scratch

NEAR = 6  # px from the ridge, along the mask; beyond them a stretch of it has none
CRUMB = 6  # px²; a smaller piece of a ridge is a grain of noise
MOST_PIECES = 64  # a ridge in more is the picture's texture

WIDER = 2  # px to either side: the network learns from targets that are so much wider
BROAD = 16.0  # px of thickness, from which a mask is no line whose middle would count

Floats = NDArray[np.float32]
Binary = NDArray[np.uint8]
"""(H, W): 0 or 1."""
Pieces = NDArray[np.uint16]
"""(H, W): the number of a pixel's piece, from 1; 0 where there is none."""


def refine(detection: Detection, image: Image) -> Detection:
    """The same detection with the mask that the picture shows, or its core without a clear ridge.

    `image` is the frame (H, W, 3), BGR, uint8, in whose pixels the detection lies.
    """
    height, width = detection.mask.shape
    top, left = max(0, detection.y - MARGIN), max(0, detection.x - MARGIN)
    crop = image[top : detection.y + height + MARGIN, left : detection.x + width + MARGIN]
    mask: Binary = np.zeros(crop.shape[:2], np.uint8)
    y, x = detection.y - top, detection.x - left
    mask[y : y + height, x : x + width] = detection.mask
    within = depth(mask > 0)
    if 2 * within.max() - 1 > BROAD:  # a graze has many ridges, and none of them is its middle
        return Detection(detection.confidence, left, top, _body(mask) > 0)
    gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_BGR2GRAY), np.uint8)
    pieces = _pieces(_ridge(gray, mask, within))
    enough = np.count_nonzero(pieces) >= LEAST * np.count_nonzero(mask)
    if enough and 0 < pieces.max() <= MOST_PIECES:
        kept = _closed(pieces, mask)
    else:
        kept = _core(mask, _middle(mask))
    return Detection(detection.confidence, left, top, kept > 0)


def _ridge(gray: NDArray[np.uint8], mask: Binary, within: Floats) -> Binary:
    """Pixels of the ridge inside the mask; none where there is no clear one. `within` is the mask's
    `depth`.
    """
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_3)
    away = outside > BESIDE
    contrast = _contrast(gray.astype(np.float32), away.astype(np.float32))
    own = contrast[mask > 0]
    sign = 1.0 if np.square(own.clip(0)).sum() >= np.square(own.clip(None, 0)).sum() else -1.0
    noise = _spread(contrast[away & (outside <= RING)]) + NOISE_FLOOR
    rise = cv2.GaussianBlur((sign * contrast).clip(0), (0, 0), 0.6) * mask
    window = (ALONG, ALONG)
    peak = np.asarray(cv2.blur(cv2.dilate(rise, np.ones(window, np.uint8)), window), np.float32)
    if not _median(peak[mask > 0]) >= CLEAR * noise:
        return np.zeros_like(mask)
    share = np.interp(within, DEPTH, HALF)
    return ((rise >= share * peak) & (rise >= noise)).astype(np.uint8) & mask


def _pieces(ridge: Binary) -> Pieces:
    """The connected pieces of a ridge without crumbs, unless it is made of nothing else."""
    count, number = cv2.connectedComponents(ridge, connectivity=8)
    large = np.bincount(number[ridge > 0], minlength=count) >= CRUMB
    if 0 < np.count_nonzero(large) < count - 1:
        number = np.where(large, np.cumsum(large), 0)[number]
    return np.asarray(number, np.uint16)


def _closed(pieces: Pieces, mask: Binary) -> Binary:
    """A ridge in pieces as one, as the mask is: with the mask's core along stretches that have no
    ridge, and lines over the gaps that are left.
    """
    near = _grown(pieces, mask, NEAR)
    bare = mask & (near == 0).view(np.uint8)
    ridge = (pieces > 0).view(np.uint8)
    if pieces.max() == 1 and not bare.any():
        return ridge
    middle = _middle(mask)
    bare &= middle  # what lies beside a ridge at the edge of the mask is no stretch without one
    if bare.any():
        ridge = ridge | (_core(mask, middle) & _reached(bare, mask, NEAR + 1))
        pieces = np.asarray(cv2.connectedComponents(ridge, connectivity=8)[1], np.uint16)
        near = _grown(pieces, mask, NEAR)
    return _linked(pieces, near, middle)


def _linked(pieces: Pieces, near: Pieces, middle: Binary) -> Binary:
    """The pieces, and lines between those that follow each other along the middle of the mask.
    `near` tells which of them is nearest.
    """
    linked = (pieces > 0).astype(np.uint8)
    if pieces.max() == 1:
        return linked
    pixels = np.argwhere(linked)[:, ::-1]
    piece_of = pieces[pixels[:, 1], pixels[:, 0]]
    graph = graph_of(middle > 0)
    for chain in graph.chains:
        points = graph.points[chain.pixels].astype(np.intp)
        passed = near[points[:, 1], points[:, 0]]
        for k in np.flatnonzero(passed[1:] != passed[:-1]):
            a, b = (_nearest(pixels[piece_of == passed[i]], points[i]) for i in (k, k + 1))
            cv2.line(linked, a, b, 1)
    return linked


def _nearest(pixels: NDArray[np.intp], point: NDArray[np.intp]) -> tuple[int, int]:
    """Which x, y of the pixels (n, 2) is nearest to a point (2,)."""
    x, y = pixels[np.square(pixels - point).sum(axis=1).argmin()]
    return int(x), int(y)


def _grown(pieces: Pieces, mask: Binary, steps: int) -> Pieces:
    """The pieces, so many px larger within the mask; where they meet, each keeps what it has."""
    grown = pieces.copy()
    for step in range(steps):
        free = mask & (grown == 0).view(np.uint8)
        # Squares and crosses in turn: an octagon, which is nearly as far in every direction.
        cv2.copyTo(cv2.dilate(grown, CROSS if step % 2 else SQUARE), free, grown)
    return grown


def _reached(part: Binary, mask: Binary, steps: int) -> Binary:
    """What of the mask is within so many px of a part of it."""
    return (_grown(part.astype(np.uint16), mask, steps) > 0).view(np.uint8)


def _core(mask: Binary, middle: Binary) -> Binary:
    """The network's mask without what it is wider than a scratch; where that is all, its middle."""
    return np.asarray(cv2.erode(mask, _disk(WIDER)), np.uint8) | middle


def _body(mask: Binary) -> Binary:
    """The core of a broad mask, with the middle of its thin parts. To thin all of it would cost by
    its thickness.
    """
    inner = np.asarray(cv2.erode(mask, _disk(WIDER)), np.uint8)
    pieces = np.asarray(cv2.connectedComponents(inner, connectivity=8)[1], np.uint16)
    near = _grown(pieces, mask, WIDER + 1)
    neck = (near > 0) & (cv2.dilate(near, SQUARE) != near)  # where two pieces meet
    lost = mask & ((near == 0) | neck).view(np.uint8)
    if not lost.any():
        return inner
    tails = _reached(lost, mask, WIDER + 2)  # far enough to be connected with the core
    return inner | (tails & ((near > 0).view(np.uint8) | _middle(tails)))


def _middle(mask: Binary) -> Binary:
    """The mask's skeleton, which is connected where the mask is."""
    return thin(mask > 0).view(np.uint8)


def _contrast(gray: Floats, away: Floats) -> Floats:
    """Gray levels over the mean of the surroundings; 0 where no surroundings are near."""
    window = (SURROUNDINGS, SURROUNDINGS)
    weight = cv2.blur(away, window)
    mean = cv2.blur(gray * away, window) / np.maximum(weight, 1e-3)
    return np.where(weight < 0.02, np.float32(0), gray - mean)


def _spread(values: Floats) -> float:
    """Standard deviation by the median absolute deviation, which print does not move."""
    if values.size == 0:
        return 0.0
    return 1.4826 * _median(np.abs(values - _median(values)))


def _median(values: Floats) -> float:
    """The upper one of two in the middle. NumPy's own costs four times as much on so few."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])


def _disk(radius: int) -> Binary:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)


SQUARE, CROSS = np.ones((3, 3), np.uint8), _disk(1)

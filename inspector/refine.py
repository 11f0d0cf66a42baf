"""From the network's mask to the camera's own pixels.

A network mask is a blob at quarter resolution, several times wider than a hairline. Where the
picture shows a clear ridge inside it, the ridge is the scratch: its width is the full width at
about half of its local height over the surroundings. Where it shows none, the core of the network's
mask stays, also along a stretch of a scratch whose rest is clear, so that what the network has
found is as long as it says but for the margin of its mask. Of a broad graze the core stays as well.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.skeleton import depth, thickness, thin
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

NEAR = 8.0  # px from the ridge, from which a stretch of the network's mask has none
MOST_PIECES = 64  # a ridge in more is the picture's texture

WIDER = 2  # px to either side: the network learns from targets that are so much wider
BROAD = 16.0  # px of thickness, from which a mask is no line whose middle would count

Floats = NDArray[np.float32]


def refine(detection: Detection, image: Image) -> Detection:
    """The same detection with the mask that the picture shows, or its core without a clear ridge.

    `image` is the frame (H, W, 3), BGR, uint8, in whose pixels the detection lies.
    """
    height, width = detection.mask.shape
    top, left = max(0, detection.y - MARGIN), max(0, detection.x - MARGIN)
    crop = image[top : detection.y + height + MARGIN, left : detection.x + width + MARGIN]
    mask = np.zeros(crop.shape[:2], np.uint8)
    y, x = detection.y - top, detection.x - left
    mask[y : y + height, x : x + width] = detection.mask
    within = depth(mask > 0)
    if 2 * within.max() - 1 > BROAD:  # a graze has many ridges, and none of them is its middle
        return Detection(detection.confidence, left, top, _core(mask) > 0)
    gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_BGR2GRAY), np.uint8)
    ridge = _ridge(gray, mask, within)
    kept = np.zeros_like(mask)
    if np.count_nonzero(ridge) >= LEAST * np.count_nonzero(mask):
        away = cv2.distanceTransform(1 - ridge, cv2.DIST_L2, cv2.DIST_MASK_3)
        unclear = mask & (away > NEAR).view(np.uint8)
        kept = ridge | (unclear & _core(mask)) if unclear.any() else ridge
    if not kept.any() or cv2.connectedComponents(kept, connectivity=8)[0] > MOST_PIECES:
        kept = _core(mask)
    return Detection(detection.confidence, left, top, kept > 0)


def _ridge(gray: NDArray[np.uint8], mask: NDArray[np.uint8], within: Floats) -> NDArray[np.uint8]:
    """Pixels of the ridge inside the mask, 0 or 1; none where there is no clear one. `within` is
    its `depth`.
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


def _core(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The network's mask without what it is wider than a scratch; where that is all, its middle."""
    inner = np.asarray(cv2.erode(mask, _disk(WIDER)), np.uint8)
    return inner if thickness(mask > 0) > BROAD else inner | thin(mask > 0).view(np.uint8)


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


def _disk(radius: int) -> NDArray[np.uint8]:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)

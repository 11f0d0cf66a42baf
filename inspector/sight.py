"""Look: can this frame be judged at all? Pure; the pipeline asks before the model sees anything."""

import cv2
import numpy as np

from inspector.types import Image, Reason, Rule

DARK = 6  # gray level; a lit sensor's noise alone reaches higher somewhere in the picture
BRIGHT = 250  # gray level above which a pixel holds nothing
BURNT = 0.995  # share of burnt pixels; a scanned page is white on 99 % of it and still readable
FLAT = 1.0  # standard deviation of gray levels; a capped lens or a dead sensor has less
SAMPLE = 4  # every fourth pixel decides about exposure


def look(
    image: Image, *, age_s: float, max_age_s: float, size: tuple[int, int] | None
) -> Reason | None:
    """The reason why this frame cannot be judged, or None where every check was passed.

    Args:
        image: BGR, (H, W, 3), uint8.
        age_s: seconds since the frame was grabbed.
        max_age_s: the age up to which it is fresh.
        size: the (width, height) that the line expects, None for any.
    """
    if not age_s <= max_age_s:
        return Reason(Rule.STALE_FRAME, age_s * 1000, max_age_s * 1000, "ms")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        return Reason(Rule.UNREADABLE_IMAGE)
    height, width = image.shape[:2]
    if size is not None and (width, height) != size:
        off_width = width != size[0]
        found, wanted = (width, size[0]) if off_width else (height, size[1])
        return Reason(Rule.FRAME_SIZE, found, wanted, "px")
    gray = cv2.cvtColor(np.ascontiguousarray(image[::SAMPLE, ::SAMPLE]), cv2.COLOR_BGR2GRAY)
    return _exposure(gray)


def _exposure(gray: np.ndarray) -> Reason | None:
    brightest = float(gray.max())
    if not brightest > DARK:
        return Reason(Rule.TOO_DARK, brightest, DARK, "gray")
    burnt = float(np.count_nonzero(gray >= BRIGHT) / gray.size)
    if not burnt <= BURNT:
        return Reason(Rule.TOO_BRIGHT, round(burnt, 3), BURNT, "ratio")
    contrast = float(gray.std())
    if not contrast > FLAT:
        return Reason(Rule.NO_CONTRAST, round(contrast, 3), FLAT, "gray")
    return None

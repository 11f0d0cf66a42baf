"""Look: can this frame be judged at all? Pure; the pipeline asks before the model sees anything.

What no picture can be judged without is checked on every line; the windows and the mark are checked
on lines that have them.
"""

import math

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from inspector.types import Gray, Image, Reason, Rule
from inspector.windows import Reference, Seen, Windows

# Exposure is judged on the means of blocks, which a sensor's noise and its hot pixels hardly move.
# Darkest and flattest of 18 samples, 300 generated and 256 real pictures (dark screens, film,
# steel, plates, receipts): a brightest block of 18, 0.7 between blocks. A plain lit part whose
# corners are 1 % darker has 0.3. Noise behind a cap (even, 0 … 11) reaches 6.5 and 0.16.
DARK = 10  # gray level that the brightest block has to exceed
FLAT = 0.25  # standard deviation of the blocks, gray levels
BLOCK = 32  # px, or a quarter of the shorter side where that is less, so that there are several
LEAST_BLOCK = 8  # px
LEAST_SIDE = 2 * LEAST_BLOCK  # px; less is a strip of a frame, on which no block can be compared
BRIGHT = 250  # gray level above which a pixel holds nothing
BURNT = 0.995  # share of burnt pixels; a scanned page is white on 99 % of it and still readable
SAMPLE = 2  # every second row decides about exposure
ROW = 64  # one row in so many tells most frames apart before all of them are compared
BAND = 64  # rows; what is measured band by band stays in the processor's cache
FIVE = (5, 5)  # px; a kernel as wide as the edge of a picture that is just sharp


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
    if image.size == 0:
        return Reason(Rule.UNREADABLE_IMAGE)
    channels = image.shape[2] if image.ndim == 3 else 1
    if channels != 3:
        return Reason(Rule.FRAME_FORMAT, channels, 3, "channels")
    if image.dtype != np.uint8:
        return Reason(Rule.FRAME_FORMAT)
    height, width = image.shape[:2]
    if size is not None and (width, height) != size:
        off_width = width != size[0]
        found, wanted = (width, size[0]) if off_width else (height, size[1])
        return Reason(Rule.FRAME_SIZE, found, wanted, "px")
    return exposure(image)


def exposure(image: Image) -> Reason | None:
    """Why nothing can be seen on a picture (H, W, 3), or None: tiny, dark, burnt, flat."""
    side = min(image.shape[:2])
    if not side >= LEAST_SIDE:
        return Reason(Rule.FRAME_SIZE, side, LEAST_SIDE, "px")
    gray = _sample(image)
    blocks = _blocks(gray, min(max(side // 4, LEAST_BLOCK), BLOCK) // SAMPLE * SAMPLE)
    brightest = float(blocks.max())
    if not brightest > DARK:
        return Reason(Rule.TOO_DARK, round(brightest, 1), DARK, "gray")
    burnt = _burnt(gray)
    if not burnt <= BURNT:
        return Reason(Rule.TOO_BRIGHT, round(burnt, 3), BURNT, "ratio")
    contrast = float(blocks.std())
    if not contrast > FLAT:
        return Reason(Rule.NO_CONTRAST, round(contrast, 3), FLAT, "gray")
    return None


def as_learned(judged: Image, windows: Windows) -> Reason | None:
    """The line's window that the judged part (H, W, 3) of a frame lies outside of, or None."""
    return windows.refuse(see(judged)) if windows.any else None


def see(judged: Image) -> Seen:
    """What windows are about, measured on the judged part (H, W, 3) of a frame."""
    gray = _sample(judged)
    return Seen(float(gray.mean()), _burnt(gray), sharpness(judged))


def sharpness(image: Image) -> float:
    """How sharp a BGR picture (H, W, 3) is, from 0 to 1, whatever its contrast and brightness.

    A sharp picture loses much when it is blurred, a blurred one little (Crete, Dolmiere, Ladret,
    Nicolas: The blur effect, Proc. SPIE 6492, 2007). It is the share that a box of 5 px takes away
    of the differences between neighbours, in the direction in which that is less, so that motion
    counts as much as focus. Unlike there, differences are squared and taken after a little
    smoothing: otherwise the sensor's noise, which no lens blurs, passes for sharpness.
    """
    before, after = np.zeros(2), np.zeros(2)
    for top in range(0, image.shape[0], BAND):
        gray = cv2.cvtColor(image[top : top + BAND], cv2.COLOR_BGR2GRAY)
        smooth = cv2.GaussianBlur(gray, FIVE, 0)
        before += _energy(smooth)
        after += _energy(cv2.blur(smooth, FIVE))
    lost = 1 - after[before > 0] / before[before > 0]
    return max(0.0, float(lost.min())) if lost.size else 0.0


def in_place(image: Image, reference: Reference | None, mark: Gray | None) -> Reason | None:
    """The reason why the mark (H, W) is not where it has to be in the frame, or None where it is.

    By normalised cross-correlation of gray levels, so neither light nor contrast matters. A
    reference whose mark was not handed over is not in place.
    """
    if reference is None:
        return None
    score = 0.0 if mark is None else _score(image, reference, mark)
    if score >= reference.min_score:
        return None
    return Reason(Rule.NOT_IN_PLACE, round(score, 3), reference.min_score, "ratio")


class Repeats:
    """Counts how many frames with equal content came one after the other.

    It compares the pixels themselves, with the last frame, which it keeps: a few rows tell the
    frames of a sensor apart, since no two have the same noise.
    """

    def __init__(self) -> None:
        self._last: Image | None = None
        self._count = 0

    def count(self, image: Image) -> int:
        """How many equal frames (H, W, 3) uint8 there were up to this one, itself included."""
        self._count = self._count + 1 if _equal(image, self._last) else 1
        self._last = image
        return self._count


def _sample(image: Image) -> Gray:
    """Gray levels of the rows that decide, whole rows: columns that are left out cost more."""
    rows = np.ascontiguousarray(image[::SAMPLE])
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_BGR2GRAY), np.uint8)


def _blocks(gray: Gray, side: int) -> NDArray[np.float64]:
    """Means of the whole blocks of `side` px of a picture, of which `gray` has the sampled rows."""
    rows = side // SAMPLE
    high, wide = gray.shape[0] // rows, gray.shape[1] // side
    strips = gray[: high * rows, : wide * side].reshape(high, rows, wide * side)
    columns = strips.sum(1, dtype=np.uint16).reshape(high, wide, side)
    return np.asarray(columns.sum(2, dtype=np.uint32) / (rows * side), np.float64)


def _burnt(gray: Gray) -> float:
    return float(np.count_nonzero(gray >= BRIGHT) / gray.size)


def _energy(gray: MatLike) -> tuple[float, float]:
    """Sum of the squared differences between neighbours, in x and in y."""
    pairs = (gray[:, 1:], gray[:, :-1]), (gray[1:], gray[:-1])
    x, y = (cv2.norm(a, b, cv2.NORM_L2SQR) if a.size else 0.0 for a, b in pairs)
    return x, y


def _score(image: Image, reference: Reference, mark: Gray) -> float:
    (x, y), reach = reference.at, reference.within_px
    height, width = mark.shape
    around = image[max(0, y - reach) : y + height + reach, max(0, x - reach) : x + width + reach]
    if around.shape[0] < height or around.shape[1] < width:
        return 0.0
    gray = cv2.cvtColor(np.ascontiguousarray(around), cv2.COLOR_BGR2GRAY)
    score = float(cv2.matchTemplate(gray, mark, cv2.TM_CCOEFF_NORMED).max())
    return score if math.isfinite(score) else 0.0


def _equal(image: Image, last: Image | None) -> bool:
    if last is None or image.shape != last.shape:
        return False
    rows = cv2.norm(image[::ROW], last[::ROW], cv2.NORM_INF)
    return rows == 0 and cv2.norm(image, last, cv2.NORM_INF) == 0

"""How wide a scratch is and where it runs, from profiles of the picture across it.

A groove scatters light or swallows it along its core, and of its two flanks one is lit and the
other shaded: a profile across it is a box, as wide as the groove, and a wave that is odd about its
middle, both blurred by the lens, on a ground that may slope. Either may be missing, bright or dark.
For each width and place the two shapes are fitted to the profile by least squares. What explains
most is the groove, unless the network's mask makes another likelier by more than the noise.

A lens out of focus widens what it shows: a hairline of 1.5 px looks like a sharp one of 3. The
shoulders of the profiles tell the two apart, if many are asked: the shapes are made for several
lenses, and those that explain the whole groove best tell how wide it is.
"""

from dataclasses import dataclass
from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Points

REACH = 8.0  # px to either side, as far as a profile goes
STEP = 0.5  # px between its samples
ROWS = 32_000  # profiles at a time; OpenCV cannot do more
FOCUS = 4.0  # px, standard deviation of the window through which a profile is looked at
BLURS = (0.5, 0.75, 1.0, 1.25, 1.5)  # px, the same of the lens, the pixels and the samples between
ALIKE = 0.2  # share of what the best lens leaves unexplained, by which others are to be told apart
ASKED = 8  # profiles or up to twice as many, which tell the blur
FLANK = 0.8  # px by which the light of a flank reaches beyond half the width

WIDTHS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0)  # px
ASIDE = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)  # px to the right of where the network has it

ALONG = 3.0  # px, standard deviation; profiles are averaged over as much of a groove
EVEN = 7  # profiles over which the answers are averaged
APART = 3  # profiles from one to another that shares no pixels with it
EVERY = 3  # profiles, of which one is asked
SURE = 40.0  # times what noise alone makes of one shape; a fainter groove tells no width
PULL_ASIDE = 30.0  # times the noise, by which a fit must be better to lie one px aside
PULL_WIDTH = 20.0  # the same, to be wider or narrower than expected by a factor of e
NARROWEST = 0.6  # of the expected width; no mask is so much too wide
BEGINS = 0.5  # of the profiles that follow, from which one is of the same groove
MORE, AHEAD = 7, 16  # so many profiles follow, and so many more tell how high a groove is
FAINT = 0.4  # of that height; what begins is no fainter
CLEAR = 3.0  # times the noise that is left in the mean; what begins is no weaker
FLOOR = 1.0  # gray levels², of a pixel; a picture that was compressed to flatness has noise, too

Floats = NDArray[np.float32]

ACROSS: Floats = np.arange(-REACH, REACH + STEP / 2, STEP, dtype=np.float32)
"""(M,): how far to the right of the middle a profile is sampled, in px."""


@dataclass(frozen=True, slots=True, eq=False)
class Groove:
    """What n profiles show, in px: how wide it is, how wide it looks, and how far to the right of
    their middle it lies. `clear`: the share of them that show more than noise would.
    """

    width: Floats
    looks: Floats
    aside: Floats
    clear: float


def profiles_of(gray: Floats, points: Points, right: Points, beyond: float | None = None) -> Floats:
    """The picture (H, W), in gray levels, across n points (n, 2), which have these directions to
    their right (n, 2): (n, M) at `ACROSS`. Beside the picture lies `beyond`, or more of its edge.
    """
    x, y = (points[:, axis, None] + right[:, axis, None] * ACROSS for axis in (0, 1))
    border = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    return np.concatenate([
        cv2.remap(
            gray, x[k : k + ROWS].astype(np.float32), y[k : k + ROWS].astype(np.float32),
            cv2.INTER_LINEAR, borderMode=border, borderValue=beyond or 0.0,
        )
        for k in range(0, len(x), ROWS)
    ])  # fmt: skip


def fit(profiles: Floats, expected: float) -> Groove:
    """The groove in profiles (n, M) of gray levels at `ACROSS`, which follow each other at a px.

    `expected` is the width in px where the picture does not tell.
    """
    seen = bare(profiles)
    asked = np.ascontiguousarray(_averaged(seen)[::EVERY])
    unlikely = PULL_ASIDE * _ASIDES**2 + PULL_WIDTH * np.log(_WIDTHS / max(1.0, expected)) ** 2
    one_shape = noise(seen) * _ONE_SHAPE
    unlikely *= one_shape
    # Between two bright rims there is a dark line, which is not the scratch.
    unlikely[min(NARROWEST * expected, WIDTHS[-1]) > _WIDTHS] = np.inf

    width, aside, looks = (np.zeros(len(asked), np.float32) for _ in range(3))
    clear = 0.0
    for lens, share in enumerate(_lenses(asked)):
        if share or not lens:
            explained = _explained(asked, _SHAPES[lens])
            best = (explained - unlikely).argmax(axis=1)
            width += share * _WIDTHS[best]
            aside += share * _ASIDES[best]
            if not lens:
                looks = _WIDTHS[best]
                clear = float((explained.max(axis=1) >= SURE * one_shape).mean())
    looks = np.maximum(looks, width)
    each = (np.repeat(values, EVERY)[: len(seen)] for values in (width, looks, aside))
    width, looks, aside = map(_evened, each)
    return Groove(width, looks, aside, clear)


def begin(profiles: Floats, within: int) -> float | None:
    """At which of the first `within` profiles (n, M) a groove begins, and a share of the way to it
    from the one before; None if none does that is clear.

    It begins where the profile first is half of the mean of those that follow, as that of a stroke
    does where it ends abruptly, however blurred. Noise has no part in that mean.
    """
    seen = bare(profiles[: within + MORE + AHEAD])
    count = min(within, len(seen) - MORE)
    if count < 1:
        return None
    total = np.cumsum(seen, axis=0)
    ahead = (total[MORE : count + MORE] - total[:count]) / MORE
    energy = np.square(ahead).sum(axis=1)
    later = seen[count:].mean(axis=0)
    least = max(FAINT**2 * float(later @ later), CLEAR * noise(seen) / MORE)
    like = (seen[:count] * ahead).sum(axis=1) / energy.clip(1e-6)
    there = (like >= BEGINS) & (energy >= least)
    if not there.any():
        return None
    k = int(there.argmax())
    if k == 0 or like[k - 1] >= BEGINS:
        return k - 0.5
    return k - float((like[k] - BEGINS) / (like[k] - like[k - 1]))


def bare(profiles: Floats) -> Floats:
    """Profiles (n, M) seen through the window, without the ground."""
    seen = profiles * _WINDOW
    return np.asarray(seen - (seen @ _GROUND) @ _GROUND.T, np.float32)


def noise(seen: Floats) -> float:
    """The noise of a bare profile, squared and summed over its samples: what makes it differ from
    one that shares no pixels with it. What is beside a groove all along, they have alike.
    """
    apart = seen[APART:] - seen[:-APART] if len(seen) > APART else seen
    return median(np.square(apart).sum(axis=1)) / 2 + FLOOR * _SEEN


def _lenses(profiles: Floats) -> list[float]:
    """How far each of the `BLURS` is to be believed, from all of these bare profiles (n, M), as
    shares of 1. Of lenses that explain them nearly alike, the noise would pick one.
    """
    few = np.ascontiguousarray(profiles[:: max(1, len(profiles) // ASKED)])
    explained = [float(_explained(few, shapes).max(axis=1).sum()) for shapes in _IN_PLACE]
    left = (float(np.square(few).sum()) - np.array(explained)).clip(min=1e-3)
    belief = np.exp((1 - left / left.min()) / ALIKE).round(2)
    return list((belief / belief.sum()).tolist())


def _explained(profiles: Floats, shapes: Floats) -> Floats:
    """(n, K): how much of bare profiles (n, M), squared and summed over their samples, each of K
    pairs of shapes explains; the first of each pair come before the second (M, 2 K).
    """
    parts = np.square(profiles @ shapes)
    pairs = parts.shape[1] // 2
    return np.asarray(parts[:, :pairs] + parts[:, pairs:])


def _averaged(profiles: Floats) -> Floats:
    """Along the groove alone."""
    size = (1, 2 * round(3 * ALONG) + 1)
    return np.asarray(
        cv2.GaussianBlur(profiles, size, 1, sigmaY=ALONG, borderType=cv2.BORDER_REFLECT),
        np.float32,
    )


def _evened(values: Floats) -> Floats:
    even = cv2.blur(values[:, None], (1, EVEN), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(even, np.float32)[:, 0]


def median(values: Floats) -> float:
    """The upper one of two in the middle. NumPy's own costs four times as much on so few."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])


def _shapes(blur: float) -> Floats:
    """(M, 2 K): for each width and place an orthonormal basis of what a groove can look like there
    through this lens, but for the ground.
    """
    fine = 0.1
    x = np.arange(-REACH - 4, REACH + 4, fine)
    away = x - _ASIDES[:, None]
    core = ((_WIDTHS[:, None] / 2 - np.abs(away)) / fine + 0.5).clip(0, 1)
    slope = away / (_WIDTHS[:, None] / 2 + FLANK)
    flank = slope * np.exp(-(slope**2))
    lens = np.exp(-(((x[:, None] - ACROSS) / blur) ** 2) / 2) * _WINDOW
    seen = np.stack([core @ lens, flank @ lens], axis=2)  # (K, M, 2)
    basis = np.linalg.qr(seen - _GROUND @ (_GROUND.T @ seen))[0]
    return np.ascontiguousarray(basis.transpose(1, 2, 0).reshape(len(ACROSS), -1), np.float32)


_WINDOW: Floats = np.exp(-((ACROSS / FOCUS) ** 2) / 2).astype(np.float32)
_GROUND: Floats = np.linalg.qr(np.stack([_WINDOW, _WINDOW * ACROSS], axis=1))[0]
"""(M, 2): its level and its slope."""
_WIDTHS: Floats = np.repeat(np.array(WIDTHS, np.float32), len(ASIDE))
_ASIDES: Floats = np.tile(np.array(ASIDE, np.float32), len(WIDTHS))
"""(K,): how wide each groove is that is tried, and how far to the right."""
_SHAPES = tuple(_shapes(blur) for blur in BLURS)
_IN_PLACE = tuple(
    np.ascontiguousarray(shapes[:, np.tile(np.abs(_ASIDES) <= STEP, 2)]) for shapes in _SHAPES
)
"""The same of the grooves that lie where the network has them, or next to it."""
_SEEN = float(np.square(_WINDOW).sum())
"""How many samples there are in a profile, by their weight."""
_ONE_SHAPE = 1 / (_SEEN * 2 * pi**0.5 * ALONG)
"""Of the noise of a profile, how much one shape explains where they are averaged."""

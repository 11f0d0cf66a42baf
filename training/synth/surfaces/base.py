"""What every surface returns, and drawing helpers that surfaces share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.synth.strokes import ANY, Habit

Image = NDArray[np.float32]
Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Photo:
    """What a camera has done to a surface already, and so does to a scratch on it."""

    grey: bool
    """A mono camera: no scratch has a colour."""
    softness: float
    """Blur of the sharpest edges, a Gaussian's deviation in pixels."""
    noise: float
    """Of single pixels, in grey levels."""


@dataclass(frozen=True, slots=True)
class Surface:
    """A clean part, image (h, w, 3) BGR 0..255; where (h, w) bool and how it may be scratched."""

    image: Image
    part: NDArray[np.bool_]
    bright: float
    """The chance that a scratch shines on this surface."""
    faintest: float
    """Least amplitude of a scratch in grey levels: print hides what dark glass shows."""
    substrates: list[Colour]
    photo: Photo | None = None
    """Set where the image comes from a camera and not from the generator."""
    habit: Habit = ANY


def colour(rng: np.random.Generator, low: float, high: float, spread: float = 25) -> Colour:
    """A colour of random brightness low..high whose channels differ by about `spread`."""
    base = rng.uniform(low, high) + rng.normal(0, spread, 3)
    return tuple(float(c) for c in np.clip(base, 0, 255))  # type: ignore[return-value]


def paint(image: Image, mask: Image, paint_colour: Colour | NDArray[np.float32]) -> None:
    """Blend a colour or a picture into `image` in place where `mask` (h, w) in 0..1 says so."""
    ys, xs = np.nonzero(mask.max(1) > 0)[0], np.nonzero(mask.max(0) > 0)[0]
    if not len(ys) or not len(xs):
        return
    box = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    tone = np.asarray(paint_colour, np.float32)
    image[box] += mask[box][..., None] * ((tone[box] if tone.ndim == 3 else tone) - image[box])


def rounded_box(
    h: int, w: int, centre: tuple[float, float], half: tuple[float, float],
    radius: float, angle: float = 0.0,
) -> Image:  # fmt: skip
    """Signed distance (negative inside) of every pixel from a rounded, turned rectangle."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = np.abs(x * c + y * s), np.abs(y * c - x * s)
    radius = min(radius, *half)
    qx, qy = u - np.float32(half[0] - radius), v - np.float32(half[1] - radius)
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return outside + np.minimum(np.maximum(qx, qy), 0) - np.float32(radius)


def inside(distance: Image, soft: float = 0.7) -> Image:
    """Signed distance to coverage 0..1."""
    return np.clip(0.5 - distance / (2 * soft), 0, 1)

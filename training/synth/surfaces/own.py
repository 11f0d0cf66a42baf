"""A user's own part: windows on good pictures of it, at the scale in which they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.cameras.pictures import load_picture
from inspector.errors import NoInputError
from inspector.types import Unseen
from training.synth.surfaces.base import Colour, Image, Photo, Surface

CACHE_BYTES = 384 * 2**20
"""Decoded pictures that one process keeps; a picture larger than that is kept alone."""
ZOOM = (0.9, 1.1)
"""Mild, because the net must know how wide a scratch is in the camera's pixels."""
GREY_SPREAD = 2
"""Channels of a mono camera's picture differ by no more than JPEG rounds, in grey levels."""
PLAIN: tuple[Colour, ...] = ((225, 225, 225), (160, 165, 168), (60, 60, 64))
"""What lies below the colour of many parts: white base, bare metal, dark plastic."""
SHOWS = 40
"""Grey levels by which a colour laid bare differs from the surface."""

_cache: dict[Path, NDArray[np.uint8]] = {}


@dataclass(frozen=True, slots=True)
class OwnPart:
    """A surface to draw scratches on, as `SURFACES` has them, but cut from picture files."""

    name: str
    pictures: tuple[Path, ...]

    def __call__(self, rng: np.random.Generator, h: int, w: int, _whole: bool = False) -> Surface:
        """A window of (h, w), or less where the picture is smaller.

        Raises:
            NoInputError: a picture that could be read before cannot be read any more.
        """
        image = window(rng, load(self.pictures[int(rng.integers(len(self.pictures)))]), h, w)
        noise, texture, blur = measure(image)
        softness = float(np.clip(blur * rng.uniform(0.7, 1.1), 0.35, 1.6))
        return Surface(
            image,
            np.ones(image.shape[:2], bool),
            bright=0.95 - 0.75 * float(image.mean()) / 255,
            # A blurred line is fainter than it was drawn: by about a third at a deviation of 1.5.
            faintest=float(np.clip((24 + 0.8 * texture) * (1 + 0.4 * softness), 24, 60)),
            substrates=_below(rng, image),
            photo=Photo(
                grey=bool(np.ptp(image, axis=2).max() <= GREY_SPREAD),
                softness=softness,
                noise=noise,
            ),
        )


def _below(rng: np.random.Generator, image: Image) -> list[Colour]:
    """Colours that a scratch may lay bare: of the part's own and plain ones those that show."""
    own = cv2.resize(image, (6, 6), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    some = np.concatenate([own[rng.choice(len(own), 4, replace=False)], PLAIN])
    shows = np.abs(some - np.median(own, axis=0)).max(1) >= SHOWS
    return [(float(b), float(g), float(r)) for b, g, r in some[shows]]


def load(path: Path) -> NDArray[np.uint8]:
    """The picture (h, w, 3) BGR, read as the edge reads it; the last ones used stay in memory."""
    image = _cache.pop(path, None)
    if image is None:
        part = load_picture(path)
        if isinstance(part, Unseen):
            raise NoInputError(f"{part.source}: {part.detail}")
        image = part.image
    _cache[path] = image
    while len(_cache) > 1 and sum(kept.nbytes for kept in _cache.values()) > CACHE_BYTES:
        del _cache[next(iter(_cache))]
    return image


def window(rng: np.random.Generator, image: NDArray[np.uint8], h: int, w: int) -> Image:
    """A random window of at most (h, w), turned, mirrored, sometimes zoomed a little."""
    zoom = float(rng.uniform(*ZOOM)) if rng.random() < 0.5 else 1.0
    turns, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
    if turns % 2:
        h, w = w, h
    rows = min(image.shape[0], int(np.ceil(h / zoom)))
    cols = min(image.shape[1], int(np.ceil(w / zoom)))
    y = int(rng.integers(image.shape[0] - rows + 1))
    x = int(rng.integers(image.shape[1] - cols + 1))
    cut = image[y : y + rows, x : x + cols].astype(np.float32)
    if zoom != 1:
        size = (min(w, round(cols * zoom)), min(h, round(rows * zoom)))
        way = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
        cut = np.clip(cv2.resize(cut, size, interpolation=way), 0, 255)
    cut = np.rot90(cut, turns)
    return np.ascontiguousarray(cut[:, ::-1] if mirrored else cut)


def measure(image: Image) -> tuple[float, float, float]:
    """Noise and local deviation in grey levels, and the blur of the sharpest edges in pixels.

    Noise: the median response to the mask of Immerkær, "Fast noise variance estimation" (1996),
    which straight edges do not excite. Blur: a step of height c seen through a Gaussian of
    deviation s has a slope of at most c / (s √(2π)); the slope over two pixels adds 2² / 12 to
    s², and noise about four of its deviations to c. Both are taken off.
    """
    grey = image.mean(2)
    mask = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    noise = float(np.median(np.abs(cv2.filter2D(grey, -1, mask)))) / (6 * 0.6745)
    mean = cv2.blur(grey, (11, 11))
    texture = float(np.median(np.sqrt(np.maximum(0, cv2.blur(grey**2, (11, 11)) - mean**2))))
    slope = np.hypot(cv2.Sobel(grey, -1, 1, 0, scale=1 / 8), cv2.Sobel(grey, -1, 0, 1, scale=1 / 8))
    box = np.ones((9, 9), np.uint8)
    height = cv2.dilate(grey, box) - cv2.erode(grey, box) - np.float32(4 * noise)
    steepest = slope >= np.quantile(slope, 0.99)
    if np.median(height[steepest]) < 8:  # nothing there that is sharp or blurred
        return noise, texture, 0.7
    blur = np.median(height[steepest] / np.maximum(slope[steepest], 0.1)) / np.sqrt(2 * np.pi)
    return noise, texture, float(np.sqrt(max(0.0, blur**2 - 1 / 3)))

"""Random fields from which surfaces, stains and groove textures are made.

All functions take a `numpy.random.Generator` and return float32 arrays of shape (h, w).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def cloud(rng: np.random.Generator, h: int, w: int, cell: float) -> Field:
    """Smooth value noise in about -1..1 whose blobs are about `cell` pixels wide."""
    gh, gw = max(2, round(h / cell) + 2), max(2, round(w / cell) + 2)
    grid = rng.uniform(-1, 1, (gh, gw)).astype(np.float32)
    return cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC)


def fractal(rng: np.random.Generator, h: int, w: int, cell: float, octaves: int = 4) -> Field:
    """Sum of `cloud` octaves, each half as wide and 0.6 times as strong, in about -1..1."""
    out = np.zeros((h, w), np.float32)
    for k in range(octaves):
        out += 0.6**k * cloud(rng, h, w, max(1.5, cell / 2**k))
    return out / 1.6


def grain(rng: np.random.Generator, h: int, w: int, blur: float = 0.0) -> Field:
    """White noise of unit deviation, optionally blurred and brought back to unit deviation."""
    field = rng.standard_normal((h, w), dtype=np.float32)
    if blur > 0:
        field = cv2.GaussianBlur(field, (0, 0), blur)
        field /= max(1e-6, float(field.std()))
    return field


def streaks(rng: np.random.Generator, h: int, w: int, length: float, vertical: bool) -> Field:
    """Noise drawn out in one direction (brushed, rolled), unit deviation."""
    across = max(2, round((h if vertical else w) / length) + 2)
    shape = (across, w) if vertical else (h, across)
    grid = rng.standard_normal(shape, dtype=np.float32)
    field = cv2.resize(grid, (w, h), interpolation=cv2.INTER_LINEAR)
    return field / max(1e-6, float(field.std()))


def ramp(rng: np.random.Generator, h: int, w: int) -> Field:
    """A linear gradient in a random direction, -1..1 corner to corner."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, w, dtype=np.float32)[None] * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, h, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    return (x + y) / np.float32(abs(np.cos(angle)) + abs(np.sin(angle)))

"""Metal, coated sheet and plain plastic: brushed, rolled, cast, painted; also film-like grain."""

from __future__ import annotations

import cv2
import numpy as np

from training.synth import noise
from training.synth.surfaces.base import Surface, colour


def metal(rng: np.random.Generator, h: int, w: int, _whole: bool = False) -> Surface:
    """An even technical surface that fills the (h, w) picture."""
    image = np.empty((h, w, 3), np.float32)
    grey = rng.random() < 0.6
    image[:] = colour(rng, 30, 225, 2 if grey else 35)
    kind = rng.random()
    vertical = bool(rng.random() < 0.5)
    field = rng.uniform(0, 25) * noise.cloud(rng, h, w, 200) + rng.uniform(0, 30) * noise.ramp(
        rng, h, w
    )
    if kind < 0.4:
        field += rng.uniform(1, 9) * noise.streaks(
            rng, h, w, np.exp(rng.uniform(np.log(8), np.log(400))), vertical
        )
        field += rng.uniform(0, 5) * noise.streaks(rng, h, w, 30, vertical)
    elif kind < 0.7:
        field += rng.uniform(1, 14) * noise.grain(rng, h, w, rng.uniform(0, 1.6))
    elif kind < 0.85:
        field += rng.uniform(3, 20) * noise.fractal(rng, h, w, rng.uniform(6, 40))
    if rng.random() < 0.2:
        patch = np.clip(
            noise.fractal(rng, h, w, rng.uniform(30, 120)) * 6 - rng.uniform(0, 4), 0, 1
        )
        rough = cv2.GaussianBlur(patch, (0, 0), 1) * (1 + 0.4 * noise.grain(rng, h, w, 0.6))
        field += rng.uniform(-90, 60) * rough
    image += field[..., None]
    bright = float(rng.choice([0.2, 0.6, 0.95]))
    return Surface(image, np.ones((h, w), bool), bright, 24, [colour(rng, 170, 240, 5)])

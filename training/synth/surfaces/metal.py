"""Metal, coated sheet and plain plastic: brushed, rolled, cast, painted; also film-like grain."""

from __future__ import annotations

import cv2
import numpy as np

from training.synth import noise
from training.synth.strokes import Habit
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
    if rng.random() < 0.3:
        field -= _blotches(rng, h, w, vertical)
    image += field[..., None]
    drawn = kind < 0.4 or rng.random() < 0.5
    habit = Habit(width=4.0, widest=20.0, along=(np.pi / 2 if vertical else 0.0) if drawn else None)
    bright = float(rng.choice([0.2, 0.6, 0.95]))
    return Surface(
        image, np.ones((h, w), bool), bright, 24, [colour(rng, 170, 240, 5)], habit=habit
    )


def _blotches(rng: np.random.Generator, h: int, w: int, vertical: bool) -> np.ndarray:
    """Scale and residue rolled out into dark leaves, many times wider than a groove."""
    layer = np.zeros((h, w), np.float32)
    for _ in range(int(rng.integers(2, 14))):
        at = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
        wide = float(np.exp(rng.uniform(np.log(3), np.log(14))))
        axes = (round(wide), round(wide * rng.uniform(1.5, 7)))
        turn = 0.0 if vertical else 90.0
        cv2.ellipse(layer, at, axes, turn + rng.normal(0, 5), 0, 360, rng.uniform(0.3, 1), -1)
    ragged = np.clip(0.8 + 0.6 * noise.fractal(rng, h, w, 8), 0, 1.3)
    soft = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.8, 3))
    return np.asarray(soft * ragged * rng.uniform(10, 70))

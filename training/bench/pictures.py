"""Pictures whose scratches are known, engraved by the generator on a quiet dark surface."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.types import Image
from training.synth import noise, optics
from training.synth.strokes import Scratch, Stroke

SURFACE, GRAIN = 24.0, 2.0
"""Grey levels of the surface, and of the noise of the camera."""
LOOK = optics.Look(
    core=95.0, side=0.0, reveal=0.0, substrate=(0, 0, 0), tint=(1, 1, 1), ragged=0.5, strands=1.5
)
WIDTH_PX = 2.8
SOFT_PX = 0.6
SWAY, SWAY_PX, MARGIN_PX = 0.3, 120, 30
"""Of a hand's line: the deviation of its heading in radians, how often it changes, and how near it
comes to the frame's edges."""


@dataclass(frozen=True, slots=True, eq=False)
class Scratched:
    """A picture (H, W, 3) and the lengths of its scratches along the curve, tip to tip, in px."""

    image: Image
    lengths_px: tuple[float, ...]


def scratched(
    rng: np.random.Generator, width: int, height: int, lines: list[NDArray[np.float32]]
) -> Scratched:
    """A surface of width × height px with these centre lines, (n, 2) each, scratched into it."""
    slow = noise.cloud(rng, min(height, 400), min(width, 400), 150.0)
    surface = SURFACE + 6 * cv2.resize(slow, (width, height), interpolation=cv2.INTER_LINEAR)
    image = np.repeat(surface[..., None].astype(np.float32), 3, axis=2)
    strokes = [_stroke(rng, line) for line in lines]
    for stroke in strokes:
        optics.engrave(image, Scratch((stroke,)), LOOK, rng)
    image = cv2.GaussianBlur(image, (0, 0), SOFT_PX)
    image += (rng.standard_normal((height, width), np.float32) * np.float32(GRAIN))[..., None]
    seen = np.clip(image, 0, 255).astype(np.uint8)
    return Scratched(seen, tuple(stroke.length_px for stroke in strokes))


def in_a_grid(rng: np.random.Generator, side: int, count: int) -> Scratched:
    """A square picture with `count` ≤ 20 arcs of 50 to 100 px that do not touch."""
    cells = [(column, row) for row in range(5) for column in range(4)]
    lines = []
    for column, row in cells[:: max(1, len(cells) // max(1, count))][:count]:
        centre = np.array([(column + 0.5) / 4, (row + 0.5) / 5]) * side
        lines.append(arc(rng, centre, rng.uniform(50, 100), rng.uniform(-0.5, 0.5), 0.6))
    return scratched(rng, side, side, lines)


def arc(
    rng: np.random.Generator, centre: NDArray[np.float64], length: float, heading: float,
    bend: float,
) -> NDArray[np.float32]:  # fmt: skip
    """A hand's arc (n, 2) about `centre`, a point per px, that turns by `bend` radians in all."""
    n = max(8, round(length))
    knots = n // 8 + 2
    tremble = np.interp(np.linspace(0, knots - 1, n), np.arange(knots), rng.normal(0, 0.05, knots))
    way = heading + bend * np.linspace(-0.5, 0.5, n) + tremble
    line = np.cumsum(np.stack([np.cos(way), np.sin(way)], axis=1), axis=0) * length / n
    return np.asarray(line - line.mean(axis=0) + centre, np.float32)


def wandering(
    rng: np.random.Generator, centre: NDArray[np.float64], length: float, height: int
) -> NDArray[np.float32]:
    """A hand's line (n, 2) from left to right about `centre`, a point per px, within `height` px.

    It sways by some 15° every `SWAY_PX`, as no joint of a part does.
    """
    n = max(8, round(length))
    soft = np.hanning(81) / np.hanning(81).sum()
    while True:
        knots = n // SWAY_PX + 3
        sway = rng.normal(0, SWAY, knots)
        way = np.interp(np.linspace(0, knots - 1, n + 80), np.arange(knots), sway)
        way = np.convolve(way, soft, "valid")
        tremble = np.interp(np.linspace(0, n // 8 + 1, n), np.arange(n // 8 + 2),
                            rng.normal(0, 0.05, n // 8 + 2))  # fmt: skip
        way += tremble - way.mean()
        line = np.cumsum(np.stack([np.cos(way), np.sin(way)], axis=1), axis=0)
        line += centre - line.mean(axis=0)
        if line[:, 1].min() > MARGIN_PX and line[:, 1].max() < height - MARGIN_PX:
            return np.asarray(line, np.float32)


def _stroke(rng: np.random.Generator, line: NDArray[np.float32]) -> Stroke:
    """Pressure that wanders by a quarter, and is never so low that the scratch is not seen."""
    knots = len(line) // 20 + 2
    at = np.linspace(0, knots - 1, len(line))
    pressure = np.interp(at, np.arange(knots), rng.uniform(0.75, 1.25, knots)).astype(np.float32)
    return Stroke(line, WIDTH_PX * pressure, np.minimum(pressure, 1))

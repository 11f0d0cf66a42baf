"""How a groove looks: light scattered, light lost, ink gone, substrate laid bare."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import noise
from training.synth.strokes import Scratch, Stroke

Image = NDArray[np.float32]

SIDE_PX = 3.0
"""How far the shaded flank of a groove reaches beyond its core, in pixels."""


@dataclass(frozen=True, slots=True)
class Look:
    """Optics of one scratch. Amplitudes are grey levels of a 0..255 picture."""

    core: float
    """Light added in the core (negative: lost)."""
    side: float
    """Light added on the left flank and taken on the right one."""
    reveal: float
    """0..1: how much of the surface's colour gives way to `substrate`."""
    substrate: tuple[float, float, float]
    tint: tuple[float, float, float]
    ragged: float
    """0..1: how much the groove's texture breaks up the core."""
    strands: float
    """Texture cell across the groove, in pixels; small ones make parallel strands."""


def random_look(
    rng: np.random.Generator, bright: float, faintest: float,
    substrates: list[tuple[float, float, float]],
) -> Look:  # fmt: skip
    """A look for a surface; `bright` is the chance that the groove shines rather than darkens.

    `faintest` is the least amplitude worth drawing there, in grey levels.
    """
    amplitude = float(np.exp(rng.uniform(np.log(faintest), np.log(190))))
    sign = 1.0 if rng.random() < bright else -1.0
    mode = rng.random()
    core, side, reveal = sign * amplitude, 0.0, 0.0
    if mode < 0.3:
        side = float(rng.choice([-1, 1])) * amplitude * rng.uniform(0.2, 0.8)
    elif mode < 0.45:
        core, side = core * 0.3, float(rng.choice([-1, 1])) * amplitude * rng.uniform(0.5, 1.0)
    elif mode < 0.7 and substrates:
        reveal, core = float(rng.uniform(0.3, 1.0)), core * rng.uniform(0, 0.4)
        side = float(rng.choice([-1, 0, 1])) * amplitude * rng.uniform(0.1, 0.5)
    # A dark line as even as ink, without a lit flank, would be a hair or the stroke of a pen.
    smooth = 0.4 if core < 0 and not side else 0.0
    tint = 1 + rng.normal(0, 0.06, 3)
    substrate = substrates[int(rng.integers(len(substrates)))] if substrates else (128, 128, 128)
    return Look(
        core, side, reveal, tuple(float(c + rng.normal(0, 8)) for c in substrate),
        (float(tint[0]), float(tint[1]), float(tint[2])),
        float(rng.uniform(smooth, 0.9)), float(rng.uniform(0.8, 4)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Footprint:
    """Pixels near a stroke: rows, columns, distance, signed offset (left < 0), sample index."""

    ys: NDArray[np.int64]
    xs: NDArray[np.int64]
    distance: Image
    offset: Image
    index: NDArray[np.int64]


def footprint(stroke: Stroke, shape: tuple[int, int], reach: float) -> Footprint | None:
    """The pixels of an (h, w) picture within `reach` of a stroke, None if there are none."""
    h, w = shape
    r = int(np.ceil(reach)) + 2
    near = np.rint(stroke.points).astype(int)
    x0, y0 = np.maximum(near.min(0) - r, -r)
    x1, y1 = np.minimum(near.max(0) + r + 1, (w + r, h + r))
    inside = ((near >= (x0, y0)) & (near < (x1, y1))).all(1)
    if x1 <= x0 or y1 <= y0 or not inside.any():
        return None
    free = np.ones((y1 - y0, x1 - x0), np.uint8)
    rows, cols = near[inside, 1] - y0, near[inside, 0] - x0
    free[rows, cols] = 0
    rough, labels = cv2.distanceTransformWithLabels(
        free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(labels.max()) + 1, np.int64)
    table[labels[rows, cols]] = np.flatnonzero(inside)
    ys, xs = np.nonzero(rough <= reach + 1)
    index = table[labels[ys, xs]]
    ys, xs = ys + y0, xs + x0
    keep = (ys >= 0) & (ys < h) & (xs >= 0) & (xs < w)
    ys, xs, index = ys[keep], xs[keep], index[keep]
    if not len(ys):
        return None
    tangent = np.gradient(stroke.points, axis=0)
    tangent /= np.maximum(1e-6, np.hypot(*tangent.T))[:, None]
    dx, dy = xs - stroke.points[index, 0], ys - stroke.points[index, 1]
    tx, ty = tangent[index].T
    offset = tx * dy - ty * dx
    along = tx * dx + ty * dy
    last = len(stroke.points) - 1
    tip = ((index == 0) & (along < -0.5)) | ((index == last) & (along > 0.5))
    distance = np.where(tip, np.hypot(np.abs(along) - 0.5, offset), np.abs(offset))
    return Footprint(ys, xs, distance.astype(np.float32), offset.astype(np.float32), index)


def coverage(mark: Footprint, width: NDArray[np.float32]) -> Image:
    """0..1 per pixel of the footprint: the share of the pixel that the groove's core covers."""
    w = width[mark.index]
    return (np.clip(w / 2 + 0.5 - mark.distance, 0, 1) * np.minimum(1, w)).astype(np.float32)


def engrave(
    image: Image, scratch: Scratch, look: Look, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw the scratch into `image` (h, w, 3, in place); returns its core mask (h, w), 0..1."""
    core_mask = np.zeros(image.shape[:2], np.float32)
    for stroke in scratch.strokes:
        reach = float(stroke.width.max()) / 2 + SIDE_PX + 1
        mark = footprint(stroke, core_mask.shape, reach)
        if mark is None:
            continue
        depth = stroke.depth[mark.index]
        core = coverage(mark, stroke.width)
        texture = _texture(rng, len(stroke.points), reach, look)
        rough = texture[mark.index, np.rint(mark.offset + reach).astype(int)]
        strength = core * depth * (1 - look.ragged * rough)
        flank = mark.offset / (stroke.width[mark.index] / 2 + 0.8)
        side = -flank * np.exp(-(flank**2)) * 1.6 * depth * (1 - 0.5 * look.ragged * rough)
        here = image[mark.ys, mark.xs]
        bare = (look.reveal * strength)[:, None]
        here = here * (1 - bare) + np.float32(look.substrate) * bare
        here += (look.core * strength)[:, None] * np.float32(look.tint)
        here += (look.side * side)[:, None]
        image[mark.ys, mark.xs] = here
        seen = np.where(depth > 0.05, core, 0)
        core_mask[mark.ys, mark.xs] = np.maximum(core_mask[mark.ys, mark.xs], seen)
    return core_mask


def _texture(rng: np.random.Generator, n: int, reach: float, look: Look) -> Image:
    """Roughness 0..1 over (samples along, pixels across), drawn out along the stroke."""
    across = int(2 * np.ceil(reach)) + 3
    grid = rng.random(
        (max(2, int(n / rng.uniform(2, 14)) + 2), max(2, int(across / look.strands) + 1))
    )
    field = cv2.resize(grid.astype(np.float32), (across, n), interpolation=cv2.INTER_LINEAR)
    return np.clip(field + 0.15 * noise.grain(rng, n, across), 0, 1)

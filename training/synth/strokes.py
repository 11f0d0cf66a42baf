"""Geometry of a scratch: centre line, width and depth along it.

Coordinates are pixels of the picture, x then y, with pixel centres at whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

STEP = 1.0
"""Spacing of the samples along a centre line, in pixels."""
MAX_GAP_PX = 9.0
"""A dashed scratch is one defect; wider gaps would make it two."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line: points (n, 2) about `STEP` apart, width in pixels (n,), depth 0..1 (n,)."""

    points: Array
    width: Array
    depth: Array

    @property
    def length_px(self) -> float:
        """Length along the curve."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    def between(self, first: int, end: int) -> Stroke:
        """The stretch of the samples first … end - 1."""
        return Stroke(self.points[first:end], self.width[first:end], self.depth[first:end])


@dataclass(frozen=True, slots=True)
class Scratch:
    """One physical defect: the main stroke first, then its branches."""

    strokes: tuple[Stroke, ...]


@dataclass(frozen=True, slots=True)
class Habit:
    """How a surface comes by its scratches: widths in pixels, a heading in radians."""

    width: float = 2.9
    """Median."""
    widest: float = 12.0
    along: float | None = None
    """The way in which most scratches run, as on sheet that was rolled or drawn."""


ANY = Habit()


def straight(start: tuple[float, float], end: tuple[float, float], width: float) -> Scratch:
    """A straight scratch of constant width and full depth, for tests and examples."""
    n = max(2, round(np.hypot(end[0] - start[0], end[1] - start[1]) / STEP) + 1)
    points = np.linspace(start, end, n).astype(np.float32)
    return Scratch((Stroke(points, np.full(n, width, np.float32), np.ones(n, np.float32)),))


def _wander(rng: np.random.Generator, n: int, cell: float) -> Array:
    """Smooth noise of unit deviation along a line of n samples."""
    knots = rng.standard_normal(max(3, int(n / cell) + 3))
    return np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots).astype(
        np.float32
    )


def _path(rng: np.random.Generator, kind: str, length: float, heading: float) -> Array:
    """Points of a centre line that starts at the origin."""
    n = max(6, round(length / STEP) + 1)
    t = np.linspace(0, 1, n)
    turn = np.zeros(n)
    if kind == "arc":
        turn = t * rng.uniform(-1.5, 1.5)
    elif kind == "wobbly":
        turn = np.cumsum(_wander(rng, n, max(12, n / 6))) * STEP * rng.uniform(0.004, 0.02)
        turn += t * rng.uniform(-0.8, 0.8)
    elif kind == "hooked":
        at, sharp = rng.uniform(0.6, 0.95), rng.uniform(0.01, 0.08)
        turn = rng.choice([-1, 1]) * rng.uniform(0.6, 2.6) / (1 + np.exp(-(t - at) / sharp))
        turn += t * rng.uniform(-0.5, 0.5)
    elif kind == "bent":
        turn = t * rng.uniform(-0.5, 0.5) + (t > rng.uniform(0.2, 0.8)) * rng.uniform(-0.5, 0.5)
    else:
        turn = t * rng.uniform(-0.12, 0.12)
    angle = heading + turn + _wander(rng, n, 5) * rng.uniform(0.0, 0.12)
    step = length / (n - 1)
    deltas = np.stack([np.cos(angle), np.sin(angle)], 1)[:-1] * step
    return np.concatenate([np.zeros((1, 2)), np.cumsum(deltas, 0)]).astype(np.float32)


def _profile(rng: np.random.Generator, n: int, width: float, dashed: bool) -> tuple[Array, Array]:
    """Width and depth along a line: pressure rises, wanders and fades."""
    t = np.linspace(0, 1, n)
    rise, fall = rng.uniform(0.005, 0.25), rng.uniform(0.005, 0.35)
    if rng.random() < 0.35:
        rise = fall = 0.005
    ends = np.clip(t / rise, 0, 1) * np.clip((1 - t) / fall, 0, 1)
    pressure = 1 + _wander(rng, n, rng.uniform(8, 60)) * rng.uniform(0.02, 0.3)
    depth = np.clip(pressure, 0.35, 1.5) * (0.25 + 0.75 * ends**0.7)
    if dashed:
        on = np.ones(n, bool)
        at = rng.uniform(6, 30)
        while at < n - 6:
            gap = rng.uniform(2, MAX_GAP_PX) / STEP
            on[int(at) : int(at + gap)] = False
            at += gap + rng.uniform(5, 40)
        depth = depth * on
    w = width * (1 + _wander(rng, n, rng.uniform(4, 40)) * rng.uniform(0.0, 0.25))
    w = np.clip(w * (0.55 + 0.45 * ends**0.5), 0.6, 1.6 * width)
    return w.astype(np.float32), np.clip(depth, 0, 1.3).astype(np.float32)


def draw_width(rng: np.random.Generator, habit: Habit = ANY) -> float:
    """Width in pixels: hairline to gouge, mostly half to twice the usual one."""
    return float(np.clip(np.exp(rng.normal(np.log(habit.width), 0.45)), 1.2, habit.widest))


def draw_length(rng: np.random.Generator, shortest: float) -> float:
    """Length in pixels, by its logarithm: few of the shortest, most about twice a usual limit."""
    return float(np.exp(rng.triangular(np.log(shortest), np.log(100), np.log(1000))))


KINDS = ("straight", "arc", "wobbly", "hooked", "bent", "branched", "dashed", "scuffs")
SHARES = (0.16, 0.26, 0.18, 0.08, 0.1, 0.06, 0.08, 0.08)
ALONG_SHARES = (0.5, 0.0, 0.06, 0.0, 0.0, 0.12, 0.16, 0.16)
"""Of `KINDS` among the scratches that keep the heading of their surface."""
KEEP_HEADING = 0.6
UPRIGHT = 0.15
"""Of the straight ones: they run along the rows or the columns, as much that is no scratch does."""


def random_scratches(rng: np.random.Generator, h: int, w: int, habit: Habit) -> list[Scratch]:
    """One scratch, or a bundle of parallel scuffs, that crosses the (h, w) picture somewhere."""
    heading, shares, shortest = rng.uniform(0, 2 * np.pi), SHARES, 16.0
    if habit.along is not None and rng.random() < KEEP_HEADING:
        heading = habit.along + rng.choice([0, np.pi]) + rng.normal(0, 0.03)
        shares, shortest = ALONG_SHARES, 50.0
    kind = str(rng.choice(KINDS, p=shares))
    if kind == "straight" and shares is SHARES and rng.random() < UPRIGHT:
        heading = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.02)
    length = draw_length(rng, shortest)
    width = draw_width(rng, habit)
    through = np.array([rng.uniform(0.05, 0.95) * w, rng.uniform(0.05, 0.95) * h])
    if kind == "scuffs":
        return _scuffs(rng, min(length, 200), heading, through)
    shape = (
        str(rng.choice(["straight", "arc", "wobbly"])) if kind in ("branched", "dashed") else kind
    )
    path = _path(rng, shape, length, heading)
    path += (through - path[int(rng.integers(len(path)))]).astype(np.float32)
    strokes = [Stroke(path, *_profile(rng, len(path), width, kind == "dashed"))]
    if kind == "branched":
        at = int(rng.uniform(0.15, 0.85) * len(path))
        ahead = path[min(at + 3, len(path) - 1)] - path[max(at - 3, 0)]
        fork = np.arctan2(ahead[1], ahead[0]) + rng.choice([-1, 1]) * rng.uniform(0.2, 0.9)
        twig = _path(rng, "arc", length * rng.uniform(0.15, 0.5), fork) + path[at]
        strokes.append(Stroke(twig, *_profile(rng, len(twig), width * 0.7, False)))
    return [Scratch(tuple(strokes))]


def _scuffs(
    rng: np.random.Generator, length: float, heading: float, through: NDArray[np.float64]
) -> list[Scratch]:
    """2 to 5 nearly parallel strokes, at least 8 px apart so that each is a defect of its own."""
    normal = np.array([-np.sin(heading), np.cos(heading)])
    along = np.array([np.cos(heading), np.sin(heading)])
    out, at = [], 0.0
    for _ in range(int(rng.integers(2, 6))):
        part = max(10.0, length * rng.uniform(0.4, 1.1))
        path = _path(rng, "straight", part, heading + rng.normal(0, 0.05))
        shift = through + normal * at + along * (rng.normal(0, length * 0.15) - part / 2)
        width = float(np.clip(draw_width(rng) * 0.7, 1, 4))
        out.append(
            Scratch(
                (Stroke(path + shift.astype(np.float32), *_profile(rng, len(path), width, False)),)
            )
        )
        at += rng.uniform(8, 22)
    return out

"""Which pieces are one scratch: tips that continue each other over a gap, or run into each other.

A net often tells a long scratch as several instances. Two tips are joined if each points at the
other: the wider the gap, the straighter it must be bridged. Each tip is joined once, the best pair
first, so that two scratches which cross, even where both are broken at the crossing, stay two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.graph import Points

GAP = 16.0  # px that are bridged between pieces which are as long themselves
FAR = 48.0  # px that are bridged between pieces which are twice as long themselves
BEND, FAR_BEND = np.radians(35), np.radians(15)  # what a bridge of GAP or less, of FAR, may turn
TOUCHING = 4.0  # px; between tips so near the direction of the gap says nothing
BACK = 12  # points of a line from which the direction of its tip is taken
BLUNT = 8.0  # px; a shorter piece has no direction of its own
ON = 3.0  # px from a line within which a tip lies on it


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Indices of the pieces of one scratch, and the gaps (k, 2, 2) between joined tips, in px."""

    pieces: tuple[int, ...]
    bridges: Points


@dataclass(frozen=True, slots=True, eq=False)
class _Tips:
    """Both ends of every line: tip 2i begins line i, tip 2i + 1 ends it."""

    at: Points
    outward: Points
    """Unit vectors; zeros for a piece without a direction."""
    length: NDArray[np.float64]


def chains(lines: Sequence[Points]) -> list[Chain]:
    """Group centre lines (n, 2), n ≥ 1, x and y in frame pixels; each line is in one chain."""
    group = list(range(len(lines)))
    bridges: list[tuple[int, Points]] = []
    taken: set[int] = set()
    tips = _tips(lines)
    for a, b in _candidates(lines, tips):
        i, j = a // 2, b // 2
        if a in taken or b in taken or group[i] == group[j]:
            continue
        taken |= {a, b}
        bridges.append((i, tips.at[[a, b]]))
        group = [group[i] if g == group[j] else g for g in group]
    return [
        Chain(
            tuple(k for k, g in enumerate(group) if g == name),
            np.array([bridge for i, bridge in bridges if group[i] == name]).reshape(-1, 2, 2),
        )
        for name in dict.fromkeys(group)
    ]


def _tips(lines: Sequence[Points]) -> _Tips:
    ends, outward, length = [], [], []
    for line in lines:
        long = float(np.hypot(*np.diff(line, axis=0).T).sum())
        for points in (line, line[::-1]):
            away = points[0] - points[min(BACK, len(points) - 1)]
            norm = np.hypot(*away) if long >= BLUNT else 0.0
            ends.append(points[0])
            outward.append(away / norm if norm else np.zeros(2))
            length.append(long)
    return _Tips(np.array(ends).reshape(-1, 2), np.array(outward).reshape(-1, 2), np.array(length))


def _candidates(lines: Sequence[Points], tips: _Tips) -> list[tuple[int, int]]:
    """Pairs of tips that may be joined, the most certain first."""
    gap = tips.at[None] - tips.at[:, None]
    distance = np.hypot(gap[..., 0], gap[..., 1])
    turn = _angle(tips.outward[:, None], gap)
    turn = np.where(distance <= TOUCHING, 0.0, np.maximum(turn, turn.T))
    bend = np.maximum(turn, _angle(tips.outward[:, None], -tips.outward[None]))
    shorter = np.minimum(tips.length[:, None], tips.length[None])
    reach = np.maximum(np.clip(shorter, TOUCHING, GAP), np.clip(shorter / 2, 0, FAR))
    allowed = np.interp(distance, [GAP, FAR], [BEND, FAR_BEND])
    other = np.arange(len(tips.at)) // 2
    later = other[:, None] < other[None]
    ahead = later & (distance <= reach) & (bend <= allowed)
    cost = distance * (1 + bend / allowed)
    found = [(cost[a, b], int(a), int(b)) for a, b in np.argwhere(ahead)]
    facing = _angle(tips.outward[:, None], -tips.outward[None]) <= BEND
    near = _near(tips.at, lines)
    past = later & facing & (turn > np.pi / 2) & near[:, other] & near[:, other].T
    for a, b in np.argwhere(past):
        on = _distance(tips.at[a], lines[b // 2]), _distance(tips.at[b], lines[a // 2])
        if max(on) <= ON:
            found.append((0.0, int(a), int(b)))
    return [(a, b) for _, a, b in sorted(found)]


def _angle(a: Points, b: Points) -> NDArray[np.float64]:
    """Between vectors (…, 2), in radians; 0 where either has no direction."""
    dot, cross = (a * b).sum(axis=-1), a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return np.asarray(np.abs(np.arctan2(cross, dot)))


def _near(points: Points, lines: Sequence[Points]) -> NDArray[np.bool_]:
    """For n points and m lines whether the point is within `ON` of the line's box (n, m)."""
    low = np.array([line.min(axis=0) for line in lines]).reshape(-1, 2) - ON
    high = np.array([line.max(axis=0) for line in lines]).reshape(-1, 2) + ON
    return np.asarray(((points[:, None] >= low) & (points[:, None] <= high)).all(axis=2))


def _distance(point: Points, line: Points) -> float:
    return float(np.hypot(*(line - point).T).min())

"""The centre line of a mask: thinning, and the longest path through what it leaves."""

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from inspector.types import Mask

Points = NDArray[np.float64]
"""(n, 2): x, y in pixels."""


def _removable(first: bool) -> NDArray[np.bool_]:
    """For each pattern of the eight neighbours whether their pixel is peeled off."""
    removable = np.zeros(256, np.bool_)
    for code in range(256):
        p2, p3, p4, p5, p6, p7, p8, p9 = (bool(code >> k & 1) for k in range(8))
        crossings = (
            (not p2 and (p3 or p4))
            + (not p4 and (p5 or p6))
            + (not p6 and (p7 or p8))
            + (not p8 and (p9 or p2))
        )
        pairs = min(
            (p9 or p2) + (p3 or p4) + (p5 or p6) + (p7 or p8),
            (p2 or p3) + (p4 or p5) + (p6 or p7) + (p8 or p9),
        )
        held = (p6 or p7 or not p9) and p8 if first else (p2 or p3 or not p5) and p4
        removable[code] = crossings == 1 and 2 <= pairs <= 3 and not held
    return removable


_STEPS = (_removable(True), _removable(False))
_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Rows and columns away, clockwise from north, as Guo and Hall number them p2 … p9."""


def thin(mask: Mask) -> Mask:
    """One-pixel skeleton of a mask (H, W), by Guo and Hall (CACM 32(3), 1989).

    (Zhang and Suen's older rule eats diagonal lines that are two pixels wide.) Only pixels of the
    mask are looked at: a scratch fills little of its box.
    """
    image = np.pad(mask, 1).astype(np.uint8)
    flat, stride = image.reshape(-1), image.shape[1]
    around = np.array([row * stride + column for row, column in _NEIGHBOURS])
    bits = (1 << np.arange(8)).astype(np.int32)
    left = np.flatnonzero(flat)
    peeled = True
    while peeled:
        peeled = False
        for removable in _STEPS:
            away = removable[flat[left[:, None] + around] @ bits]
            flat[left[away]] = 0
            left = left[~away]
            peeled |= bool(away.any())
    return np.asarray(image[1:-1, 1:-1] > 0)


def longest_path(skeleton: Mask) -> Points:
    """The longest of the shortest ways between two pixels of a skeleton (H, W), end to end.

    Two sweeps of Dijkstra, from any pixel to its farthest and from there on: exact on a tree. A
    loop is taken along its shorter side. Only the part with the longest path counts.
    """
    rows, columns = np.nonzero(skeleton)
    if len(rows) == 0:
        return np.zeros((0, 2))
    neighbours = _neighbours(rows, columns, skeleton.shape)
    best: tuple[float, list[int]] = (-1.0, [])
    unvisited = set(range(len(rows)))
    while unvisited:
        reached, path = _farthest(neighbours, min(unvisited))
        unvisited -= reached.keys()
        reached, path = _farthest(neighbours, path[0])
        best = max(best, (reached[path[0]], path))
    return np.stack([columns[best[1]], rows[best[1]]], axis=1).astype(np.float64)


def _neighbours(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> list[list[tuple[int, float]]]:
    index = np.full((shape[0] + 2, shape[1] + 2), -1, np.intp)
    index[rows + 1, columns + 1] = np.arange(len(rows))
    lists: list[list[tuple[int, float]]] = [[] for _ in rows]
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = index[rows + 1 + dy, columns + 1 + dx]
        here = np.nonzero(other >= 0)[0]
        step = math.hypot(dx, dy)
        for a, b in zip(here.tolist(), other[here].tolist(), strict=True):
            lists[a].append((b, step))
            lists[b].append((a, step))
    return lists


def _farthest(
    neighbours: list[list[tuple[int, float]]], start: int
) -> tuple[dict[int, float], list[int]]:
    """Distances of all that can be reached from `start`, and the path back from the farthest."""
    distance, previous, heap = {start: 0.0}, {}, [(0.0, start)]
    while heap:
        so_far, node = heapq.heappop(heap)
        if so_far > distance[node]:
            continue
        for other, step in neighbours[node]:
            if so_far + step < distance.get(other, math.inf):
                distance[other] = so_far + step
                previous[other] = node
                heapq.heappush(heap, (so_far + step, other))
    node = max(distance, key=lambda n: (distance[n], n))
    path = [node]
    while node in previous:
        node = previous[node]
        path.append(node)
    return distance, path

"""The centre line of a mask: thinning, and the longest path through what it leaves."""

import heapq
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.types import Mask

Points = NDArray[np.float64]
"""(n, 2): x, y in pixels."""

# Bits of the eight neighbours, clockwise from north, as Zhang and Suen number them P2 … P9.
_BITS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _removable(first: bool) -> NDArray[np.uint8]:
    """For each pattern of neighbours: 255 keeps the pixel, 0 peels it off."""
    keep = np.full(256, 255, np.uint8)
    for code in range(256):
        p = [code >> k & 1 for k in range(8)]
        rises = sum(p[k] == 0 and p[(k + 1) % 8] == 1 for k in range(8))
        north, east, south, west = p[0], p[2], p[4], p[6]
        gates = (
            (north & east & south, east & south & west)
            if first
            else (north & east & west, north & south & west)
        )
        if 2 <= sum(p) <= 6 and rises == 1 and not any(gates):
            keep[code] = 0
    return keep


_STEPS = (_removable(True), _removable(False))


def thin(mask: Mask) -> Mask:
    """One-pixel skeleton of a mask (H, W), by Zhang and Suen (CACM 27(3), 1984)."""
    image: NDArray[Any] = np.pad(mask.astype(np.uint8) * 255, 1)
    while True:
        before = cv2.countNonZero(image)
        for keep in _STEPS:
            # 1/255 turns set pixels into ones, so that the sum of bits is the pattern's number.
            codes = cv2.filter2D(image, cv2.CV_8U, _BITS / 255, borderType=cv2.BORDER_CONSTANT)
            image = cv2.bitwise_and(image, cv2.LUT(codes, keep))
        if cv2.countNonZero(image) == before:
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

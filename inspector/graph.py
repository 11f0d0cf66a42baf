"""A skeleton as a graph: its forks and tips, and the chains of pixels that run between them.

A scratch of 400 px has a handful of forks and tips, so that what is asked of the graph costs little
beside one walk over its pixels.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2): x, y in pixels."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Pixels from one key to the next, both included, and how far each lies from the first."""

    pixels: list[int]
    far: list[float]

    @property
    def length(self) -> float:
        """In px."""
        return self.far[-1]


@dataclass(frozen=True, slots=True)
class Graph:
    """Chains between keys: the pixels that do not have two neighbours, or that were made one."""

    points: Points
    chains: tuple[Chain, ...]

    @classmethod
    def of(cls, points: Points, near: NDArray[np.intp]) -> "Graph":
        """From n pixels and their neighbours (n, 8), -1 where there is none."""
        return cls(points, tuple(chain_of(points, walk) for walk in _walks(near)))

    def longest_paths(self) -> list[Points]:
        """Of each part that is connected the longest of the shortest ways within it.

        Two sweeps of Dijkstra, from any pixel to its farthest and from there on.
        """
        if len(self.chains) == 1 and self.chains[0].pixels[0] != self.chains[0].pixels[-1]:
            return [self.points[self.chains[0].pixels]]
        graph, paths = self, []
        for start in self.starts():
            graph, tip, _ = graph.farthest(start)
            graph, end, _ = graph.farthest(tip)
            paths.append(self.points[graph.way(tip, end)])
        return paths

    def starts(self) -> Iterator[int]:
        """A key of each part that is connected."""
        unseen = {chain.pixels[0] for chain in self.chains}
        while unseen:
            start = min(unseen)
            yield start
            unseen -= self._sweep(start).keys()

    def farthest(self, start: int) -> tuple["Graph", int, float]:
        """The pixel farthest from the key `start`, along the skeleton, and its distance in px.

        It is a key of the graph that comes back: where it lies within a chain (the far side of a
        loop), this one is cut there.
        """
        reached = self._sweep(start)
        end, far = max(((k, r[0]) for k, r in reached.items()), key=lambda item: (item[1], item[0]))
        cut: tuple[int, int] | None = None
        for number, chain in enumerate(self.chains):
            a, b = chain.pixels[0], chain.pixels[-1]
            if a not in reached:
                continue
            # Between both ends the ways meet where they are equally long.
            meet = (reached[a][0] + reached[b][0] + chain.length) / 2
            if meet <= far or len(chain.pixels) < 3:
                continue
            at = _farthest_within(chain, reached[a][0], reached[b][0])
            reach = min(reached[a][0] + chain.far[at], reached[b][0] + chain.length - chain.far[at])
            if reach > far:
                cut, end, far = (number, at), chain.pixels[at], reach
        return (self if cut is None else self._cut(*cut)), end, far

    def way(self, start: int, end: int) -> list[int]:
        """The pixels of the shortest way between two keys of one part, both included."""
        reached = self._sweep(start)
        way = [end]
        while way[-1] != start:
            pixels = self.chains[reached[way[-1]][1]].pixels
            way += pixels[-2::-1] if pixels[-1] == way[-1] else pixels[1:]
        return way

    def _cut(self, number: int, at: int) -> "Graph":
        pixels = self.chains[number].pixels
        halves = (chain_of(self.points, pixels[: at + 1]), chain_of(self.points, pixels[at:]))
        return Graph(self.points, (*self.chains[:number], *halves, *self.chains[number + 1 :]))

    def _sweep(self, start: int) -> dict[int, tuple[float, int]]:
        """Dijkstra: for each key within reach its distance and the chain that leads there."""
        ends: dict[int, list[tuple[int, int]]] = {}
        for number, chain in enumerate(self.chains):
            a, b = chain.pixels[0], chain.pixels[-1]
            ends.setdefault(a, []).append((b, number))
            ends.setdefault(b, []).append((a, number))
        reached, heap = {start: (0.0, -1)}, [(0.0, start)]
        while heap:
            so_far, key = heapq.heappop(heap)
            if so_far > reached[key][0]:
                continue
            for other, number in ends[key]:
                far = so_far + self.chains[number].length
                if far < reached.get(other, (math.inf, -1))[0]:
                    reached[other] = far, number
                    heapq.heappush(heap, (far, other))
        return reached


def _farthest_within(chain: Chain, first: float, last: float) -> int:
    """Which pixel of a chain is farthest, if its ends are so far away."""
    far = np.asarray(chain.far)
    return int(np.minimum(first + far, last + chain.length - far).argmax())


def chain_of(points: Points, pixels: list[int]) -> Chain:
    """The chain through these pixels, given by their indices."""
    steps = np.hypot(*np.diff(points[pixels], axis=0).T)
    return Chain(pixels, [0.0, *np.cumsum(steps).tolist()])


def _walks(near: NDArray[np.intp]) -> Iterator[list[int]]:
    """The pixels of each chain, once. A ring without a key gets one."""
    degree = (near >= 0).sum(axis=1)
    is_key = (degree != 2).tolist()
    one, other = np.sort(near, axis=1)[:, -2:].T.tolist()
    walked = [False] * len(near)

    def walk(key: int, pixel: int) -> list[int]:
        pixels, before = [key], key
        while not is_key[pixel]:
            walked[pixel] = True
            pixels.append(pixel)
            before, pixel = pixel, other[pixel] if one[pixel] == before else one[pixel]
        return [*pixels, pixel]

    for key in np.flatnonzero(degree != 2).tolist():
        if degree[key] == 0:
            yield [key]
        for pixel in near[key][near[key] >= 0].tolist():
            # A chain is walked from the end that comes first, and from there only.
            if key < pixel if is_key[pixel] else not walked[pixel]:
                yield walk(key, pixel)
    for key in np.flatnonzero(degree == 2).tolist():
        if not walked[key]:
            is_key[key] = walked[key] = True
            yield walk(key, one[key])

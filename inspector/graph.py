"""A skeleton as a graph: its forks and tips, and the chains of pixels that run between them.

A scratch of 400 px has a handful of forks and tips, so that what is asked of the graph costs little
beside one walk over its pixels.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.trail import Edge, Taken, longest

Points = NDArray[np.float64]
"""(n, 2): x, y in pixels."""

Pixels = NDArray[np.int32]
"""The same, of whole pixels."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Pixels from one key to the next, both included, and how far each lies from the first."""

    pixels: list[int]
    far: list[float]

    @property
    def length(self) -> float:
        """In px."""
        return self.far[-1]

    @property
    def ends(self) -> tuple[int, int]:
        """The keys that it runs between, which of a loop are the same."""
        return self.pixels[0], self.pixels[-1]


@dataclass(frozen=True, slots=True)
class Graph:
    """Chains between keys: the pixels that do not have two neighbours, or that were made one."""

    points: Points
    chains: tuple[Chain, ...]

    @classmethod
    def of(cls, points: Points, near: NDArray[np.intp]) -> "Graph":
        """From n pixels and their neighbours (n, 8), -1 where there is none."""
        return cls(points, tuple(chain_of(points, walk) for walk in _walks(near)))

    @property
    def has_loops(self) -> bool:
        """Whether more than one way leads from some pixel to another; of a graph in one part."""
        return len(self.chains) >= len({end for chain in self.chains for end in chain.ends})

    def longest_paths(self) -> list[Points]:
        """Of each part that is connected the longest way through it that passes no pixel twice.

        Two sweeps of Dijkstra find that of a tree. A loop has no tips: it is cut at the pixel that
        leaves the longest way (`trail.py`), and counts once round.
        """
        return [self.points[_longest(part)] for part in self._parts()]

    def _parts(self) -> Iterator[list[Chain]]:
        """The chains of each part that is connected."""
        ends = _ends(self.chains)
        unseen = dict.fromkeys(ends)
        while unseen:
            keys = _sweep(self.chains, ends, next(iter(unseen)))
            for key in keys:
                del unseen[key]
            yield [self.chains[k] for k in sorted({k for key in keys for k, _ in ends[key]})]


def chain_of(points: Points, pixels: list[int]) -> Chain:
    """The chain through these pixels, given by their indices."""
    steps = np.hypot(*np.diff(points[pixels], axis=0).T)
    return Chain(pixels, [0.0, *np.cumsum(steps).tolist()])


def _longest(chains: Sequence[Chain]) -> list[int]:
    """The pixels of the longest way through connected chains."""
    if len(chains) == 1:
        pixels = chains[0].pixels
        return pixels[:-1] if len(pixels) > 1 and pixels[0] == pixels[-1] else pixels
    ends = _ends(chains)
    reached = _sweep(chains, ends, chains[0].pixels[0])
    tip = max(reached, key=lambda key: (reached[key][0], key))
    reached = _sweep(chains, ends, tip)
    end = max(reached, key=lambda key: (reached[key][0], key))
    if len(chains) >= len(ends):  # no tree
        trail = longest([_edge(chain, ends) for chain in chains], reached[end][0])
        if trail:
            return _linked(chains, trail)
    return _way(chains, reached, end)


def _edge(chain: Chain, ends: "Ends") -> Edge:
    # No way ends within a chain that leads to a tip, nor between two pixels.
    if len(chain.pixels) == 2 or min(len(ends[key]) for key in chain.ends) == 1:
        return Edge(chain.ends, chain.length, (0.0, 0.0))
    return Edge(chain.ends, chain.length, (chain.far[-2], chain.length - chain.far[1]))


def _linked(chains: Sequence[Chain], way: Sequence[Taken]) -> list[int]:
    """The pixels of a way, from tip to tip."""
    pieces = [chains[taken.number].pixels[_STRETCH[taken.only]] for taken in way]
    at: dict[int, list[list[int]]] = {}
    for piece in pieces:
        for end in (piece[0], piece[-1]):
            at.setdefault(end, []).append(piece)
    pixels = [min(end for end, meeting in at.items() if len(meeting) == 1)]
    while meeting := at[pixels[-1]]:
        piece = meeting.pop()
        forward = piece if piece[0] == pixels[-1] else piece[::-1]
        at[forward[-1]].remove(piece)
        pixels += forward[1:]
    return pixels


_STRETCH = {None: slice(None), 0: slice(-1), 1: slice(1, None)}
"""The pixels of a chain on a way that leads to both of its ends, or to only one."""

Ends = dict[int, list[tuple[int, int]]]
"""For each key the chains that end there, by number, and their other end."""


def _ends(chains: Sequence[Chain]) -> Ends:
    ends: Ends = {}
    for number, chain in enumerate(chains):
        a, b = chain.ends
        ends.setdefault(a, []).append((number, b))
        ends.setdefault(b, []).append((number, a))
    return ends


def _sweep(chains: Sequence[Chain], ends: Ends, start: int) -> dict[int, tuple[float, int]]:
    """Dijkstra: for each key within reach its distance and the chain that leads there, the nearest
    key first.
    """
    reached, heap = {}, [(0.0, start, -1)]
    while heap:
        so_far, key, way = heapq.heappop(heap)
        if key in reached:
            continue
        reached[key] = so_far, way
        for number, other in ends[key]:
            if other not in reached:
                heapq.heappush(heap, (so_far + chains[number].length, other, number))
    return reached


def _way(chains: Sequence[Chain], reached: dict[int, tuple[float, int]], end: int) -> list[int]:
    """The pixels of the shortest way from the end back to where the sweep began."""
    way = [end]
    while (number := reached[way[-1]][1]) >= 0:
        pixels = chains[number].pixels
        way += pixels[-2::-1] if pixels[-1] == way[-1] else pixels[1:]
    return way


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

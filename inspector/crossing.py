"""Where two scratches cross, one spot shows both: which arms of a skeleton go on across a crossing.

Four arms meet there, and in pairs each goes straight on into another. Three arms, or four that do
not pair, are a branch: one scratch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.graph import Chain, Graph, Points, chain_of
from inspector.skeleton import graph_of, length
from inspector.types import Mask

ARM = 12.0  # px; a shorter arm is a spur of thinning, or a twig too short to have a direction
BEND = np.radians(30)  # what a scratch may turn where another crosses it
APART = np.radians(20)  # between the two scratches; flatter ones run into each other
SPLAY = 5  # pixels of an arm that bend into the crossing; across it a scratch goes straight
REACH = 5.0  # widths within which forks are one crossing: thinning draws a flat X as two Y

End = tuple[int, int]
"""A chain's number, and 0 for its first or -1 for its last pixel."""


@dataclass(frozen=True, slots=True)
class _Arm:
    end: End
    outward: NDArray[np.float64]


def strokes(skeleton: Mask, width: float) -> list[Points]:
    """The longest path of each scratch in a skeleton (H, W) in one piece of lines `width` px wide.

    One path where none cross: that of `skeleton.longest_path`.
    """
    graph, reach = graph_of(skeleton), max(4.0, REACH * width)
    pairs = _pairs(graph, reach)
    if pairs:
        paths = [p for p in _apart(graph, pairs).longest_paths() if length(p) >= ARM]
        if len(paths) > 1:
            return paths
    return [max(graph.longest_paths(), key=length)]


def _pairs(graph: Graph, reach: float) -> dict[End, End | None]:
    """For each end of a chain at a crossing the end that it goes on into; None: it ends there."""
    ends: dict[int, list[End]] = {}
    for number, chain in enumerate(graph.chains):
        for side in (0, -1):
            ends.setdefault(chain.pixels[side], []).append((number, side))
    forks = {key for key, meeting in ends.items() if len(meeting) > 2}
    pairs: dict[End, End | None] = {}
    while forks:
        cluster = _cluster(graph, ends, forks, reach)
        forks -= cluster
        meeting = [end for key in cluster for end in ends[key]]
        inner = {n for n, _ in meeting if {graph.chains[n].pixels[s] for s in (0, -1)} <= cluster}
        arms = [_arm(graph, end) for end in meeting if end[0] not in inner]
        arms = [arm for arm in arms if graph.chains[arm.end[0]].length >= ARM]
        crossing = _straight_on(arms)
        if crossing:
            pairs |= dict.fromkeys(meeting)
            for a, b in crossing:
                pairs |= {a: b, b: a}
    return pairs


def _cluster(graph: Graph, ends: dict[int, list[End]], forks: set[int], reach: float) -> set[int]:
    """A fork and those that chains of at most `reach` px lead to."""
    cluster, fresh = set(), {min(forks)}
    while fresh:
        key = fresh.pop()
        cluster.add(key)
        for number, side in ends[key]:
            chain = graph.chains[number]
            other = chain.pixels[-1 - side]
            if chain.length <= reach and other in forks and other not in cluster:
                fresh.add(other)
    return cluster


def _arm(graph: Graph, end: End) -> _Arm:
    number, side = end
    pixels = graph.chains[number].pixels
    along = graph.points[pixels if side == 0 else pixels[::-1]]
    start, stop = min(SPLAY, len(along) - 2), min(round(ARM) + SPLAY, len(along) - 1)
    away = along[stop] - along[start]
    return _Arm(end, away / max(1e-9, float(np.hypot(*away))))


def _straight_on(arms: list[_Arm]) -> list[tuple[End, End]]:
    """The two pairs of four arms that go straight on, or none."""
    if len(arms) != 4:
        return []
    first, *others = arms
    for k, other in enumerate(others):
        c, d = others[:k] + others[k + 1 :]
        bends = (_bend(first, other), _bend(c, d))
        if max(bends) <= BEND and _angle(first.outward, c.outward) >= APART:
            if {first.end[0], other.end[0]} & {c.end[0], d.end[0]} or first.end[0] == other.end[0]:
                return []  # a loop, which is one scratch
            return [(first.end, other.end), (c.end, d.end)]
    return []


def _bend(a: _Arm, b: _Arm) -> float:
    return float(np.pi - np.arccos(np.clip(a.outward @ b.outward, -1, 1)))


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Between two lines, whichever way they point."""
    return float(np.arccos(np.clip(abs(a @ b), 0, 1)))


def _apart(graph: Graph, pairs: dict[End, End | None]) -> Graph:
    """The chains, with those that go on into each other as one."""
    left = set(range(len(graph.chains)))
    out: list[Chain] = []
    for number in range(len(graph.chains)):
        # What lies between the arms of a crossing goes: it is shorter than the crossing is wide.
        if number not in left or {pairs.get((number, side), number) for side in (0, -1)} == {None}:
            continue
        first = _back(pairs, number)
        walk: list[int] = []
        end: End | None = first
        while end is not None and end[0] in left:
            left.discard(end[0])
            pixels, far = graph.chains[end[0]].pixels, (end[0], -1 - end[1])
            steps = pixels if end[1] == 0 else pixels[::-1]
            come, go = (SPLAY if pairs.get(e) else 0 for e in (end, far))
            walk += steps[come : len(steps) - go]
            end = pairs.get(far)
        out.append(chain_of(graph.points, walk))
    return Graph(graph.points, tuple(out))


def _back(pairs: dict[End, End | None], number: int) -> End:
    """The end at which the walk through a chain and all that it goes on into begins."""
    end: End = (number, 0)
    seen = set()
    while (before := pairs.get(end)) is not None and before not in seen:
        seen.add(before)
        end = (before[0], -1 - before[1])
    return end

"""Where two scratches cross, one spot shows both: which arms of a skeleton go on across a crossing.

Four arms meet there, and in pairs each goes straight on into another. Three arms, or four that do
not pair, are a branch: one scratch. So is a line that crosses itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Chain, Graph, Pixels, Points, chain_of
from inspector.skeleton import around, graph_of, length, pixels_of
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


def strokes(skeleton: Mask, width: float, thickness: float = 0.0) -> list[Points]:
    """The longest path of each scratch in a skeleton (H, W) in one piece of lines `width` px wide.

    One path where none cross: that of `skeleton.longest_path`. What is not longer than the spot is
    thick is no arm of a crossing: a square spot has four of them.
    """
    graph, reach = graph_of(skeleton), max(4.0, REACH * width)
    pairs = _pairs(graph, reach, max(ARM, thickness))
    paths = [p for p in _apart(graph, pairs).longest_paths() if length(p) >= ARM] if pairs else []
    return paths if len(paths) > 1 else [max([*paths, *graph.longest_paths()], key=length)]


def shares(whole: Mask, paths: Sequence[Points], width: float) -> list[Pixels]:
    """For each of several paths in a mask (H, W) the pixels (n, 2), x and y, of its scratch: those
    to which it is the nearest along the mask, and what all of them have at a crossing. They are
    connected; together they are the mask, and where a path jumps over a hole the pixels between.
    """
    owner = _owner(whole, paths)
    at = pixels_of(whole)
    of = owner[at[:, 1], at[:, 0]]
    order = np.argsort(of, kind="stable")
    own = np.split(at[order], np.searchsorted(of[order], np.arange(1, len(paths))))
    for number, path in enumerate(paths):
        jumps = np.flatnonzero(np.abs(np.diff(path, axis=0)).max(axis=1) > 1).tolist()
        if jumps:
            ends = path.astype(np.int32)
            across = [_across(whole, ends[k], ends[k + 1], width) for k in jumps]
            extra = np.unique(np.concatenate(across), axis=0)
            beside = owner[extra[:, 1], extra[:, 0]] != number
            own[number] = np.concatenate([own[number], extra[beside]])
    return own


def _owner(whole: Mask, paths: Sequence[Points]) -> NDArray[np.int16]:
    """(H, W): for each pixel of a mask the path that is nearest, along the mask in steps."""
    owner = np.pad(whole.astype(np.int16), 1) - 2  # -2: beside the mask, -1: not known yet
    flat, stride = owner.reshape(-1), owner.shape[1]
    for number, path in enumerate(paths):
        x, y = path.astype(np.intp).T
        owner[y + 1, x + 1] = number
    fresh, beside = np.flatnonzero(flat >= 0), around(stride)
    while fresh.size:
        near = fresh[:, None] + beside
        free = flat[near] == -1
        number = np.broadcast_to(flat[fresh][:, None], near.shape)[free]
        fresh, first = np.unique(near[free], return_index=True)
        flat[fresh] = number[first]
    return owner[1:-1, 1:-1]


def _across(whole: Mask, a: NDArray[np.int32], b: NDArray[np.int32], width: float) -> Pixels:
    """The pixels of a mask on a line `width` px wide, and those in its middle anyway."""
    corner = np.maximum(np.minimum(a, b) - ceil(width), 0)
    end = np.maximum(a, b) + ceil(width) + 1
    window = whole[corner[1] : end[1], corner[0] : end[0]]
    middle, band = np.zeros(window.shape, np.uint8), np.zeros(window.shape, np.uint8)
    ends = (a - corner).tolist(), (b - corner).tolist()
    cv2.line(middle, *ends, 1)
    cv2.line(band, *ends, 1, max(1, round(width)))
    _, labels = cv2.connectedComponents((band & window) | middle, connectivity=8)
    x, y = ends[0]
    return np.asarray(pixels_of(labels == labels[y, x]) + corner)


def _pairs(graph: Graph, reach: float, least: float) -> dict[End, End | None]:
    """For each end of a chain at a crossing the end that it goes on into; None: it ends there.

    `reach`: px within which forks are one crossing, `least`: px from which a chain is an arm.
    """
    ends: dict[int, list[End]] = {}
    for number, chain in enumerate(graph.chains):
        for side in (0, -1):
            ends.setdefault(chain.pixels[side], []).append((number, side))
    forks = {key: None for key, meeting in sorted(ends.items()) if len(meeting) > 2}
    pairs: dict[End, End | None] = {}
    while forks:
        cluster = _cluster(graph, ends, forks, reach)
        for key in cluster:
            del forks[key]
        meeting = [end for key in cluster for end in ends[key]]
        arms = [_arm(graph, end) for end in meeting if not _within(graph, end, cluster, reach)]
        arms = [arm for arm in arms if graph.chains[arm.end[0]].length >= least]
        crossing = _straight_on(arms)
        if crossing:
            pairs |= dict.fromkeys(meeting)
            for a, b in crossing:
                pairs |= {a: b, b: a}
    return pairs


def _cluster(
    graph: Graph, ends: dict[int, list[End]], forks: dict[int, None], reach: float
) -> set[int]:
    """The first fork and those that chains of at most `reach` px lead to."""
    cluster, fresh = set(), {next(iter(forks))}
    while fresh:
        key = fresh.pop()
        cluster.add(key)
        for number, side in ends[key]:
            chain = graph.chains[number]
            other = chain.pixels[-1 - side]
            if chain.length <= reach and other in forks and other not in cluster:
                fresh.add(other)
    return cluster


def _within(graph: Graph, end: End, cluster: set[int], reach: float) -> bool:
    """Whether a chain is part of the crossing. A longer one that leads back to it is a loop."""
    chain = graph.chains[end[0]]
    return chain.length <= reach and set(chain.ends) <= cluster


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
        end: End | None = _back(pairs, number)
        runs: list[list[int]] = []
        while end is not None and end[0] in left:
            left.discard(end[0])
            pixels, far = graph.chains[end[0]].pixels, (end[0], -1 - end[1])
            steps = pixels if end[1] == 0 else pixels[::-1]
            come, go = (SPLAY if pairs.get(e) else 0 for e in (end, far))
            runs.append(steps[come : len(steps) - go])
            end = pairs.get(far)
        if end is not None:  # a ring that is crossed: cut where it is not
            middle = len(runs[0]) // 2
            runs = [runs[0][middle:], *runs[1:], runs[0][:middle]]
        out.append(chain_of(graph.points, [pixel for run in runs for pixel in run]))
    return Graph(graph.points, tuple(out))


def _back(pairs: dict[End, End | None], number: int) -> End:
    """The end at which the walk through a chain and all that it goes on into begins."""
    end: End = (number, 0)
    seen = set()
    while (before := pairs.get(end)) is not None and before not in seen:
        seen.add(before)
        end = (before[0], -1 - before[1])
    return end

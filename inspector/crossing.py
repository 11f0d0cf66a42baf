"""Where scratches meet, one spot shows them all: which arms of a skeleton go on into each other.

Arms that meet go on in pairs, the straightest first; none turns sharply there. Of two scratches
that cross there are two pairs. What is left over ends where it runs into the others: it is a
scratch of its own, or a branch, if it is short beside them. Where no two arms go on into each other
they are one scratch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import atan2, hypot, radians

import numpy as np

from inspector.errors import InferenceError
from inspector.graph import Chain, Graph, Points, chain_of
from inspector.skeleton import graph_of, length
from inspector.types import Mask

ARM = 12.0  # px; a shorter arm is a spur of thinning, or a twig too short to have a direction
BEND = radians(45)  # what a scratch may turn where others meet it
LONG = radians(70)  # by the share that a way is shorter than the longest it must be straighter
TWIG = 0.5  # of the longest scratch in a spot; what runs into others and is shorter is a branch
SPLAY = 5  # pixels of an arm that bend into the crossing; across it a scratch goes straight
REACH = 10.0  # widths within which forks are one meeting: thinning draws a flat X as two Y
STEPS = 12  # meetings beyond which nobody asks how far a way leads
MOST_ARMS = 16  # that meet; more lead out of a blot or a mesh, and none of them goes on
MOST_CHAINS = 4000  # of a spot; following them takes about a second
MOST = 64  # scratches in a spot; more are a mesh, which is one scratch, as long as its longest way

End = tuple[int, int]
"""A chain's number, and 0 for its first or -1 for its last pixel."""

Pair = tuple[float, float]
"""x and y."""


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """The path (n, 2) of a scratch from pixel to pixel, and the numbers of the points between which
    it leads straight `over` a crossing.
    """

    path: Points
    over: tuple[tuple[int, int], ...] = ()

    @property
    def on_skeleton(self) -> Points:
        """The points of its path but for those over crossings."""
        cuts = [0, *(k for a, b in self.over for k in (a + 1, b)), len(self.path)]
        return np.concatenate([
            self.path[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True)
        ])  # fmt: skip

    @classmethod
    def along(cls, path: Points) -> "Stroke":
        """The path, filled up where it jumps."""
        jumps = np.flatnonzero(np.abs(np.diff(path, axis=0)).max(axis=1, initial=0) > 1).tolist()
        pieces, over, start, count = [], [], 0, 0
        for k in jumps:
            steps = int(np.abs(path[k + 1] - path[k]).max())
            between = np.rint(np.linspace(path[k], path[k + 1], steps + 1)[1:-1])
            pieces += [path[start : k + 1], between]
            count += k + 1 - start + len(between)
            over.append((count - len(between) - 1, count))
            start = k + 1
        return cls(np.concatenate([*pieces, path[start:]]), tuple(over))


@dataclass(frozen=True, slots=True)
class _Arm:
    """A chain from a meeting on: where it is clear of it, and the unit vector in which it goes on
    from there.
    """

    at: Pair
    outward: Pair


@dataclass(frozen=True, slots=True)
class _Meetings:
    """What each end of a chain at a meeting goes `on` into, None: it ends there. The chains that
    lie `inside` of one, between its forks.
    """

    on: dict[End, End | None]
    inside: set[int]


def strokes(skeleton: Mask, width: float, thickness: float = 0.0) -> list[Stroke]:
    """The longest path of each scratch in a skeleton (H, W) in one piece of lines `width` px wide.

    One path where none meet: that of `skeleton.longest_path`. What is not longer than the spot is
    thick is no arm of a meeting: a square spot has four of them.

    Raises:
        InferenceError: it is a mesh of more chains than can be followed in time.
    """
    graph = graph_of(skeleton)
    if len(graph.chains) > MOST_CHAINS:
        raise InferenceError(
            f"expected at most {MOST_CHAINS} lines between meetings, found {len(graph.chains)}"
        )
    meetings = _meetings(graph, REACH * width, max(ARM, thickness))
    if not meetings.on:
        return [Stroke(max(graph.longest_paths(), key=length))]
    found = [Stroke.along(path) for path in _apart(graph, meetings).longest_paths()]
    longest = max(length(stroke.path) for stroke in found)
    branch = max(ARM, TWIG * longest)

    def is_one(stroke: Stroke) -> bool:
        return length(stroke.path) >= min(longest, ARM if stroke.over else branch)

    told = [stroke for stroke in found if is_one(stroke)]
    return told if len(told) <= MOST else [Stroke(max(graph.longest_paths(), key=length))]


def _meetings(graph: Graph, reach: float, least: float) -> _Meetings:
    """`reach`: px within which forks are one meeting, `least`: px from which a chain that leads to
    a tip is an arm.
    """
    ends: dict[int, list[End]] = {}
    for number, chain in enumerate(graph.chains):
        for side in (0, -1):
            ends.setdefault(chain.pixels[side], []).append((number, side))
    forks = [key for key, meeting in sorted(ends.items()) if len(meeting) > 2]
    meet: list[list[End]] = []
    within: list[set[int]] = []
    for cluster in _clusters(graph, forks, reach):
        meeting = [end for key in sorted(cluster) for end in ends[key]]
        inner = {end[0] for end in meeting if _is_within(graph, end[0], cluster, reach)}
        within.append(inner)
        meet.append([end for end in meeting if end[0] not in inner])

    def is_arm(end: End) -> bool:
        chain = graph.chains[end[0]]
        return chain.length >= least or len(ends[chain.pixels[-1 - end[1]]]) > 1

    ways = _Ways(graph, [[end for end in meeting if is_arm(end)] for meeting in meet])
    on: dict[End, End | None] = {}
    inside: set[int] = set()
    for k in ways.order():
        pairs = ways.decide(k)
        if len(pairs) == 1:  # what goes on does so along the skeleton
            on |= {end: None for end in ways.meet[k] if end not in pairs[0]}
        elif pairs:
            inside |= within[k]
            on |= dict.fromkeys(meet[k])
            for a, b in pairs:
                on |= {a: b, b: a}
    return _Meetings(on, inside)


class _Ways:
    """How the arms of each meeting go on: decided one by one, the longest way first."""

    def __init__(self, graph: Graph, meet: Sequence[Sequence[End]]) -> None:
        self.meet = meet
        self._graph = graph
        self._arms = {end: _arm(graph, end) for ends in meet for end in ends}
        self._home = {end: k for k, ends in enumerate(meet) for end in ends}
        self._decided: dict[End, End | None] = {}

    def order(self) -> list[int]:
        """The numbers of the meetings of three arms and more, but not too many."""
        known = [k for k, ends in enumerate(self.meet) if 3 <= len(ends) <= MOST_ARMS]
        longest = {k: max((way for _, way, *_ in self._pairs(k)), default=0.0) for k in known}
        return sorted(known, key=lambda k: -longest[k])

    def decide(self, k: int) -> list[tuple[End, End]]:
        """The pairs that go on into each other at a meeting, the straightest and longest first."""
        ways = self._pairs(k)
        most = max((way for _, way, *_ in ways), default=0.0)
        pairs: list[tuple[End, End]] = []
        taken: dict[End, End | None] = {}
        for _, a, b in sorted((bend - LONG * way / most, a, b) for bend, way, a, b in ways):
            if a not in taken and b not in taken:
                taken |= {a: b, b: a}
                pairs.append((a, b))
        if pairs:
            self._decided |= dict.fromkeys(self.meet[k]) | taken
        return pairs

    def _pairs(self, k: int) -> list[tuple[float, float, End, End]]:
        """Pairs that do not turn too sharply: what they turn, how far both lead, and which."""
        far = {end: self._far(end) for end in self.meet[k]}
        return [
            (bend, far[a] + far[b], a, b)
            for a, b in combinations(self.meet[k], 2)
            if (bend := _bend(self._arms[a], self._arms[b])) <= BEND
        ]

    def _far(self, end: End) -> float:
        """How far an arm leads from its meeting, straight on where it meets others, in px."""
        far = 0.0
        been: set[int] = set()
        following: End | None = end
        while following is not None and following[0] not in been and len(been) < STEPS:
            been.add(following[0])
            far += self._graph.chains[following[0]].length
            there = (following[0], -1 - following[1])
            if there in self._decided:
                following = self._decided[there]
            else:
                following = self._straight_on(there) if there in self._home else None
        return far

    def _straight_on(self, end: End) -> End | None:
        others = [other for other in self.meet[self._home[end]] if other != end]
        turns = [(_bend(self._arms[end], self._arms[other]), other) for other in others]
        bend, straightest = min(turns, default=(BEND, None))
        return straightest if bend < BEND else None


def _clusters(graph: Graph, forks: Sequence[int], reach: float) -> list[set[int]]:
    """The forks, those together that chains of at most `reach` px in all connect, the nearest to
    each other first: of two crossings side by side each keeps its own.
    """
    cluster = {key: ({key}, 0.0) for key in forks}
    for chain in sorted(graph.chains, key=lambda chain: chain.length):
        a, b = chain.ends
        if a in cluster and b in cluster and cluster[a] is not cluster[b]:
            (some, one), (others, other) = cluster[a], cluster[b]
            if one + chain.length + other <= reach:
                both = some | others, one + chain.length + other
                cluster |= dict.fromkeys(both[0], both)
    return list({min(keys): keys for keys, _ in cluster.values()}.values())


def _is_within(graph: Graph, number: int, cluster: set[int], reach: float) -> bool:
    """Whether a chain is part of the meeting. A longer one that leads back to it is a loop."""
    chain = graph.chains[number]
    return chain.length <= reach and set(chain.ends) <= cluster


def _arm(graph: Graph, end: End) -> _Arm:
    number, side = end
    pixels = graph.chains[number].pixels
    along = pixels if side == 0 else pixels[::-1]
    start, stop = min(SPLAY, (len(along) - 1) // 2), min(round(ARM) + SPLAY, len(along) - 1)
    (x, y), (ahead_x, ahead_y) = graph.points[[along[start], along[stop]]].tolist()
    far = max(1e-9, hypot(ahead_x - x, ahead_y - y))
    return _Arm((x, y), ((ahead_x - x) / far, (ahead_y - y) / far))


def _bend(a: _Arm, b: _Arm) -> float:
    """What a scratch turns from one arm to the other, or from either to the line between them."""
    inward = -a.outward[0], -a.outward[1]
    across = b.at[0] - a.at[0], b.at[1] - a.at[1]
    return max(_angle(inward, b.outward), _angle(inward, across), _angle(across, b.outward))


def _angle(a: Pair, b: Pair) -> float:
    return abs(atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]))


def _apart(graph: Graph, meetings: _Meetings) -> Graph:
    """The chains, with those that go on into each other as one."""
    on, left = meetings.on, set(range(len(graph.chains))) - meetings.inside
    out: list[Chain] = []
    for number in range(len(graph.chains)):
        if number not in left:
            continue
        end: End | None = _back(on, number)
        runs: list[list[int]] = []
        while end is not None and end[0] in left:
            left.discard(end[0])
            pixels, far = graph.chains[end[0]].pixels, (end[0], -1 - end[1])
            steps = pixels if end[1] == 0 else pixels[::-1]
            most = (len(steps) - 1) // 2  # of a short link the middle stays
            come, go = (min(most, 0 if e not in on else SPLAY if on[e] else 1) for e in (end, far))
            runs.append(steps[come : len(steps) - go])
            end = on.get(far)
        if end is not None:  # a ring that is crossed: cut where it is not
            middle = len(runs[0]) // 2
            runs = [runs[0][middle:], *runs[1:], runs[0][:middle]]
        way = [pixel for run in runs for pixel in run]
        if len(way) > 1:
            out.append(chain_of(graph.points, way))
    return Graph(graph.points, tuple(out))


def _back(pairs: dict[End, End | None], number: int) -> End:
    """The end at which the walk through a chain and all that it goes on into begins."""
    end: End = (number, 0)
    seen = set()
    while (before := pairs.get(end)) is not None and before not in seen:
        seen.add(before)
        end = (before[0], -1 - before[1])
    return end

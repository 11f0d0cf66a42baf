"""The middle of a mask, as smooth lines from fork or tip to the next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inspector.graph import Chain, Graph, Points
from inspector.skeleton import evened

SPUR = 2.0  # px that a chain leads out of its fork; less is the doing of a rough outline
SMOOTH = 9  # points over which the staircase of the middle is evened
STEADY = 17  # points over which its direction is
HEADING = 16  # points before a tip, which show where the middle goes on


@dataclass(frozen=True, slots=True, eq=False)
class Strand:
    """The `points` (n, 2) of a line, about a px apart, and for each the direction to the `right` of
    it (n, 2). `tips`: whether the first and the last of them are at a tip of the mask. `step`: the
    mean distance from one point to the next in px; 1 where there is only one.
    """

    points: Points
    right: Points
    tips: tuple[bool, bool]
    step: float

    @classmethod
    def along(cls, pixels: Points, tips: tuple[bool, bool], eaten: Sequence[float]) -> Self:
        """The smooth line along these pixels; at tips it goes on as far as thinning has eaten."""
        line = evened(pixels, SMOOTH)
        if tips[0]:
            line = _longer(line[::-1], eaten[0])[::-1]
        if tips[1]:
            line = _longer(line, eaten[1])
        if len(line) == 1:
            return cls(line, np.array([[0.0, 1.0]]), tips, 1.0)
        even = evened(line, STEADY)
        ahead = np.empty_like(even)
        ahead[1:-1] = even[2:] - even[:-2]
        ahead[0], ahead[-1] = even[1] - even[0], even[-1] - even[-2]
        ahead /= np.hypot(ahead[:, 0], ahead[:, 1]).clip(1e-6)[:, None]
        step = float(np.hypot(*np.diff(line, axis=0).T).mean())
        return cls(line, ahead[:, ::-1] * (-1, 1), tips, step)


def strands(graph: Graph, within: NDArray[np.float32]) -> Iterator[Strand]:
    """The middle of a mask, from the graph of its skeleton and its `depth` (H, W)."""
    x, y = graph.points.astype(np.intp).T
    deep = within[y, x]
    chains = without_spurs(graph, deep)
    meeting = Counter(end for chain in chains for end in chain.ends)
    for chain in chains:
        tips = meeting[chain.ends[0]] == 1, meeting[chain.ends[1]] == 1
        yield Strand.along(graph.points[chain.pixels], tips, deep[list(chain.ends)])


def without_spurs(graph: Graph, deep: NDArray[np.float32]) -> Sequence[Chain]:
    """The chains that lead out of the mask about their fork; all of them, if none does."""
    meeting = Counter(end for chain in graph.chains for end in chain.ends)

    def is_spur(chain: Chain) -> bool:
        inner = [end for end in chain.ends if meeting[end] > 1]
        return len(inner) == 1 and chain.length <= deep[inner[0]] + SPUR

    return [chain for chain in graph.chains if not is_spur(chain)] or graph.chains


def _longer(line: Points, by: float) -> Points:
    """The line (n, 2) and as many points more, a px apart, straight on from its end."""
    ahead = line[-1] - line[-min(len(line), HEADING + 1)]
    ahead /= max(1e-6, float(np.hypot(*ahead)))
    return np.concatenate([line, line[-1] + ahead * np.arange(1, np.ceil(by) + 1)[:, None]])

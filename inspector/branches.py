"""What leads off the longest way along a scratch: its branches, and the other side of its loops."""

from collections import Counter
from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Chain, Graph, Points
from inspector.skeleton import evened, graph_of, length, smoothing
from inspector.strand import SPUR, without_spurs
from inspector.types import Mask

ON_THE_WAY = 0.5  # of a chain's pixels; with fewer on a longest way it is none of it
HOLE = 5.0  # widths, and at least `PINHOLE` px: so long on either side of a hole is no second way
PINHOLE = 4.0
CORNERS = 1.5  # times how deep a fork lies inside; thinning leads as far into the corners of a tip


def branches(
    skeleton: Mask, deep: NDArray[np.float32], paths: Sequence[Points], width: float
) -> list[float]:
    """For each of the scratches in one piece of lines `width` px wide how many px of their middle
    are not on their `paths` (n, 2): from the fork at which each begins to its tip.

    `skeleton` (H, W) is that of the piece, `deep` (H, W) how far its pixels lie inside it.
    """
    found = [0.0] * len(paths)
    if np.count_nonzero(skeleton) <= sum(map(len, paths)) + SPUR:  # as most: it costs no more
        return found
    on = _drawn(paths, skeleton.shape, width)
    graph = graph_of(skeleton)
    x, y = graph.points.astype(np.intp).T
    within, taken = deep[y, x], on[y, x]
    chains = without_spurs(graph, CORNERS * within)
    meeting = Counter(end for chain in chains for end in chain.ends)
    for chain in chains:
        tips = [end for end in chain.ends if meeting[end] == 1]
        number = _nearest(graph, chain, paths)
        if taken[chain.pixels].mean() >= ON_THE_WAY or (
            not tips and _is_round_a_hole(graph, chain, paths[number], max(PINHOLE, HOLE * width))
        ):
            continue
        # Thinning eats about half a width off a tip.
        eaten = sum(max(0.0, float(within[tip]) - 0.5) for tip in tips)
        found[number] += length(_smooth(graph, chain, width)) + eaten
    return found


def _drawn(paths: Sequence[Points], shape: tuple[int, int], width: float) -> Mask:
    """The pixels (H, W) of the paths and those beside them: of pieces that were joined the path may
    be that of one of them, a pixel beside the middle of the whole. Where several cross, each leads
    straight on, and what thinning leaves between them lies within half a width.
    """
    on = np.zeros(shape, np.uint8)
    wide = 3 if len(paths) == 1 else 3 + 2 * ceil(width / 2)
    for path in paths:
        cv2.polylines(on, [np.rint(path).astype(np.int32)], False, 1, wide)
    return on > 0


def _is_round_a_hole(graph: Graph, chain: Chain, path: Points, least: float) -> bool:
    """Whether a chain from fork to fork and the path are the two sides of a small hole."""
    first, last = (
        int(np.square(path - graph.points[end]).sum(axis=1).argmin()) for end in chain.ends
    )
    beside = length(path[min(first, last) : max(first, last) + 1])
    return chain.length + beside <= 2 * least


def _smooth(graph: Graph, chain: Chain, width: float) -> Points:
    return evened(graph.points[chain.pixels], smoothing(width))


def _nearest(graph: Graph, chain: Chain, paths: Sequence[Points]) -> int:
    """The path to which one of the chain's ends is the nearest."""
    if len(paths) == 1:
        return 0
    ends = graph.points[list(chain.ends)]
    far = [np.hypot(*(path[:, None] - ends).transpose(2, 0, 1)).min() for path in paths]
    return int(np.argmin(far))

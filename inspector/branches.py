"""What leads off the longest way along a scratch: its branches, and the other side of its loops."""

from collections import Counter
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Chain, Graph, Points
from inspector.skeleton import evened, graph_of, length, smoothing
from inspector.strand import without_spurs
from inspector.types import Mask

MOSTLY = 0.5  # of a chain's pixels; with fewer on the longest way it is none of it
HOLE = 5.0  # widths, and at least `PINHOLE` px: so long round a hole is no second way
PINHOLE = 4.0


def branches(
    skeleton: Mask, deep: NDArray[np.float32], paths: Sequence[Points], width: float
) -> list[float]:
    """For each of the scratches in one piece of lines `width` px wide how many px of their middle
    are not on their `paths` (n, 2): from the fork at which each begins to its tip.

    `skeleton` (H, W) is that of the piece, `deep` (H, W) how far its pixels lie inside it.
    """
    found = [0.0] * len(paths)
    on = _drawn(paths, skeleton.shape)
    if not (skeleton & ~on).any():
        return found
    graph = graph_of(skeleton)
    x, y = graph.points.astype(np.intp).T
    within, taken = deep[y, x], on[y, x]
    chains = without_spurs(graph, within)
    meeting = Counter(end for chain in chains for end in chain.ends)
    least = max(PINHOLE, HOLE * width)
    for chain in chains:
        tips = [end for end in chain.ends if meeting[end] == 1]
        if taken[chain.pixels].mean() >= MOSTLY or (
            # Between forks of a crossing, or past a hole, there is nothing more than what was told.
            not tips and chain.length <= least and (len(paths) > 1 or taken[list(chain.ends)].all())
        ):
            continue
        # Thinning eats about half a width off a tip.
        eaten = sum(max(0.0, float(within[tip]) - 0.5) for tip in tips)
        found[_nearest(graph, chain, paths)] += length(_smooth(graph, chain, width)) + eaten
    return found


def _drawn(paths: Sequence[Points], shape: tuple[int, int]) -> Mask:
    """The pixels (H, W) of the paths and those beside them: of pieces that were joined the path may
    be that of one of them, a pixel beside the middle of the whole.
    """
    on = np.zeros(shape, np.uint8)
    for path in paths:
        x, y = path.astype(np.intp).T
        on[y, x] = 1
    return np.asarray(cv2.dilate(on, np.ones((3, 3), np.uint8)) > 0)


def _smooth(graph: Graph, chain: Chain, width: float) -> Points:
    return evened(graph.points[chain.pixels], smoothing(width))


def _nearest(graph: Graph, chain: Chain, paths: Sequence[Points]) -> int:
    """The path to which one of the chain's ends is the nearest."""
    if len(paths) == 1:
        return 0
    ends = graph.points[list(chain.ends)]
    far = [np.hypot(*(path[:, None] - ends).transpose(2, 0, 1)).min() for path in paths]
    return int(np.argmin(far))

"""What leads off the longest way along a scratch: its branches, and the other side of its loops."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Chain, Graph, Points
from inspector.skeleton import evened, graph_of, length, smoothing
from inspector.strand import SPUR, without_spurs
from inspector.types import Mask

BESIDE = 1.5  # px from a longest way; what lies there is on it
ON_THE_WAY = 0.5  # of a chain's pixels; with fewer on a longest way it is none of it
HOLE = 5.0  # widths, and at least `PINHOLE` px: so long on either side of a hole is no second way
PINHOLE = 4.0
CORNERS = 1.5  # times how deep a fork lies inside; thinning leads as far into the corners of a tip


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Its pixels (n, 2) beyond half a width from the paths, how long it is in px, and the number of
    the path that it leads off.
    """

    pixels: Points
    length: float
    of: int


def branches(
    skeleton: Mask, deep: NDArray[np.float32], paths: Sequence[Points], width: float
) -> list[Branch]:
    """What of the middle of scratches in one piece of lines `width` px wide is not on their `paths`
    (n, 2): each from the fork at which it begins to its tip, or to the next fork.

    `skeleton` (H, W) is that of the piece, `deep` (H, W) how far its pixels lie inside it.
    """
    if np.count_nonzero(skeleton) <= sum(map(len, paths)) + SPUR:  # as most: it costs no more
        return []
    graph = graph_of(skeleton)
    x, y = graph.points.astype(np.intp).T
    within, far = deep[y, x], _from(paths, skeleton.shape)[y, x]
    # Where several cross, each leads straight on, and what thinning leaves between them lies within
    # half a width.
    taken = far <= (BESIDE if len(paths) == 1 else BESIDE + width / 2)
    chains = without_spurs(graph, CORNERS * within)
    meeting = Counter(end for chain in chains for end in chain.ends)
    found = []
    for chain in chains:
        tips = [end for end in chain.ends if meeting[end] == 1]
        if taken[chain.pixels].mean() >= ON_THE_WAY:  # as most
            continue
        number, is_rung = _nearest(graph, chain, paths)
        hole = max(PINHOLE, HOLE * width)
        if not (tips or is_rung) and _is_round_a_hole(graph, chain, paths[number], hole):
            continue
        pixels = graph.points[chain.pixels]
        # Thinning eats about half a width off a tip.
        eaten = sum(max(0.0, float(within[tip]) - 0.5) for tip in tips)
        long = length(evened(pixels, smoothing(width))) + eaten
        found.append(Branch(pixels[far[chain.pixels] > width / 2], long, number))
    return found


def _from(paths: Sequence[Points], shape: tuple[int, int]) -> NDArray[np.float32]:
    """How far each pixel (H, W) is from the nearest path, in px. That of joined pieces may be the
    path of one of them, a pixel beside the middle of the whole.
    """
    off = np.ones(shape, np.uint8)
    for path in paths:
        cv2.polylines(off, [np.rint(path).astype(np.int32)], False, 0)
    return np.asarray(cv2.distanceTransform(off, cv2.DIST_L2, cv2.DIST_MASK_3), np.float32)


def _is_round_a_hole(graph: Graph, chain: Chain, path: Points, least: float) -> bool:
    """Whether a chain from fork to fork and the path are the two sides of a small hole."""
    if chain.length > 2 * least:  # as most of a mesh, where it costs to look along the path
        return False
    first, last = (int(_squares(path, graph.points[end]).argmin()) for end in chain.ends)
    beside = length(path[min(first, last) : max(first, last) + 1])
    return chain.length + beside <= 2 * least


def _nearest(graph: Graph, chain: Chain, paths: Sequence[Points]) -> tuple[int, bool]:
    """The path to which one of the chain's ends is the nearest; whether another one is nearer to
    the other end.
    """
    if len(paths) == 1:
        return 0, False
    ends = graph.points[list(chain.ends)]
    far = np.array([[_squares(path, end).min() for end in ends] for path in paths])
    number = int(far.min(axis=1).argmin())
    return number, bool((far[number] > far.min(axis=0)).any())


def _squares(path: Points, point: Points) -> Points:
    """How far the points (n, 2) of a path are from a point (2,), squared (n,)."""
    x, y = path.T
    return np.asarray((x - point[0]) ** 2 + (y - point[1]) ** 2)

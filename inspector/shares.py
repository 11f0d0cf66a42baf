"""Which pixels of a spot are whose, where it shows several scratches, or one that branches."""

from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.crossing import Stroke
from inspector.graph import Pixels, Points
from inspector.skeleton import around, pixels_of
from inspector.types import Mask


def shares(
    whole: Mask, strokes: Sequence[Stroke], width: float, beside: Sequence[Points] = ()
) -> list[tuple[Pixels, NDArray[np.bool_]]]:
    """For each of the strokes in a mask (H, W) the pixels (n, 2), x and y, of its scratch: those to
    which it is the nearest along the mask, and what all of them have at a crossing; and which are
    its own (n,): the others lie nearer to a branch, `beside` (m, 2).

    Those of a scratch are connected; together they are the mask, and where a path leads over a hole
    the pixels between.
    """
    at = pixels_of(whole)
    own = np.ones(len(at), np.bool_)
    if len(strokes) == 1 and not beside:  # as most
        return [(at, own)]
    x, y = at.T
    paths = [stroke.on_skeleton for stroke in strokes]
    owner = _owner(whole, paths) if len(paths) > 1 else whole.astype(np.int16) - 1
    if beside:
        own = _owner(whole, [np.concatenate(beside), *paths])[y, x] > 0
    of = owner[y, x]
    order = np.argsort(of, kind="stable")
    cuts = np.searchsorted(of[order], np.arange(1, len(paths)))
    out = []
    for number, (stroke, mine) in enumerate(zip(strokes, np.split(order, cuts), strict=True)):
        pixels, its_own = at[mine], own[mine]
        if stroke.over and len(paths) > 1:
            ends = stroke.path.astype(np.int32)
            across = [_across(whole, ends[a], ends[b], width) for a, b in stroke.over]
            extra = np.unique(np.concatenate(across), axis=0)
            extra = extra[owner[extra[:, 1], extra[:, 0]] != number]
            pixels = np.concatenate([pixels, extra])
            its_own = np.concatenate([its_own, np.ones(len(extra), np.bool_)])
        out.append((pixels, its_own))
    return out


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

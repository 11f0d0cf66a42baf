"""Frames larger than the model's input: tiles at native resolution, and one detection across seams.

A scratch three pixels wide is gone when a 1920 px frame is shrunk to 640, so frames are never
shrunk to fit: they are cut into overlapping tiles, and what these find is put together.
"""

import math
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np

from inspector.errors import InferenceError
from inspector.types import Detection, Image, Mask

OVERLAP = 64  # px that neighbouring tiles share: what a mask needs to be itself at a border
SHARED = 0.5  # of the smaller mask, where both tiles look, from which two masks are one scratch
EMPTY = 1  # grey level; the shipped net finds scratches from 2 on
SAMPLED = 16  # px from one to the next of the pixels that are looked at first

PADDING = {"reflect": cv2.BORDER_REFLECT_101, "gray": cv2.BORDER_CONSTANT}
GRAY = (114, 114, 114)  # the pad colour that ultralytics trains with


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the frame, in its pixels."""

    x: int
    y: int
    width: int
    height: int

    def within(self, other: "Tile") -> "Tile":
        """The rectangle that both cover; its width or height is 0 where they do not meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Tile(x, y, max(0, right - x), max(0, bottom - y))


def grid(width: int, height: int, side_x: int, side_y: int, overlap: int = OVERLAP) -> list[Tile]:
    """Cover a frame of width × height px with tiles of at most side_x × side_y, evenly spread.

    They start at even pixels, where the cells of a dense answer do.

    Raises:
        InferenceError: tiles so small that neighbours would share all of them.
    """
    return [
        Tile(x, y, min(side_x, width - x), min(side_y, height - y))
        for y in _starts(height, side_y, overlap)
        for x in _starts(width, side_x, overlap)
    ]


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    if side <= overlap + 2:
        raise InferenceError(f"expected tiles of more than {overlap + 2} px, found {side}")
    # Two pixels more than the overlap asks for make up for starting at even ones.
    count = -(-(length - overlap - 2) // (side - overlap - 2))
    return [2 * math.ceil(i * (length - side) / (count - 1) / 2) for i in range(count)]


def cut(image: Image, tile: Tile, width: int, height: int, pad: str) -> Image:
    """The tile's pixels, filled up to width × height at the right and the bottom, contiguous."""
    part = image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
    bottom, right = height - tile.height, width - tile.width
    if bottom or right:
        return cv2.copyMakeBorder(part, 0, bottom, 0, right, PADDING[pad], value=GRAY)  # type: ignore[return-value]
    return np.ascontiguousarray(part)


def is_empty(image: Image, tile: Tile) -> bool:
    """Whether a tile shows nothing at all: no channel varies by more than `EMPTY`."""
    part = image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
    if np.ptp(part[::SAMPLED, ::SAMPLED], axis=(0, 1)).max() > EMPTY:  # as nearly always
        return False
    extremes = (cv2.minMaxLoc(cv2.extractChannel(part, channel)) for channel in range(3))
    return all(most - least <= EMPTY for least, most, *_ in extremes)


def place(detection: Detection, tile: Tile) -> Detection | None:
    """Move a detection from its tile to the frame and cut off what lies in the padding."""
    box = Tile(detection.x, detection.y, *detection.mask.shape[::-1])
    seen = box.within(Tile(0, 0, tile.width, tile.height))
    mask = _window(detection, seen)
    if not mask.any():
        return None
    return replace(detection, x=seen.x + tile.x, y=seen.y + tile.y, mask=mask)


def merge(found: list[tuple[Tile, Detection]]) -> list[Detection]:
    """Unite detections that show the same scratch, within a tile (duplicates) and across seams.

    Two of one class are one if they share half of the smaller mask where both tiles look. Crossing
    scratches share only their crossing, and stay two. Positions are in the frame; order is kept.
    """
    parent = list(range(len(found)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i, j in combinations(range(len(found)), 2):
        if root(i) != root(j) and _same(found[i], found[j]):
            parent[max(root(i), root(j))] = min(root(i), root(j))
    groups: dict[int, list[Detection]] = {}
    for i, (_, detection) in enumerate(found):
        groups.setdefault(root(i), []).append(detection)
    return [_unite(group) for group in groups.values()]


def _same(a: tuple[Tile, Detection], b: tuple[Tile, Detection]) -> bool:
    if a[1].kind != b[1].kind:  # a scratch in a smear is not hidden by it
        return False
    touching = _box(a[1]).within(_box(b[1]))
    if touching.width == 0 or touching.height == 0:
        return False
    shared = np.count_nonzero(_window(a[1], touching) & _window(b[1], touching))
    if shared == 0:
        return False
    both_look = a[0].within(b[0])
    smaller = min(np.count_nonzero(_window(d, _box(d).within(both_look))) for d in (a[1], b[1]))
    return bool(shared >= SHARED * smaller)


def _box(detection: Detection) -> Tile:
    return Tile(detection.x, detection.y, *detection.mask.shape[::-1])


def _window(detection: Detection, window: Tile) -> Mask:
    """The part of the detection's mask that lies in `window`, which its box must contain."""
    y, x = window.y - detection.y, window.x - detection.x
    return detection.mask[y : y + window.height, x : x + window.width]


def _unite(group: list[Detection]) -> Detection:
    if len(group) == 1:
        return group[0]
    x, y = min(d.x for d in group), min(d.y for d in group)
    right = max(d.x + d.mask.shape[1] for d in group)
    bottom = max(d.y + d.mask.shape[0] for d in group)
    mask = np.zeros((bottom - y, right - x), np.bool_)
    for d in group:
        _window(Detection(0, x, y, mask), _box(d))[:] |= d.mask
    return replace(max(group, key=lambda d: d.confidence), x=x, y=y, mask=mask)

"""Mask → Scratch: length along the curve, local width, area, in pixels of the frame."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.branches import branches
from inspector.crossing import Stroke, strokes
from inspector.errors import InferenceError
from inspector.graph import Pixels, Points
from inspector.join import bridges, chains
from inspector.shares import shares
from inspector.skeleton import (
    SMOOTHING,
    depth,
    evened,
    longest_path,
    nearest_of,
    pixels_of,
    smoothing,
    thickness,
    thin,
)
from inspector.skeleton import length as length_of
from inspector.types import Detection, Mask, Scratch

SPECK = 6  # px²; less, with nothing within reach that it could be a piece of, is noise
MOST = 500  # scratches that are told apart; a surface that is ground all over shows thousands
MOST_PIECES = 2000  # of one mask; a tool that chatters leaves hundreds, noise more
WINDOW = 7  # path points over which the local width is averaged
NARROWEST = 1.0  # px; what a lens adds to a width leaves so much of it
BLOT = 4.0  # times how deep its middle is inside of a scratch: it is no wider
COMPACT = 3.0  # widths; what is shorter has no centre line that would tell its length
DIGITS = 2  # measures are rounded before they are judged, so that a message shows what was judged


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of a scratch beside its pixels, from all the detections that show it."""

    confidence: float
    kind: str
    haze: float
    refined: bool
    fragments: int

    @classmethod
    def of(cls, pieces: Sequence["_Part"]) -> "_Told":
        """Of several, by how long each is."""
        long = [len(piece.path) for piece in pieces]
        told = [piece.told for piece in pieces]
        return cls(
            max(t.confidence for t in told),
            max(zip(long, told, strict=True), key=lambda one: one[0])[1].kind,
            sum(t.haze * share for t, share in zip(told, long, strict=True)) / sum(long),
            2 * sum(share for t, share in zip(told, long, strict=True) if t.refined) >= sum(long),
            sum(t.fragments for t in told),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A connected piece of a scratch: its pixels in the frame; which of them were `seen` (n,), the
    others bridge gaps; and which are its `own` (n,), the others its branches'. `path` is the centre
    line from pixel to pixel, `line` the same without its staircase, and `width` in px is rough.
    `branches`: how long they are, all together, in px.
    """

    told: _Told
    pixels: Pixels
    seen: NDArray[np.bool_]
    own: NDArray[np.bool_]
    path: Points
    line: Points
    width: float
    branches: float

    @classmethod
    def along(
        cls, path: Points, told: _Told, pixels: Pixels, seen: NDArray[np.bool_],
        own: NDArray[np.bool_], deep: NDArray[np.float32], branches: float,
    ) -> "_Part":  # fmt: skip
        """These pixels about this path, whose points are so `deep` inside of them, in px."""
        # A blot on a scratch makes it no wider elsewhere.
        width = min(int(np.count_nonzero(seen & own)) / len(path), BLOT * float(np.median(deep)))
        return cls(told, pixels, seen, own, path, evened(path, smoothing(width)), width, branches)


def measure(detections: Sequence[Detection], apart: Collection[str] = frozenset()) -> list[Scratch]:
    """The scratches that the detections of one frame show, in the order of the detections.

    Pieces of one detection that are near each other are one scratch, and pieces of several
    detections that continue each other (`join.py`). Kinds that are held `apart`, because they have
    limits of their own, are joined with none but their own; else the kind is that of the longest
    piece. One below `SPECK` px² is none.

    Raises:
        InferenceError: there are more than can be told apart in time.
    """
    parts: list[_Part] = []
    for detection in detections:
        for part in _parts(detection) if detection.mask.any() else ():
            parts.append(part)
            _refuse_beyond(MOST, len(parts))
    found = []
    held = [part.told.kind if part.told.kind in apart else None for part in parts]
    for kind in dict.fromkeys(held):
        own = [k for k, other in enumerate(held) if other == kind]
        lines = [parts[k].line for k in own]
        widths = [np.count_nonzero(parts[k].own) / max(1.0, length_of(parts[k].line)) for k in own]
        found += [([own[k] for k in c.pieces], c.bridges) for c in chains(lines, widths)]
    found.sort(key=lambda pieces_and_bridges: pieces_and_bridges[0])
    return [_measure(_joined([parts[k] for k in pieces], gaps)) for pieces, gaps in found]


def _parts(detection: Detection) -> Iterator[_Part]:
    # Most of a mask's box can be its margin, and every step costs by the box.
    x, y, columns, rows = cv2.boundingRect(detection.mask.view(np.uint8))
    mask = detection.mask[y : y + rows, x : x + columns]
    for window, whole, skeleton, fragments in _groups(mask):
        seen = mask[window] & whole
        if np.count_nonzero(seen) < SPECK:
            continue
        corner = np.array(
            [detection.x + x + window[1].start, detection.y + y + window[0].start], np.int32
        )
        width = np.count_nonzero(whole) / np.count_nonzero(skeleton)
        within = depth(whole)
        found = strokes(skeleton, width, 2 * float(within.max()) - 1)
        paths = [stroke.path for stroke in found]
        beside = branches(skeleton, within, paths, width)
        told = _Told(
            detection.confidence, detection.kind, detection.haze, detection.refined, fragments
        )
        shared = shares(whole, found, width, [branch.pixels for branch in beside])
        for number, (path, (at, own)) in enumerate(zip(paths, shared, strict=True)):
            deep = _at(within, path.astype(np.int32))
            more = sum(branch.length for branch in beside if branch.of == number)
            yield _Part.along(path + corner, told, at + corner, _at(seen, at), own, deep, more)


def _groups(mask: Mask) -> Iterator[tuple[tuple[slice, slice], Mask, Mask, int]]:
    """What is one spot with its bridges: the window of the mask (H, W) in which it lies, there its
    pixels and its skeleton, and of how many pieces it is.
    """
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    _refuse_beyond(MOST_PIECES, count - 1)
    skeleton = thin(mask)
    if count == 2:
        del labels  # 48 MB of a frame of 12 megapixels
        yield np.s_[0 : mask.shape[0], 0 : mask.shape[1]], mask, skeleton, 1
        return
    middles = pixels_of(skeleton)
    _, first = np.unique(_at(labels, middles), return_index=True)
    lines = bridges(np.asarray(labels, np.int32), skeleton)
    skeleton = thin(_with(lines, skeleton))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(
        _with(lines, mask).view(np.uint8), connectivity=8
    )
    pieces = np.bincount(_at(labels, middles[first])).tolist()
    for k, (left, top, columns, rows, _) in enumerate(boxes[1:].tolist(), 1):
        window = np.s_[top : top + rows, left : left + columns]
        whole = np.asarray(labels[window] == k)
        yield window, whole, skeleton[window] & whole, pieces[k]


def _with(lines: Sequence[Pixels], mask: Mask) -> Mask:
    """The mask and lines (2, 2) from pixel to pixel."""
    mask = mask.copy()
    for a, b in lines:
        cv2.line(mask.view(np.uint8), a.tolist(), b.tolist(), 1)
    return mask


def _refuse_beyond(most: int, count: int) -> None:
    if count > most:
        raise InferenceError(f"expected at most {most} scratches or pieces of one, found {count}")


def _joined(parts: list[_Part], gaps: Points) -> _Part:
    """One part of several, with lines over the gaps (n, 2, 2) between them."""
    if len(parts) == 1:
        return parts[0]
    pixels = np.concatenate([part.pixels for part in parts])
    corner, shape = _box(pixels)
    were_seen = np.concatenate([part.seen for part in parts])
    seen = _drawn(pixels[were_seen] - corner, shape)
    lines = [np.rint(gap).astype(np.int32) - corner for gap in gaps]
    whole = _with(lines, _drawn(pixels - corner, shape))
    skeleton, within = thin(whole), depth(whole)
    width = np.count_nonzero(whole) / np.count_nonzero(skeleton)
    told = strokes(skeleton, width, 2 * float(within.max()) - 1)
    path = max((stroke.path for stroke in told), key=length_of)
    if length_of(path) < sum(length_of(part.path) for part in parts):  # it leaves out one of them
        path = max([longest_path(skeleton), *(part.path - corner for part in parts)], key=length_of)
    beside = branches(skeleton, within, [path], width)
    ((at, own),) = shares(whole, [Stroke(path)], width, [branch.pixels for branch in beside])
    deep, more = _at(within, path.astype(np.int32)), sum(branch.length for branch in beside)
    return _Part.along(path + corner, _Told.of(parts), at + corner, _at(seen, at), own, deep, more)


def _box(pixels: Pixels) -> tuple[NDArray[np.int32], tuple[int, int]]:
    """Their corner (2,), x and y, and the shape (H, W) of the box that they fill."""
    corner = pixels.min(axis=0)
    columns, rows = (pixels.max(axis=0) - corner + 1).tolist()
    return corner, (rows, columns)


def _drawn(at: Pixels, shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.bool_)
    mask[at[:, 1], at[:, 0]] = True
    return mask


def _at(canvas: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    """The values (n,) of a canvas (H, W) there."""
    return np.asarray(canvas[pixels[:, 1], pixels[:, 0]])


def _measure(part: _Part) -> Scratch:
    corner, shape = _box(part.pixels)
    at, path = part.pixels - corner, part.path.astype(np.int32) - corner
    seen, outline = _drawn(at[part.seen], shape), _outline(_drawn(at, shape))
    nearest, thick = nearest_of(at, path, shape), thickness(seen)
    narrow = min(cv2.minAreaRect(outline)[1]) + 1
    length = _length(part.pixels[part.own], part.line, nearest[part.own], part.width)
    if len(path) < COMPACT * max(part.width, thick):
        length = max(length, _extent(part.pixels))
    own = part.own[part.seen]
    widths = _local_widths(part.line, _at(seen, path), nearest[part.seen], own, length)
    widths = widths.clip(max=narrow)  # at the end of a spot more pixels fan out than it is wide
    median, most = float(np.median(widths)), max(float(widths.max()), thick)
    haze = part.told.haze
    return Scratch(
        length_px=round(length, DIGITS),
        width_px=round(max(median - haze, min(median, NARROWEST)), DIGITS),
        max_width_px=round(max(most - haze, min(most, NARROWEST)), DIGITS),
        area_px=int(np.count_nonzero(part.seen)),
        confidence=round(part.told.confidence, 4),
        polygon=tuple(map(_point, (outline + corner).tolist())),
        fragments=part.told.fragments,
        branches_px=round(part.branches, DIGITS),
        refined=part.told.refined,
        kind=part.told.kind,
    )


def _extent(pixels: Pixels) -> float:
    """How far they reach along the main axis of their moments, which a tail hardly turns."""
    away = pixels - pixels.mean(axis=0)
    axis = np.linalg.eigh(away.T @ away)[1][:, 1]
    return float(np.ptp(away @ axis)) + 1


def _point(xy: list[int]) -> tuple[int, int]:
    return xy[0], xy[1]


def _outline(mask: Mask) -> NDArray[np.int32]:
    """Outer contour (n, 2) of a connected mask; filling it restores the mask but for its holes."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return np.asarray(contours[0][:, 0, :], np.int32)


def _length(pixels: Pixels, line: Points, nearest: NDArray[np.intp], width: float) -> float:
    """Arc length of the centre line plus what the mask's pixels reach beyond both of its ends.

    Thinning eats about half a width off each tip.
    """
    if len(line) < 2:
        return float(max(len(np.unique(axis)) for axis in pixels.T))
    arc = float(np.hypot(*np.diff(line, axis=0).T).sum())
    back = min(len(line) - 1, max(SMOOTHING, round(width)))
    return (
        arc
        + _beyond(pixels[nearest == 0], line[0], line[0] - line[back], width)
        + _beyond(pixels[nearest == len(line) - 1], line[-1], line[-1] - line[-1 - back], width)
    )


def _beyond(cap: Pixels, tip: Points, direction: Points, width: float) -> float:
    """How far a cap (n, 2) reaches beyond the tip of the line: area over breadth of a strip of it.

    The strip is the middle half, which flat and round tips both fill nearly to their end. Pixels
    on its edges count by the share that lies inside. (The farthest pixel would be too far by up to
    half a pixel, because among many one always lies well.)
    """
    ahead = direction / np.hypot(*direction)
    away = cap - tip
    along, across = away @ ahead, away @ (-ahead[1], ahead[0])
    half = max(1.0, width / 2) / 2
    share = (along + 0.5).clip(0, 1) * (half + 0.5 - np.abs(across)).clip(0, 1)
    return float(share.sum() / (2 * half))


def _local_widths(
    line: Points,
    seen: NDArray[np.bool_],
    nearest: NDArray[np.intp],
    own: NDArray[np.bool_],
    length: float,
) -> NDArray[np.float64]:
    """Pixels that lie nearest to a stretch of the line, per length of the stretch; `nearest` is of
    the pixels that were seen, and so is which of them are its `own`.

    Stretches on a bridge, where points of the line were not `seen`, have no width and are left out,
    and so are those at a fork most of whose pixels are a branch's.
    """
    if len(line) > 2 * WINDOW:  # else too short for stretches
        kernel = np.ones(WINDOW)
        pixels = np.convolve(np.bincount(nearest[own], minlength=len(line)), kernel, "valid")
        others = np.convolve(np.bincount(nearest[~own], minlength=len(line)), kernel, "valid")
        steps = np.hypot(*np.diff(line, axis=0).T)
        lengths = np.concatenate([[steps[0]], (steps[1:] + steps[:-1]) / 2, [steps[-1]]])
        clear = (np.convolve(seen, kernel, "valid") >= WINDOW) & (pixels > others)
        trim = WINDOW // 2  # the ends' own pixels fan out beyond the line
        inner = (pixels / np.convolve(lengths, kernel, "valid"))[trim:-trim][clear[trim:-trim]]
        if len(inner):
            return np.asarray(inner)
    count = int(np.count_nonzero(own))
    count = count if 2 * count > len(own) else len(own)  # else it is all a mesh
    return np.array([count / (length * max(float(seen.mean()), 1 / len(seen)))])

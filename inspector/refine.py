"""From the network's mask to the camera's own pixels.

A network mask is a blob at half resolution, several times wider than a hairline. Along its middle
(`strand.py`) the picture is cut into profiles, and the groove that they show (`groove.py`) says
where the scratch runs and how wide it is. Where they show none the scratch is as wide as the mask
but for the margin that the network was taught. Of a broad graze or a mesh, which have many grooves,
the core of the mask stays, with its thin tails.

What the network has found in one piece stays in one: along the middle of its mask nothing is taken
away but up to `NEAR` px at each tip where there is no groove. Where the groove goes on beyond a
tip, it is followed (`follow.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil, floor, inf

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector import groove
from inspector.follow import LAST, MOST, SEED, Tip, drawn, follow
from inspector.graph import Pixels, Points
from inspector.groove import Floats
from inspector.measure import SPECK
from inspector.skeleton import depth, graph_of, nearest_of, pixels_of, thin
from inspector.strand import Strand, strands
from inspector.types import Detection, Image

MARGIN = 16  # px around the mask that are looked at
WIDER = 2  # px to either side: the network learns from targets that are so much wider
BROAD = 16.0  # px of thickness, from which a mask is no line with a middle
MOST_STRANDS = 64  # of one mask; more is the picture's texture
PINHOLE = 24  # px², of a slit no wider than 2 px
STEADY = 17  # points over which the middle keeps its distance from the mask's edges

MOSTLY = 0.5  # of a scratch, on which the picture has to show it
CONNECTED = 0.5**0.5  # px to either side, from which a strip of pixels has no gaps

CUT_OFF = 6.0  # px from the tip of the mask; a groove that begins so near may go on beyond
NEAR = 12  # px from the tip of the mask, within which a groove may begin

Binary = NDArray[np.uint8]
"""(H, W): 0 or 1."""
Pieces = NDArray[np.uint16]
"""(H, W): the number of a pixel's piece, from 1; 0 where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """A scratch along a strand of n points: how far its middle lies `aside`, to the right, half the
    width that it looks, and by how much that is more than it is (n,), all in px; on which share of
    them the picture shows it; between which points it runs, and a share of the way to the next;
    whether it is cut off at its tips, by the end of the mask. `profiles` (n, M): what the picture
    shows across it. `frayed`: how many points there are beyond its ends, where these are no tips,
    in strips too short to be scratches.
    """

    strand: Strand
    aside: Floats
    half: Floats
    haze: Floats
    clear: float
    first: float
    last: float
    open: tuple[bool, bool]
    profiles: Floats
    frayed: tuple[int, int] = (0, 0)

    @property
    def forks(self) -> list[tuple[float, ...]]:
        """Those of its ends, x and y, that are no tips."""
        ends = zip((0, -1), self.strand.tips, strict=True)
        return [tuple(self.strand.points[end].tolist()) for end, is_tip in ends if not is_tip]

    @property
    def middle(self) -> Points:
        """The points (n, 2) of its middle."""
        return np.asarray(self.strand.points + self.strand.right * self.aside[:, None])

    @property
    def own(self) -> slice:
        """Those of its points that are on the scratch."""
        last = floor(min(self.last, len(self.aside)))
        return slice(ceil(max(self.first, 0)), last + 1)

    @property
    def line(self) -> Pixels:
        """The pixels (m, 2) along its middle; at a fork it begins where the others do."""
        middle = self.middle
        for end, is_tip in zip((0, -1), self.strand.tips, strict=True):
            if not is_tip:
                middle[end] = self.strand.points[end]
        return np.asarray(np.rint(middle[self.own]), np.int32)

    def ends(self, corner: tuple[int, int]) -> Iterator[Tip]:
        """Its tips, in the frame in which the crop's corner lies there."""
        points, right = self.middle[self.own] + corner, self.strand.right[self.own]
        half, seen = self.half[self.own], self.profiles[self.own]
        first, last = self.frayed
        if self.open[0] or first:
            width, energy = groove.median(half[:LAST]) * 2, _energy(seen[:LAST])
            yield Tip(points[::-1], -right[::-1], width, energy, first)
        if self.open[1] or last:
            width, energy = groove.median(half[-LAST:]) * 2, _energy(seen[-LAST:])
            yield Tip(points, right, width, energy, last)


def refine(detections: Sequence[Detection], image: Image) -> list[Detection]:
    """The same detections with the masks that the picture shows, in the same order.

    `image` is the frame (H, W, 3), BGR, uint8, in whose pixels the detections lie.
    """
    found = [_refined(detection, image) for detection in detections]
    masks = [detection for detection, _ in found]
    left = MOST
    for k, (detection, tips) in enumerate(found):
        others = [*masks[:k], *masks[k + 1 :]] if tips else []
        lines = []
        for tip in tips:
            beyond = follow(image, tip, others, detection, left)
            left -= len(beyond)
            if len(beyond):
                lines.append((beyond, tip.width))
        if lines:
            masks[k] = drawn(detection, lines, (image.shape[1], image.shape[0]))
    return masks


def _refined(detection: Detection, image: Image) -> tuple[Detection, list[Tip]]:
    """The detection inside its neighbourhood, and the tips that a groove has there."""
    height, width = detection.mask.shape
    top, left = max(0, detection.y - MARGIN), max(0, detection.x - MARGIN)
    crop = image[top : detection.y + height + MARGIN, left : detection.x + width + MARGIN]
    mask: Binary = np.zeros(crop.shape[:2], np.uint8)
    y, x = detection.y - top, detection.x - left
    mask[y : y + height, x : x + width] = detection.mask
    mask, middle = _middle_of(mask)
    tips: list[Tip] = []
    haze, refined = 0.0, False
    if middle:
        gray = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_BGR2GRAY)
        kept, strips = _grooves(np.asarray(gray, np.float32), mask, middle)
        tips = [tip for strip in _frayed(strips) for tip in strip.ends((left, top))]
        haze = groove.median(np.concatenate([strip.haze[strip.own] for strip in strips]))
        clear = sum(strip.clear * len(strip.half) for strip in strips)
        refined = clear >= MOSTLY * sum(len(strip.half) for strip in strips)
    else:
        kept = _body(mask)
    if np.count_nonzero(kept) < SPECK:  # rather too large than lost
        kept, tips, haze, refined = mask, [], 0.0, False
    found = replace(detection, x=left, y=top, mask=kept > 0, haze=haze, refined=refined)
    return found, tips


def _middle_of(mask: Binary) -> tuple[Binary, list[Strand]]:
    """The mask without its pinholes, and its middle; none where it is no line that has one."""
    within = depth(mask > 0)
    if not within.any():
        return mask, []
    graph = graph_of(thin(mask > 0)) if _thickness(within) <= BROAD else None
    if graph is None or graph.has_loops:
        mask = _filled(mask)
        within = depth(mask > 0)
        graph = graph_of(thin(mask > 0)) if _thickness(within) <= BROAD else None
    if graph is None:
        return mask, []
    middle = list(islice(strands(graph, within), MOST_STRANDS + 1))
    return mask, middle if len(middle) <= MOST_STRANDS else []


def _thickness(within: Floats) -> float:
    return 2 * float(within.max()) - 1


def _filled(mask: Binary) -> Binary:
    """The mask without its pinholes: about each the middle would run in a loop."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    pinhole = stats[:, cv2.CC_STAT_AREA] <= PINHOLE
    pinhole[labels[cv2.erode(1 - mask, SQUARE) > 0]] = False  # as wide as this is inside a ring
    pinhole[0] = False  # the mask itself
    return np.asarray(mask | pinhole[labels], np.uint8)


def _grooves(gray: Floats, mask: Binary, middle: Sequence[Strand]) -> tuple[Binary, list[_Strip]]:
    """The grooves that the picture (H, W) shows along the middle of the mask."""
    points = np.concatenate([strand.points for strand in middle])
    right = np.concatenate([strand.right for strand in middle])
    limits = mask.shape[1] - 1, mask.shape[0] - 1
    at = pixels_of(mask > 0)
    near = nearest_of(at, np.rint(points).astype(np.int32).clip(0, limits), mask.shape)
    away, right = at - points[near], right[near]
    aside = np.asarray((away * right).sum(axis=1), np.float32)
    ahead = away[:, 0] * right[:, 1] - away[:, 1] * right[:, 0]

    pixels = np.bincount(near, minlength=len(points)).astype(np.float32)
    total = np.bincount(near, aside, minlength=len(points)).astype(np.float32)
    ground = cv2.mean(gray, mask=1 - mask)[0]  # a frame ends, what is around a scratch does not
    starts = np.cumsum([0, *(len(strand.points) for strand in middle)])
    strips = [
        _strip(gray, ground, strand, pixels[start:end], total[start:end])
        for strand, start, end in zip(middle, starts[:-1], starts[1:], strict=True)
    ]
    half = np.concatenate([s.half for s in strips])
    number = np.repeat(np.arange(len(middle)), np.diff(starts))[near]
    along = near - starts[number] + ahead / np.array([strand.step for strand in middle])[number]
    inside = np.abs(aside - np.concatenate([s.aside for s in strips])[near]) <= half[near]
    inside &= np.array([s.first for s in strips])[number] <= along
    inside &= np.array([s.last for s in strips])[number] >= along
    kept = np.zeros_like(mask)
    kept[at[inside, 1], at[inside, 0]] = 1
    if half.min() < CONNECTED or cv2.connectedComponents(kept, connectivity=8)[0] != 2:
        cv2.polylines(kept, [strip.line for strip in strips], False, 1)
    return kept, strips


def _strip(gray: Floats, ground: float, strand: Strand, pixels: Floats, total: Floats) -> _Strip:
    """What the picture shows along a strand. Next to each of its points are so many `pixels` of the
    mask, which lie so many px to the right of it in `total`.
    """
    beside = _steady(pixels)
    centre = _steady(total) / beside.clip(1e-3)
    wide = beside / strand.step
    expected = groove.median(wide[pixels > 0]) - 2 * WIDER if pixels.any() else 0.0
    middle = strand.points + strand.right * centre[:, None]
    profiles = groove.profiles_of(gray, middle, strand.right, ground)
    found = groove.fit(profiles, expected)
    first, last, cut = -inf, inf, [False, False]
    if strand.tips[0]:
        first, cut[0] = _begin(profiles, pixels)
    if strand.tips[1]:
        before, cut[1] = _begin(profiles[::-1], pixels[::-1])
        last = len(pixels) - 1 - before
    inside = (wide / 2 - 0.5).clip(min=0)
    aside = np.asarray(centre + found.aside.clip(-inside, inside), np.float32)
    half = np.asarray(found.looks / 2, np.float32)
    haze = np.asarray(found.looks - found.width, np.float32)
    open_at = cut[0], cut[1]
    return _Strip(strand, aside, half, haze, found.clear, first, last, open_at, profiles)


def _frayed(strips: Sequence[_Strip]) -> list[_Strip]:
    """The strips; those that end in short ones alone are cut off there, where the mask frays out.
    Their tips are before that.
    """
    at: dict[tuple[float, ...], list[int]] = {}
    for number, strip in enumerate(strips):
        for fork in strip.forks:
            at.setdefault(fork, []).append(number)

    def threads(number: int, fork: tuple[float, ...]) -> int:
        """How many points there are beyond a fork, all of them in short strips; else none."""
        fresh, seen, points = [fork], {number}, 0
        while fresh:
            for other in set(at[fresh.pop()]) - seen:
                seen.add(other)
                points += len(strips[other].half)
                if len(strips[other].half) >= SEED:
                    return 0
                fresh += strips[other].forks
        return points

    def cut_off(number: int, strip: _Strip) -> _Strip:
        if len(strip.half) < SEED or not strip.forks:
            return strip
        ends = [tuple(strip.strand.points[end].tolist()) for end in (0, -1)]
        first, last = (threads(number, end) if end in strip.forks else 0 for end in ends)
        return replace(strip, frayed=(first, last))

    return [cut_off(number, strip) for number, strip in enumerate(strips)]


def _energy(profiles: Floats) -> float:
    """Of what profiles (n, M) have in common: squared and summed over its samples."""
    common = groove.bare(profiles).mean(axis=0)
    return float(common @ common)


def _begin(profiles: Floats, pixels: Floats) -> tuple[float, bool]:
    """At which point from a tip on the scratch begins, and whether it seems to begin before.
    `pixels`: of the mask, next to each.
    """
    tip = int((pixels > 0).argmax())
    begin = groove.begin(profiles[tip:], NEAR)
    point = tip + (WIDER - 0.5 if begin is None else begin)
    return min(point, len(pixels) / 2 - 1), begin is not None and begin <= CUT_OFF


def _steady(values: Floats) -> Floats:
    even = cv2.blur(values[:, None], (1, STEADY), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(even, np.float32)[:, 0]


def _body(mask: Binary) -> Binary:
    """The core of a broad mask, with the middle of its thin parts. To thin all of it would cost by
    its thickness.
    """
    inner = np.asarray(cv2.erode(mask, _disk(WIDER)), np.uint8)
    pieces = np.asarray(cv2.connectedComponents(inner, connectivity=8)[1], np.uint16)
    near = _grown(pieces, mask, WIDER + 1)
    neck = (near > 0) & (cv2.dilate(near, SQUARE) != near)  # where two pieces meet
    lost = mask & ((near == 0) | neck).view(np.uint8)
    if not lost.any():
        return inner
    tails = _reached(lost, mask, WIDER + 2)  # far enough to be connected with the core
    return inner | (tails & ((near > 0).view(np.uint8) | thin(tails > 0).view(np.uint8)))


def _grown(pieces: Pieces, mask: Binary, steps: int) -> Pieces:
    """The pieces, so many px larger within the mask; where they meet, each keeps what it has."""
    grown = pieces.copy()
    for step in range(steps):
        free = mask & (grown == 0).view(np.uint8)
        # Squares and crosses in turn: an octagon, which is nearly as far in every direction.
        cv2.copyTo(cv2.dilate(grown, CROSS if step % 2 else SQUARE), free, grown)
    return grown


def _reached(part: Binary, mask: Binary, steps: int) -> Binary:
    """What of the mask is within so many px of a part of it."""
    return (_grown(part.astype(np.uint16), mask, steps) > 0).view(np.uint8)


def _disk(radius: int) -> Binary:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)


SQUARE, CROSS = np.ones((3, 3), np.uint8), _disk(1)

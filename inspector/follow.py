"""A scratch goes on as far as the picture shows it: from the tip of what the network has found.

Of a long scratch a network often tells only a part, though anybody would see the rest. What the
scratch looks like across, over its last stretch, is looked for ahead of its tip, step by step and a
little to either side, for as long as it is alike, with gaps no longer than `GAP`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.graph import Points
from inspector.groove import BEGINS, REACH, STEP, Floats, bare, noise, profiles_of
from inspector.skeleton import nearest_of, pixels_of
from inspector.types import Detection, Image

SEED = 20  # points; a shorter scratch has no direction to be trusted
BACK = (8, 24, 48, 0)  # px before the tip, from which it is followed: from where it is found
LAST = 16  # points before the tip, whose mean profile is looked for
HEADING = 36  # points before the tip, which tell direction and curvature
MOST_CURVED = 0.03  # rad per px
CLEAR = 8.0  # times the noise that is left in that mean; a fainter groove is not followed

AHEAD_OF_TIP = (4, 7, 10, 13)  # px, at which there is something of what goes on, were it dashed
AHEAD = 24  # px that are looked at in a step
ASIDE = 3  # half px to either side, by which the groove may leave the way ahead within a step
LOOK = 5  # px along the groove, over which it is looked for where it runs
ALIKE = 0.9  # cosine between two profiles
FAINTER, BRIGHTER = 0.3, 2.5  # times the height of the mean
GAP = 8  # px
SLACK = 3  # px about the tip, within which most scratches end
LEAST = 6  # px that have to be won by the first step, and in all
MOST = 20_000  # px in a frame; to follow them takes a quarter of a second
CELL = 4  # px; where it comes by again, it has run into itself
BESIDE = 2.0  # px; within them it meets a mask
TOUCHING = 8  # px from the tip on, from which a scratch may run into itself
OVER = 24  # px of another scratch's mask, over which the way leads where the two cross
ASTRIDE = 8.0  # px to either side of the way, where the mask of one that crosses goes on
FAR_AHEAD = 2 * AHEAD


@dataclass(frozen=True, slots=True, eq=False)
class Tip:
    """The end of a scratch: its last points (n, 2) about a px apart, x and y in the frame, and for
    each the direction to the right (n, 2); `width` in px; `energy` of its bare profile there.
    Beyond it the mask may fray out into threads, which are `frayed` px long in all.
    """

    points: Points
    right: Points
    width: float
    energy: float
    frayed: float = 0.0

    def before(self, count: int) -> "Tip":
        """The same without so many of its points."""
        left = slice(len(self.points) - count)
        return replace(self, points=self.points[left], right=self.right[left])


NOWHERE: Points = np.zeros((0, 2))


def follow(
    image: Image, tip: Tip, masks: Sequence[Detection], own: Detection, most: int = MOST
) -> Points:
    """The line (m, 2) on which the scratch goes on beyond its tip, none if it ends there.

    It begins on the scratch itself, some px before the tip: there the middle of a mask may lie
    beside the groove. It ends where it meets the mask of another one, unless it crosses that one
    and goes on beyond, or its `own`, and after `most` points or a step more.
    """
    if len(tip.points) < SEED or _is_bare(image, tip):
        return NOWHERE
    for back in BACK:
        if len(tip.points) < SEED + back:
            continue
        start = tip.before(back)
        line = _onwards(image, start, masks, own, most, back)
        if len(line) >= max(1, back):  # it was at least found where it is known to be
            goes_on = len(line) >= back + LEAST
            return np.concatenate([start.points[-1:], line]) if goes_on else NOWHERE
    return NOWHERE


def _is_bare(image: Image, tip: Tip) -> bool:
    """Whether nothing lies ahead of a tip, as of most: a look that saves a search."""
    ahead = tip.points[-1] - tip.points[-LAST]
    ahead /= max(1e-6, float(np.hypot(*ahead)))
    points = tip.points[-1] + np.array(AHEAD_OF_TIP)[:, None] * ahead
    seen = bare(_profiles(image, points, np.tile([[-ahead[1], ahead[0]]], (len(points), 1))))
    return bool(np.square(seen).sum(axis=1).max() < FAINTER**2 * tip.energy)


def _onwards(
    image: Image, tip: Tip, masks: Sequence[Detection], own: Detection, most: int, back: int
) -> Points:
    """The points (m, 2) on which the groove at the end of `tip` goes on; for `back` px, that is
    within its own mask.
    """
    seen = bare(_profiles(image, tip.points[-LAST:], tip.right[-LAST:]))
    like = seen.mean(axis=0)
    if like @ like < CLEAR * noise(seen) / len(seen):
        return NOWHERE
    line = tip.points[-HEADING:]
    found: list[Points] = []
    been: set[tuple[int, int]] = set()
    won = 0
    while won < most + back:
        points, right = _ahead(line)
        count = _inside(points, image)
        least = 1 if won else LEAST
        if count < least:
            break
        seen = bare(_profiles(image, points[:count], right[:count]))
        way = _way(seen, like, last=won > 0)
        right = right[: len(way)]
        points = points[: len(way)] + right * way[:, None]
        soon = np.square(seen[len(points) + SLACK :][:1]).sum(axis=1)
        if won + len(points) <= back + SLACK and (soon < FAINTER**2 * (like @ like)).any():
            found.append(points)  # as at most tips: there it ends
            break
        met = np.array([cell in been for cell in _cells(points)], np.bool_)
        # Until it is beyond its own tip it may run over the masks that cross there.
        for met_by, beyond in ((masks, back), ([own], back + TOUCHING + ceil(tip.frayed))):
            far = max(0, beyond - won)
            met[far:] |= _meets(points[far:], right[far:], met_by)
        if met.any():
            points = points[: int(met.argmax()) + 1]
        elif len(points) < least:
            break
        ends = bool(met.any()) or len(points) < LEAST
        so_far = np.concatenate([line, points])[-HEADING:]
        over = _over(image, so_far, like, masks, own) if ends and count == AHEAD else NOWHERE
        points = np.concatenate([points, over])
        been.update(_cells(found[-1]) if found else ())  # of the last step but this one
        found.append(points)
        won += len(points)
        if count < AHEAD or (ends and not len(over)):
            break
        line = np.concatenate([line, points])[-HEADING:]
    return np.concatenate(found) if found else NOWHERE


def _over(
    image: Image, line: Points, like: Floats, masks: Sequence[Detection], own: Detection
) -> Points:
    """The points (m, 2) that lead from the end of a line over the mask of a scratch that crosses
    it, to where the groove goes on beyond; none if nothing crosses, or it does not go on.
    """
    points, right = _ahead(line, FAR_AHEAD)
    count = _inside(points, image)
    points, right = points[:count], right[:count]
    hit = np.flatnonzero(_meets(points, right, masks))
    if not hit.size or _meets(points, right, [own]).any():
        return NOWHERE
    first, last = int(hit[0]), int(hit[-1]) + 1
    others = np.flatnonzero(np.diff(hit) > 1)
    if others.size:  # another one lies beyond: it is met, or crossed in its turn
        last, count = int(hit[others[0]]) + 1, int(hit[others[0] + 1]) + 1
    about = slice(max(0, first - GAP), last + GAP)
    beside = (points[about] + far * right[about] for far in (-ASTRIDE, ASTRIDE))
    leads_away = any(_meets(side, right[about], masks).any() for side in beside)
    if first > GAP + SLACK or last - first > OVER or not leads_away:
        return NOWHERE
    ahead = slice(last, min(last + AHEAD, count))
    if count - last < LEAST:
        return NOWHERE
    way = _way(bare(_profiles(image, points[ahead], right[ahead])), like, last=False)
    if len(way) < LEAST:
        return NOWHERE
    end = last + len(way)
    aside = np.concatenate([np.linspace(0, way[0], last + 1)[:-1], way])
    return np.asarray(points[:end] + right[:end] * aside[:, None])


def drawn(
    detection: Detection, lines: Sequence[tuple[Points, float]], size: tuple[int, int]
) -> Detection:
    """The detection with lines (n, 2), of two points or more and so many px in width, in a frame
    (width, height).
    """
    points = np.concatenate([line for line, _ in lines])
    margin = max(width for _, width in lines)
    height, width = detection.mask.shape
    low = np.minimum(points.min(axis=0) - margin, (detection.x, detection.y))
    high = np.maximum(points.max(axis=0) + margin, (detection.x + width, detection.y + height))
    left, top = np.floor(low).clip(min=0).astype(int).tolist()
    right, bottom = np.ceil(high).clip(max=size).astype(int).tolist()
    mask = np.zeros((bottom - top, right - left), np.uint8)
    y, x = detection.y - top, detection.x - left
    mask[y : y + height, x : x + width] = detection.mask
    for line, wide in lines:
        _draw(mask, line - (left, top), wide)
    return replace(detection, x=left, y=top, mask=mask > 0)


def _draw(mask: NDArray[np.uint8], line: Points, width: float) -> None:
    """Add a line (n, 2) of so many px in width to a mask, with round tips, the last of which ends
    where it does. OpenCV's are up to 2 px wider.
    """
    margin = ceil(width) + 3
    low = np.floor(line.min(axis=0)).astype(int) - margin
    high = np.ceil(line.max(axis=0)).astype(int) + margin
    left, top = low.clip(min=0).tolist()
    right, bottom = high.clip(min=0).tolist()
    mask, line = mask[top:bottom, left:right], line - (left, top)
    pixels = np.rint(line).astype(np.int32)
    cv2.polylines(mask, [pixels], False, 1)  # which has no gaps
    rough = np.zeros_like(mask)
    cv2.polylines(rough, [pixels], False, 1, ceil(width) + 2)
    at = pixels_of(rough > 0)
    cap = min(len(line) - 1, floor(width / 2))
    near = nearest_of(at, pixels[: len(line) - cap], mask.shape)
    ahead = np.gradient(line, axis=0)
    ahead /= np.hypot(ahead[:, 0], ahead[:, 1]).clip(1e-6)[:, None]
    (dx, dy), (x, y) = (at - line[near]).T, ahead[near].T
    along, aside = dx * x + dy * y, dy * x - dx * y
    last = near == len(line) - 1 - cap
    away = np.where((near == 0) | last, np.hypot(along, aside), np.abs(aside))
    inside = at[(away <= width / 2) & ~(last & (along > cap + 0.5))]
    mask[inside[:, 1], inside[:, 0]] = 1


def _ahead(line: Points, count: int = AHEAD) -> tuple[Points, Points]:
    """So many points on from the end of a line, a px apart and as curved as it, and the directions
    to the right of them.
    """
    middle = len(line) // 2
    before, after = line[middle] - line[0], line[-1] - line[middle]
    turn = np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after)
    curved = float(np.clip(2 * turn / len(line), -MOST_CURVED, MOST_CURVED))
    heading = np.arctan2(after[1], after[0]) + turn / 2
    angle = heading + curved * (np.arange(count) + 0.5)
    ahead = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return line[-1] + np.cumsum(ahead, axis=0), np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)


def _inside(points: Points, image: Image) -> int:
    """How many of these points lie inside the picture before the first that does not."""
    inside = ((points >= 1) & (points <= (image.shape[1] - 2, image.shape[0] - 2))).all(axis=1)
    return len(points) if inside.all() else int(inside.argmin())


def _way(seen: Floats, like: Floats, last: bool) -> Floats:
    """How far to the right of each of n profiles the groove runs, in px, as far as it goes on: over
    `LEAST` of them, or over fewer that follow each other if that may be the `last` of it.
    """
    padded = np.zeros(len(like) + 2 * ASIDE, np.float32)
    padded[ASIDE:-ASIDE] = like
    shifted = np.stack([padded[k : k + len(like)] for k in range(2 * ASIDE, -1, -1)])
    even = cv2.blur(seen, (1, 3), borderType=cv2.BORDER_REPLICATE)
    both = even @ shifted.T
    size = np.square(shifted).sum(axis=1)
    alike = both / np.sqrt(size * np.square(even).sum(axis=1)[:, None] + 1e-6)
    like_it = np.flatnonzero(alike.max(axis=1) >= ALIKE)
    goes_on = np.count_nonzero(like_it < LEAST + GAP) >= LEAST
    if not like_it.size or not (goes_on or last):
        return np.zeros(0, np.float32)
    smooth = cv2.blur(alike, (1, LOOK), borderType=cv2.BORDER_REPLICATE)
    aside = _best(smooth[: like_it[-1] + 1].tolist())
    chosen = np.arange(len(aside)), aside
    height = (both / size)[chosen]
    there = (alike[chosen] >= ALIKE) & (height <= BRIGHTER)
    there &= height >= (FAINTER if goes_on else BEGINS)
    end, missed = 0, 0
    for k, is_there in enumerate(there.tolist(), 1):
        missed = 0 if is_there else missed + 1
        if missed > (GAP if goes_on else 0):
            break
        end = k if is_there else end
    return ((np.array(aside[:end]) - ASIDE) * STEP).astype(np.float32)


def _best(alike: list[list[float]]) -> list[int]:
    """In each row the best place that is next to that of the row before; from the middle on."""
    at, way = ASIDE, []
    for row in alike:
        at = max(range(max(0, at - 1), min(len(row), at + 2)), key=row.__getitem__)
        way.append(at)
    return way


def _profiles(image: Image, points: Points, right: Points) -> Floats:
    """(n, M): gray levels of the frame across these points; only what is near them is converted."""
    reach = REACH + 2
    left, top = (points.min(axis=0) - reach).clip(min=0).astype(int).tolist()
    end, bottom = (points.max(axis=0) + reach).astype(int).tolist()
    window = np.ascontiguousarray(image[top : bottom + 1, left : end + 1])
    gray = np.asarray(cv2.cvtColor(window, cv2.COLOR_BGR2GRAY), np.float32)
    return profiles_of(gray, points - (left, top), right)


def _meets(points: Points, right: Points, masks: Sequence[Detection]) -> NDArray[np.bool_]:
    """Which of n points lie on a mask, or beside it: a hairline would be missed."""
    if not len(points):
        return np.zeros(0, np.bool_)
    at = np.rint(np.concatenate([points, points - BESIDE * right, points + BESIDE * right]))
    column, row = at.astype(int).T
    met = np.zeros(len(at), np.bool_)
    left, top, end, bottom = column.min(), row.min(), column.max(), row.max()
    for one in masks:
        height, width = one.mask.shape
        if one.x > end or one.y > bottom or one.x + width <= left or one.y + height <= top:
            continue
        x, y = column - one.x, row - one.y
        inside = np.flatnonzero((x >= 0) & (y >= 0) & (x < width) & (y < height))
        met[inside] |= one.mask[y[inside], x[inside]]
    return np.asarray(met.reshape(3, -1).any(axis=0))


def _cells(points: Points) -> list[tuple[int, int]]:
    """Squares of `CELL` px in which n points lie."""
    return [(x, y) for x, y in (points // CELL).astype(int).tolist()]

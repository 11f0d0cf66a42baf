"""One generated picture with its truth: surface, distractors, scratches, camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.errors import InspectorError
from training.synth import camera as cameras
from training.synth import distractors, optics, strokes
from training.synth.strokes import Scratch
from training.synth.surfaces import SURFACES, OwnPart, Surface
from training.synth.surfaces.base import Image, Photo

BRIDGE_PX = 12
"""An invisible stretch up to this length does not divide a scratch."""
MIN_VISIBLE_PX = 8
MIN_SEEN_SHARE = 0.5
"""A chain of short glimpses, as of a pale line over print, is not labelled."""
TRACE, HINT = 0.45, 0.25
"""Shares of the contrast that is surely seen: with so much a scratch goes on from where it is sure;
with less, down to a hint, nobody can say whether there is one."""
LABEL_WIDTH_PX = 5
"""Training targets are rasterised at a quarter of the resolution: thinner lines would break up."""
OF_A_COLOUR = 0.5
"""What changes in one channel alone is seen half as well as what changes in all of them."""
BESIDE_PX, AROUND_PX = 11, 25
"""Sides of the squares whose texture a scratch has to beat: where it runs, to be traced there; and
as far as letters beside it draw the eye, to be noticed at all."""
TRIES = 100


@dataclass(frozen=True, slots=True)
class Truth:
    """One visible scratch: its centre line (n, 2), size in pixels, contrast in grey levels."""

    centre: NDArray[np.float32]
    length_px: float
    width_px: float
    contrast: float
    mask: NDArray[np.bool_]
    polygon: NDArray[np.float32]
    """Outline (m, 2) of the mask widened to at least `LABEL_WIDTH_PX`, for training."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture (h, w, 3) uint8 BGR and the scratches that can be seen on it."""

    image: NDArray[np.uint8]
    surface: str
    hard: bool
    truths: list[Truth]
    unsure: NDArray[np.bool_]
    """(h, w): what is drawn there can be guessed at, and is neither scratch nor sound."""


def picture(
    rng: np.random.Generator, surface: str | OwnPart, size: tuple[int, int], scratched: bool,
    whole: bool = False,
) -> Picture:  # fmt: skip
    """A picture of (h, w), or less of a smaller `OwnPart`; a scratched one shows a scratch.

    Raises:
        InspectorError: no visible scratch comes about in `TRIES` attempts.
    """
    h, w = size
    name, surface_of = (
        (surface, SURFACES[surface]) if isinstance(surface, str) else (surface.name, surface)
    )
    for _ in range(TRIES):
        part = surface_of(rng, h, w, whole)
        clean, photo = part.image.copy(), part.photo
        dirty = 0.3 if photo else 0.5 if scratched else 0.65
        hard = bool(rng.random() < dirty)
        if hard and not whole:
            usual = "photo" if photo else name
            distractors.scatter(rng, clean, usual, int(rng.integers(1, 4)))
        elif surface == "phone":
            distractors.dust(rng, clean)
        if photo:
            clean = _exposed(photo, part.image, clean)
            camera = cameras.second_camera(rng, photo.grey)
        else:
            camera = cameras.random_camera(rng, name)
        seen = cameras.lens(camera, clean)
        if not scratched:
            nothing = np.zeros(clean.shape[:2], bool)
            return Picture(cameras.sensor(camera, seen, rng), name, hard, [], nothing)
        if part.part.mean() < 0.15:
            continue
        marked, drawn = clean.copy(), []
        count = int(rng.choice([1, 2, 3, 4], p=[0.5, 0.28, 0.14, 0.08]))
        for _ in range(count):
            drawn += _add(rng, marked, part)
        if photo:
            marked = _exposed(photo, clean, marked)
        after = cameras.lens(camera, marked)
        grain = float(np.hypot(camera.noise, photo.noise if photo else 0))
        unsure = np.zeros(clean.shape[:2], bool)
        truths = [t for s in drawn for t in _visible(s, seen, after, camera, grain, unsure)]
        if truths:
            return Picture(cameras.sensor(camera, after, rng), name, hard, truths, unsure)
    raise InspectorError(
        f"{name}: expected a scratch to be visible on {w} × {h} px, found none in {TRIES} tries: "
        "the surface is too rough, too dark or too bright"
    )


def _exposed(photo: Photo, before: Image, after: Image) -> Image:
    """`after` with what was drawn on `before` as the photograph's camera would have shown it.

    Only the change is blurred. The photograph keeps its sharpness, and its noise in the groove.
    """
    return before + cv2.GaussianBlur(np.clip(after, 0, 255) - before, (0, 0), photo.softness)


def _add(rng: np.random.Generator, image: NDArray[np.float32], part: Surface) -> list[Scratch]:
    """Draw one scratch or scuff bundle on the part; returns what was drawn."""
    h, w = image.shape[:2]
    group = strokes.random_scratches(rng, h, w, part.habit)
    look = optics.random_look(rng, part.bright, part.faintest, part.substrates)
    out = []
    for whole in group:
        scratch = _clip(whole, part.part)
        if scratch is not None:
            optics.engrave(image, scratch, look, rng)
            out.append(scratch)
    return out


def _clip(scratch: Scratch, part: NDArray[np.bool_]) -> Scratch | None:
    """Keep the longest stretch of each stroke that lies on the part and in the picture."""
    h, w = part.shape
    kept = []
    for stroke in scratch.strokes:
        at = np.rint(stroke.points).astype(int)
        ok = (at >= 0).all(1) & (at[:, 0] < w) & (at[:, 1] < h)
        ok[ok] = part[at[ok, 1], at[ok, 0]]
        runs = _runs(ok)
        if not runs:
            if not kept:
                return None
            continue
        a, b = max(runs, key=lambda r: r[1] - r[0])
        if b - a >= 6:
            kept.append(stroke.between(a, b))
        elif not kept:
            return None
    return Scratch(tuple(kept))


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open index ranges in which the flags are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _visible(
    scratch: Scratch, before: NDArray[np.float32], after: NDArray[np.float32],
    camera: cameras.Camera, noise: float, unsure: NDArray[np.bool_],
) -> list[Truth]:  # fmt: skip
    """The stretches of a scratch whose contrast beats noise and the texture around it.

    `noise` in grey levels is all of it: what the camera adds, and what a photograph brings. What
    may or may not be seen is marked in `unsure` (h, w).
    """
    main = scratch.strokes[0]
    signal, need, need_around = _contrast(main, before, after, camera, noise)
    smooth = cv2.blur(signal[None], (7, 1), borderType=cv2.BORDER_REPLICATE)[0]
    clear, noticed = smooth / need, smooth / need_around
    trace = clear > TRACE
    for a, b in _runs(~trace):
        if b - a <= BRIDGE_PX and a > 0 and b < len(trace):
            trace[a:b] = True
    told = np.zeros(len(trace), bool)
    out = []
    for a, b in _runs(trace):
        if b - a >= MIN_VISIBLE_PX and (noticed[a:b] > 1).mean() > MIN_SEEN_SHARE:
            told[a:b] = True
            twigs = scratch.strokes[1:] if b - a > 0.6 * len(trace) else ()
            whole = Scratch((main.between(a, b), *twigs))
            out.append(truth_of(whole, before.shape[:2], float(np.median(signal[a:b]))))
    doubtful = [main.between(a, b) for a, b in _runs((clear > HINT) & ~told) if b - a > 1]
    for stroke in (*doubtful, *(() if told.mean() > 0.6 else scratch.strokes[1:])):
        mark = optics.footprint(stroke, unsure.shape, float(stroke.width.max()) / 2 + 2)
        if mark is not None:
            near = mark.distance <= stroke.width[mark.index] / 2 + 1.5
            unsure[mark.ys[near], mark.xs[near]] = True
    return out


def _contrast(
    stroke: strokes.Stroke, before: NDArray[np.float32], after: NDArray[np.float32],
    camera: cameras.Camera, noise: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Along a stroke's line (n,): what it changed, what can surely be traced, and be noticed."""
    h, w = before.shape[:2]
    near = np.rint(stroke.points).astype(int)
    pad = AROUND_PX // 2 + 1
    x0, y0 = np.maximum(near.min(0) - pad, 0)
    x1, y1 = np.minimum(near.max(0) + pad + 1, (w, h))
    box = np.s_[y0:y1, x0:x1]
    change = after[box] - before[box]
    luma = np.abs(cv2.cvtColor(change, cv2.COLOR_BGR2GRAY))
    seen = np.maximum(luma, OF_A_COLOUR * np.abs(change).max(2))
    seen = cv2.dilate(seen, np.ones((3, 3), np.uint8))
    grey = before[box].mean(2)
    floor = 6 + 1.3 * noise + 0.05 * (100 - min(100, camera.jpeg))
    ys, xs = near[:, 1] - y0, near[:, 0] - x0
    beside = floor + np.clip(0.5 * _texture(grey, BESIDE_PX)[ys, xs], 0, 25)
    around = floor + np.clip(0.6 * _texture(grey, AROUND_PX)[ys, xs], 0, 45)
    return seen[ys, xs], beside, np.maximum(beside, around)


def _texture(grey: Image, side: int) -> NDArray[np.float32]:
    """Standard deviation of grey levels (h, w) in the square of that side around each pixel."""
    mean = cv2.blur(grey, (side, side))
    return np.sqrt(np.maximum(0, cv2.blur(grey * grey, (side, side)) - mean * mean))


def truth_of(scratch: Scratch, shape: tuple[int, int], contrast: float) -> Truth:
    """The exact truth of a scratch that lies in an (h, w) picture."""
    main = scratch.strokes[0]
    mask = np.zeros(shape, bool)
    label = np.zeros(shape, np.uint8)
    for stroke in scratch.strokes:
        reach = max(LABEL_WIDTH_PX, float(stroke.width.max()) + 1) / 2 + 1
        mark = optics.footprint(stroke, shape, reach)
        if mark is None:
            continue
        half = np.maximum(stroke.width[mark.index], 1) / 2
        # Half open, so that an even width on whole coordinates is not a pixel too wide.
        core = (mark.distance <= half) & (mark.offset < half - 1e-3)
        core &= stroke.depth[mark.index] > 0.05
        mask[mark.ys[core], mark.xs[core]] = True
        wide = np.maximum(stroke.width[mark.index] + 1, LABEL_WIDTH_PX)
        fat = mark.distance <= wide / 2
        label[mark.ys[fat], mark.xs[fat]] = 1
    outlines, _ = cv2.findContours(label, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    # What the outline does not reach (a branch whose stem was cut off) is not part of the defect.
    mask &= cv2.drawContours(np.zeros(shape, np.uint8), [outline], -1, 1, -1) > 0
    polygon = cv2.approxPolyDP(outline, 0.6, True)[:, 0].astype(np.float32)
    return Truth(main.points, main.length_px, float(np.median(main.width)), contrast, mask, polygon)

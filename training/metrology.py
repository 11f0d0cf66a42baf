"""How true is a length? Drawn scratches of exactly known geometry, measured in several ways.

    python -m training metrology --out report/

writes `metrology.csv`, `metrology.json` and `metrology.png` (Bland and Altman, Lancet 327, 1986:
the difference from the truth over the truth, with its bias and limits that hold 95 % of errors).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from inspector.config import ModelConfig
from inspector.measure import measure
from inspector.progress import tracked
from inspector.refine import refine
from inspector.segment import bundle
from inspector.segment.segmenter import Segmenter
from inspector.skeleton import thin
from inspector.types import Detection, Mask, Scratch
from training.bench.pictures import GRAIN, LOOK, SOFT_PX, SURFACE
from training.synth import noise

Points = NDArray[np.float64]
Size = tuple[float, float]
"""Length and median width in px; NaN for what is not found, or not told."""

FINE = 8  # a drawing is so much finer than the pixels that it is averaged down to
MARGIN = 12.0  # px around a scratch
SHAPES = ("straight", "curved", "branched", "dashed")
LENGTHS_PX, WIDTHS_PX = (10.0, 800.0), (1.0, 8.0)
WITHIN_PX, WITHIN_SHARE = 2.0, 0.02
PRESSURE, PRESSURE_PX, LEAST_SIDE = 0.35, 14.0, 320
"""Of the picture for the model: how much the pressure wanders, over how many px; the least side."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A scratch and the truth: tip to tip along the centre line, and the width, in pixels."""

    shape: str
    length_px: float
    width_px: float
    ink: NDArray[np.uint8]
    """(H, W): how much of each pixel it covers, 255 for all."""

    @property
    def mask(self) -> Mask:
        """(H, W): the pixels of which it covers half or more."""
        return self.ink >= 128


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """Errors of one way to measure, in px, one per scratch, of its length and of its median width;
    NaN where it finds none, or does not say.
    """

    name: str
    error_px: NDArray[np.float64]
    width_error_px: NDArray[np.float64]


def draw(rng: np.random.Generator) -> Drawn:
    """One scratch, uniform in the logarithm of its length, with flat or round tips."""
    shape = str(rng.choice(SHAPES))
    length = float(np.exp(rng.uniform(*np.log(LENGTHS_PX))))
    width = float(rng.uniform(*WIDTHS_PX))
    length = max(length, 2 * width)  # shorter, it would be a blot without a direction
    line = _curve(rng, length, 0.0 if shape == "straight" else rng.uniform(-2.0, 2.0))
    strokes = [line]
    if shape == "branched":
        at = int(rng.uniform(0.3, 0.7) * len(line))
        twig = _curve(rng, 0.8 * min(at, len(line) - at) / len(line) * length, 0.2)
        ahead = np.arctan2(*(line[at + 1] - line[at])[::-1]) + rng.choice([-1, 1]) * 0.8
        turn = np.arctan2(*(twig[1] - twig[0])[::-1])
        strokes.append(_turned(twig, ahead - turn) + line[at])
    corner = np.concatenate(strokes).min(axis=0) - width - MARGIN + rng.uniform(0, 1, 2)
    strokes = [stroke - corner for stroke in strokes]
    size = np.ceil(np.concatenate(strokes).max(axis=0) + width + MARGIN).astype(int)
    is_round = bool(rng.random() < 0.5)
    canvas = np.zeros((size[1] * FINE, size[0] * FINE), np.uint8)
    for stroke in strokes:
        _paint(canvas, stroke, width, is_round=is_round)
    if shape == "dashed":
        _cut(canvas, strokes[0], width, rng)
    ink = cv2.resize(canvas, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    return Drawn(shape, length + (width if is_round else 0.0), width, np.asarray(ink, np.uint8))


def _curve(rng: np.random.Generator, length: float, bend: float) -> Points:
    """Points along an arc that turns by `bend` radians in all, in a random direction."""
    n = max(8, round(2 * length))
    heading = rng.uniform(0, 2 * np.pi) + np.linspace(0, bend, n - 1)
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * length / (n - 1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def _turned(points: Points, angle: float) -> Points:
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray((points - points[0]) @ np.array([[c, s], [-s, c]]))


def _fine(points: Points) -> NDArray[np.int32]:
    """Pixel coordinates (centres whole) to those of the fine canvas, with 4 bits of fraction."""
    return np.rint(((points + 0.5) * FINE - 0.5) * 16).astype(np.int32)


def _paint(canvas: NDArray[np.uint8], line: Points, width: float, *, is_round: bool) -> None:
    tangent = np.gradient(line, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    rim = 0.5 / FINE  # OpenCV fills every pixel that an edge touches: half a fine one too much
    radius = width / 2 - rim
    side = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * radius
    line = line.copy()
    line[[0, -1]] += tangent[[0, -1]] * [[rim], [-rim]]
    # Quads and not one outline: where the line bends sharply the outline would cross itself.
    quads = np.stack([line[:-1] + side[:-1], line[1:] + side[1:],
                      line[1:] - side[1:], line[:-1] - side[:-1]], axis=1)  # fmt: skip
    for quad in _fine(quads):
        cv2.fillConvexPoly(canvas, quad, 255, shift=4)
    if is_round:
        for tip in _fine(line[[0, -1]]).tolist():
            cv2.circle(canvas, tip, round(radius * FINE * 16), 255, -1, shift=4)


def _cut(canvas: NDArray[np.uint8], line: Points, width: float, rng: np.random.Generator) -> None:
    """Take gaps of 2 to 9 px out of a line, none near its tips."""
    step = float(np.hypot(*(line[1] - line[0])))
    at = rng.uniform(10, 40)
    while at + 15 < step * (len(line) - 1):
        gap = rng.uniform(2, 9)
        a, b = line[round(at / step)], line[min(len(line) - 1, round((at + gap) / step))]
        along = (b - a) / np.hypot(*(b - a))
        side = np.array([-along[1], along[0]]) * (width / 2 + 1)
        cv2.fillConvexPoly(
            canvas, _fine(np.array([a + side, b + side, b - side, a - side])), 0, shift=4
        )
        at += gap + rng.uniform(8, 60)


def ours(drawn: Drawn) -> Size:
    """The edge's own measurement; pieces that it keeps apart are not added up."""
    found = measure([Detection(1.0, 0, 0, drawn.mask)])
    return max((_size(scratch) for scratch in found), default=(0.0, math.nan))


def through_the_model(drawn: Drawn) -> Size:
    """As `ours`, of what the shipped model finds of the scratch; NaN where that is nothing.

    It lies on a quiet dark surface, and is pressed now more and now less, as by a hand.
    """
    rng = np.random.default_rng(round(1000 * drawn.length_px))
    beside = [(max(0, LEAST_SIDE - side) // 2,) * 2 for side in drawn.ink.shape]
    ink = np.pad(drawn.ink, beside).astype(np.float32) / 255
    height, width = ink.shape
    pressure = np.clip(1 + PRESSURE * noise.cloud(rng, height, width, PRESSURE_PX), 0.35, 1.6)
    bright = SURFACE + LOOK.core * pressure * ink
    image = np.repeat(cv2.GaussianBlur(bright, (0, 0), SOFT_PX)[..., None], 3, axis=2)
    image += (rng.standard_normal(image.shape[:2], np.float32) * np.float32(GRAIN))[..., None]
    seen = np.clip(image, 0, 255).astype(np.uint8)
    found = measure(refine(_shipped().segment(seen), seen))
    return max((_size(scratch) for scratch in found), default=(math.nan, math.nan))


def _size(scratch: Scratch) -> Size:
    return scratch.length_px, scratch.width_px


@cache
def _shipped() -> Segmenter:
    return bundle.open_segmenter(ModelConfig())[0]


def diagonal(drawn: Drawn) -> Size:
    """Of the upright bounding box: all that a detector without masks can say."""
    rows, columns = np.nonzero(drawn.mask)
    return float(np.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1)), math.nan


def skeleton_pixels(drawn: Drawn) -> Size:
    """Number of pixels of the skeleton: the usual quick answer."""
    return float(np.count_nonzero(thin(drawn.mask))), math.nan


def skan(drawn: Drawn) -> Size:
    """Longest shortest path of the skeleton with skan (Nunez-Iglesias et al., PeerJ 6, 2018).

    Raises ImportError where skan is not installed.
    """
    from skan import Skeleton
    from skimage.morphology import skeletonize

    try:
        graph = Skeleton(skeletonize(drawn.mask))
    except ValueError:  # a skeleton of a single pixel has no path
        return 1.0, math.nan
    longest = graph.path_lengths().sum() if graph.n_paths == 1 else _longest(graph)
    return float(max(longest, 1.0)), math.nan


def _longest(graph: object) -> float:
    from scipy.sparse.csgraph import shortest_path

    found = shortest_path(graph.graph, directed=False)  # type: ignore[attr-defined]
    return float(found[np.isfinite(found)].max())


METHODS: dict[str, Callable[[Drawn], Size]] = {
    "inspector": ours,
    "inspector, through the model": through_the_model,
    "skan, longest path": skan,
    "skeleton pixels": skeleton_pixels,
    "bounding-box diagonal": diagonal,
}


def run(out: Path, count: int = 2000, seed: int = 1) -> list[dict[str, float | str]]:
    """Draw, measure in every way that is installed, and write the report to `out`."""
    rng = np.random.default_rng(seed)
    scratches = [draw(rng) for _ in tracked(range(count), "drawing")]
    methods = []
    for name, method in METHODS.items():
        try:
            sizes = [method(s) for s in tracked(scratches, name)]
        except ImportError:
            continue
        truth = np.array([(s.length_px, s.width_px) for s in scratches])
        methods.append(Method(name, *(np.array(sizes) - truth).T))
    out.mkdir(parents=True, exist_ok=True)
    _write_csv(out / "metrology.csv", scratches, methods)
    rows = [summary(scratches, m, shape) for m in methods for shape in (None, *SHAPES)]
    facts = {"count": count, "seed": seed, "rows": rows}
    (out / "metrology.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    _plot(out / "metrology.png", scratches, methods)
    return rows


def summary(
    scratches: list[Drawn], method: Method, shape: str | None = None
) -> dict[str, float | str]:
    """The share that is found, and of it the bias, the limits that hold 95 % of the errors, the
    share within 2 px or 2 %, and of the widths, where it says one, the bias and the share within
    1 px.
    """
    chosen = np.array([shape in (None, s.shape) for s in scratches])
    found = chosen & np.isfinite(method.error_px)
    truth = np.array([s.length_px for s in scratches])[found]
    error = method.error_px[found]
    low, high = np.percentile(error, [2.5, 97.5])
    within = np.abs(error) <= np.maximum(WITHIN_PX, WITHIN_SHARE * truth)
    wider = method.width_error_px[found]
    wider = wider[np.isfinite(wider)]
    says_width = wider.size > 0
    return {
        "method": method.name,
        "shape": shape or "all",
        "scratches": int(chosen.sum()),
        "found": round(float(found.sum() / chosen.sum()), 3),
        "bias_px": round(float(error.mean()), 2),
        "low_95_px": round(float(low), 2),
        "high_95_px": round(float(high), 2),
        "within": round(float(within.mean()), 3),
        "median_abs_px": round(float(np.median(np.abs(error))), 2),
        "width_bias_px": round(float(wider.mean()), 2) if says_width else "",
        "width_within": round(float((np.abs(wider) <= 1).mean()), 3) if says_width else "",
    }


def table(rows: list[dict[str, float | str]]) -> Table:
    """The summaries as they are shown on a terminal."""
    shown = Table(title="length and width against the truth, px")
    for head in rows[0]:
        shown.add_column(head, justify="left" if head in ("method", "shape") else "right")
    for row in rows:
        shown.add_row(*map(str, row.values()))
    return shown


def _write_csv(path: Path, scratches: list[Drawn], methods: list[Method]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["shape", "length_px", "width_px", *(f"{m.name} error" for m in methods)])
        for k, s in enumerate(scratches):
            errors = [round(float(m.error_px[k]), 3) for m in methods]
            writer.writerow([s.shape, round(s.length_px, 3), round(s.width_px, 3), *errors])


def _plot(path: Path, scratches: list[Drawn], methods: list[Method]) -> None:
    from matplotlib.figure import Figure

    truth = np.array([s.length_px for s in scratches])
    figure = Figure(figsize=(4.2 * len(methods), 3.8), layout="constrained")
    for axes, method in zip(np.atleast_1d(figure.subplots(1, len(methods))), methods, strict=True):
        low, high = np.nanpercentile(method.error_px, [2.5, 97.5])
        for shape, colour in zip(SHAPES, ("C0", "C1", "C2", "C3"), strict=True):
            chosen = np.array([s.shape == shape for s in scratches])
            axes.plot(truth[chosen], method.error_px[chosen], ".", ms=2, color=colour, label=shape)
        axes.axhline(float(np.nanmean(method.error_px)), color="k", lw=1)
        for limit in (low, high):
            axes.axhline(float(limit), color="k", lw=0.8, ls="--")
        reach = max(5.0, 1.6 * max(abs(low), abs(high)))
        axes.set(xscale="log", ylim=(-reach, reach), title=method.name, xlabel="true length, px")
    figure.axes[0].set_ylabel("measured - true, px")
    figure.axes[0].legend(markerscale=5, fontsize=8)
    figure.savefig(path, dpi=110)

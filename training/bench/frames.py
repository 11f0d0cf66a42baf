"""Large frames: what becomes of a length that crosses seams, and what an inspection costs by area.

A scratch is drawn across 0 to `MOST_SEAMS` seams of our tiles. Each way finds it with the same net
and tells the longest scratch that it sees; lengths come from the same code, so that only cutting
up and putting together differ:

- inspector: tiles at native resolution, put together on one canvas before anything is a scratch;
- the frame shrunk to the net's input, as a detector does by default;
- SAHI: slices with an overlap of 0.2, their objects merged by GREEDYNMM on boxes (its default);
- supervision's InferenceSlicer, with non-max merging of its objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inspector.limits import Limits
from inspector.measure import measure
from inspector.pipeline import Inspector
from inspector.progress import tracked
from inspector.refine import refine
from inspector.segment import tiles
from inspector.segment.segmenter import Segmenter
from inspector.types import Detection, Frame, Image
from training.bench.pictures import arc, scratched, wandering
from training.bench.values import Spread, in_turn

MOST_SEAMS = 6
HEIGHT, WIDTH = 640, 4000
PER_SEAMS = 8
HEADINGS, PER_HEADING = (0, 2, 5, 10, 30, 45, 60, 85, 88, 90), 20
MEGAPIXELS = (1, 2, 5, 12, 24, 50)
LINE_SCAN = (12_000, 2_000)
SLICE, SLICE_OVERLAP = 640, 0.2
SEED = 11


@dataclass(frozen=True, slots=True)
class Seams:
    """One way on scratches that cross so many seams: the error of the longest length in percent
    (median of the absolute, and the worst), and pieces that the scratch was told as, on average.
    """

    way: str
    seams: int
    median: float
    worst: float
    pieces: float


@dataclass(frozen=True, slots=True)
class Cost:
    """An inspection of a frame: ms, and the resident memory in MB above that of a small frame."""

    name: str
    megapixels: float
    tiles: int
    ms: Spread
    more_mb: float


@dataclass(frozen=True, slots=True)
class Straight:
    """Straight scratches with this heading against the frame's rows: how many of `count` were
    measured to within a tenth, and how many were not found at all.
    """

    degrees: int
    true: int
    missed: int
    count: int


Way = Callable[[Image], list[float]]
"""A frame → the lengths of what is found on it, in px."""


def seams(segmenter: Segmenter, refused: list[str]) -> list[Seams]:
    """Rows of every way that is installed, by the number of seams crossed."""
    ways = _ways(segmenter, refused)
    rng = np.random.default_rng(SEED)
    edges = _seams_of(WIDTH, segmenter.manifest.input.width)
    rows = []
    for count in tracked(range(MOST_SEAMS + 1), "seams"):
        errors: dict[str, list[float]] = {name: [] for name in ways}
        pieces: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(PER_SEAMS):
            left, right = 60, edges[count] - 60
            length = right - left if count else rng.uniform(200, 400)
            centre = np.array([(left + right) / 2, HEIGHT / 2])
            line = wandering(rng, centre, length, HEIGHT)
            made = scratched(rng, WIDTH, HEIGHT, [line])
            for name, way in ways.items():
                found = way(made.image)
                longest = max(found, default=0.0)
                errors[name].append(100 * abs(longest / made.lengths_px[0] - 1))
                pieces[name].append(len(found))
        rows += [
            Seams(name, count, float(np.median(e)), max(e), float(np.mean(pieces[name])))
            for name, e in errors.items()
        ]
    return rows


def straight(segmenter: Segmenter) -> list[Straight]:
    """Rows by heading: a line along the frame's rows or columns may be a joint of the part."""
    side, rows = segmenter.manifest.input.width, []
    for degrees in HEADINGS:
        rng = np.random.default_rng(SEED)
        shares = []
        for _ in range(PER_HEADING):
            heading = np.radians(degrees) + rng.uniform(-0.01, 0.01)
            centre = side / 2 + rng.uniform(-80, 80, 2)
            line = arc(rng, centre, rng.uniform(150, 400), heading, rng.uniform(-0.1, 0.1))
            made = scratched(rng, side, side, [line])
            found = _lengths(segmenter.segment(made.image), made.image)
            shares.append(max(found, default=0.0) / made.lengths_px[0])
        right = sum(abs(share - 1) < 0.1 for share in shares)
        rows.append(Straight(degrees, right, shares.count(0.0), PER_HEADING))
    return rows


def _seams_of(width: int, side: int) -> list[int]:
    """Where one tile's answer ends and the next one's begins, from left to right; and the end."""
    row = tiles.grid(width, side, side, side)
    return [t.x + t.width - tiles.OVERLAP // 2 for t in row[:-1]] + [width]


def _ways(segmenter: Segmenter, refused: list[str]) -> dict[str, Way]:
    side = segmenter.manifest.input.width

    def ours(image: Image) -> list[float]:
        return _lengths(segmenter.segment(image), image)

    def shrunk(image: Image) -> list[float]:
        scale = side / max(image.shape[:2])
        small = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        return [length / scale for length in _lengths(segmenter.segment(small), small)]

    ways: dict[str, Way] = {"inspector": ours, "shrunk to 640 px": shrunk}
    for name, make in (("SAHI", _sahi), ("supervision", _supervision)):
        try:
            ways[name] = make(segmenter)
        except ImportError as error:
            refused.append(f"{name}: {error}")
    return ways


def _lengths(found: list[Detection], image: Image) -> list[float]:
    return [s.length_px for s in measure(refine(found, image))]


def _sahi(segmenter: Segmenter) -> Way:
    from sahi.models.base import DetectionModel
    from sahi.predict import get_sliced_prediction
    from sahi.prediction import ObjectPrediction

    class Net(DetectionModel):
        """Our net behind SAHI's interface: objects with masks, a slice at a time."""

        def load_model(self) -> None:
            self.model = segmenter

        def perform_inference(self, image: np.ndarray) -> None:
            self._original_predictions = segmenter.segment(
                np.ascontiguousarray(image[..., ::-1], np.uint8)
            )

        def _create_object_prediction_list_from_original_predictions(
            self, shift_amount_list: Any = None, full_shape_list: Any = None
        ) -> None:
            shift, shape = (shift_amount_list or [[0, 0]])[0], (full_shape_list or [None])[0]
            shift = shift[0] if isinstance(shift[0], list) else shift
            shape = shape[0] if shape and isinstance(shape[0], list) else shape
            objects = []
            for one in self._original_predictions:
                outlines, _ = cv2.findContours(
                    one.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
                )
                flat = [
                    (o[:, 0] + (one.x, one.y)).ravel().tolist() for o in outlines if len(o) >= 3
                ]
                if flat:
                    objects.append(
                        ObjectPrediction(
                            segmentation=flat, category_id=0, category_name="scratch",
                            score=one.confidence, shift_amount=shift, full_shape=shape,
                        )
                    )  # fmt: skip
            self._object_prediction_list_per_image = [objects]

    net = Net(model_path="none", category_mapping={"0": "scratch"})

    def way(image: Image) -> list[float]:
        told = get_sliced_prediction(
            image[..., ::-1], net, slice_height=SLICE, slice_width=SLICE,
            overlap_height_ratio=SLICE_OVERLAP, overlap_width_ratio=SLICE_OVERLAP,
            perform_standard_pred=False, verbose=0,
        )  # fmt: skip
        masks = [np.asarray(one.mask.bool_mask) for one in told.object_prediction_list]
        return _lengths([_boxed(mask) for mask in masks], image)

    return way


def _boxed(mask: np.ndarray) -> Detection:
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return Detection(1.0, x, y, mask[y : y + height, x : x + width].astype(bool))


def _supervision(segmenter: Segmenter) -> Way:
    import supervision as sv

    def answer(image: np.ndarray) -> Any:
        found = segmenter.segment(np.ascontiguousarray(image, np.uint8))
        if not found:
            return sv.Detections.empty()
        masks = np.zeros((len(found), *image.shape[:2]), bool)
        for mask, one in zip(masks, found, strict=True):
            height, width = one.mask.shape
            mask[one.y : one.y + height, one.x : one.x + width] = one.mask
        return sv.Detections(
            xyxy=sv.mask_to_xyxy(masks).astype(np.float32), mask=masks,
            confidence=np.array([one.confidence for one in found], np.float32),
            class_id=np.zeros(len(found), int),
        )  # fmt: skip

    overlap = round(SLICE_OVERLAP * SLICE)
    slicer = sv.InferenceSlicer(
        callback=answer, slice_wh=(SLICE, SLICE), overlap_wh=(overlap, overlap),
        overlap_filter=sv.OverlapFilter.NON_MAX_MERGE,
    )  # fmt: skip

    def way(image: Image) -> list[float]:
        told = slicer(image)
        masks = [] if told.mask is None else list(np.asarray(told.mask))
        return _lengths([_boxed(mask) for mask in masks], image)

    return way


def cost(segmenter: Segmenter, rounds: int) -> list[Cost]:
    """Time and memory over the area, with three scratches on every frame; smallest frame first.

    All frames are drawn before any is inspected, and take turns.
    """
    inspector = Inspector(segmenter, Limits(min_scratch_px=40))
    rng = np.random.default_rng(SEED)
    sizes = [(f"{m} MP", *_size(m)) for m in MEGAPIXELS]
    sizes.insert(-1, (f"line scan {LINE_SCAN[0]} × {LINE_SCAN[1]}", *LINE_SCAN))
    images = {n: _frame(rng, w, h) for n, w, h in tracked(sizes, "area")}

    def inspecting(name: str) -> Callable[[], object]:
        return lambda: inspector.inspect(Frame(images[name], name, time.monotonic()))

    ways = {name: inspecting(name) for name in images}
    memory = {name: _more_mb(way) for name, way in ways.items()}
    took = in_turn(ways, rounds)
    side = segmenter.manifest.input
    return [
        Cost(
            name, width * height / 1e6, len(tiles.grid(width, height, side.width, side.height)),
            Spread.of(took[name]), memory[name],
        )
        for name, width, height in sizes
    ]  # fmt: skip


def _frame(rng: np.random.Generator, width: int, height: int) -> Image:
    lines = [
        arc(rng, rng.uniform(200, (width - 200, height - 200)), 150, rng.uniform(0, 3), 0.5)
        for _ in range(3)
    ]
    return scratched(rng, width, height, lines).image


def _more_mb(do: Callable[[], object]) -> float:
    """By how much resident memory was higher at its highest than before, in MB.

    The kernel's high-water mark is set back first: drawing the frames took more than judging them.
    """
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status_mb("VmRSS")
    do()
    return max(0.0, _status_mb("VmHWM") - before)


def _size(megapixels: float) -> tuple[int, int]:
    """Width and height of a frame of 4 : 3, even."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5 / 2) * 2
    return round(height * 4 / 3 / 2) * 2, height


def _status_mb(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024

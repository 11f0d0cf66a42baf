"""A process that judges with one runtime and precision, a picture at a time, when it is told to.

One process each, so that memory and start are its own, and so that the ways can take turns.
"""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

from inspector.bench.values import Judged, Usage
from inspector.cameras.pictures import load_picture
from inspector.config import ModelConfig
from inspector.errors import InspectorError
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.segment import bundle, tiles
from inspector.types import Frame, Image, Unseen

KB = 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """The first picture was judged."""

    runtime: str
    proved: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be run so on this machine, or with this bundle."""

    why: str


def work(link: Connection, config: ModelConfig, cache: Path, pictures: list[Path]) -> None:
    """Answer `Ready` or `Refused`; then for each number received how its picture was judged, and
    for None what was used. Ends when the other side hangs up.
    """
    cv2.setNumThreads(1)  # as the daemon does
    try:
        segmenter, info = bundle.open_segmenter(config, cache)
    except InspectorError as error:
        link.send(Refused(str(error)))
        return
    inspector = Inspector(segmenter, Limits())
    frames = [_frame(path) for path in pictures]

    def judge(number: int) -> Judged:
        frame = frames[number]
        now = Frame(frame.image, frame.source, time.monotonic())
        timing = inspector.inspect(now).timing
        return Judged(timing, _alone(inspector, frame.image))

    judge(0)
    precision = info.runtime.rpartition("/")[2]
    link.send(Ready(info.runtime, precision in {"f32", *segmenter.manifest.precisions}))
    _serve(link, judge)


def _serve(link: Connection, judge: Callable[[int], Judged]) -> None:
    cpu_s, wall_s = 0.0, 0.0
    while True:
        try:
            number = link.recv()
        except EOFError:
            return
        if number is None:
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KB / 1e6
            link.send(Usage(cpu_s, wall_s, peak_mb))
            continue
        cpu, wall = time.process_time(), time.perf_counter()
        judged = judge(number)
        cpu_s += time.process_time() - cpu
        wall_s += time.perf_counter() - wall
        link.send(judged)


def _frame(path: Path) -> Frame:
    part = load_picture(path)
    if isinstance(part, Unseen):
        raise InspectorError(f"{path}: expected a picture, found: {part.detail}")
    return part


def _alone(inspector: Inspector, image: Image) -> float:
    """Milliseconds that the model alone takes for the tiles of a picture, already cut."""
    segmenter, (height, width) = inspector.segmenter, image.shape[:2]
    size = segmenter.manifest.input
    cut = [
        tiles.cut(image, tile, size.width, size.height, size.pad)
        for tile in tiles.grid(width, height, size.width, size.height)
    ]
    start = time.perf_counter()
    for tile in cut:
        segmenter.runtime.infer(tile)
    return (time.perf_counter() - start) * 1000

"""Where the time of one part goes: by stage, and by step of what measures the scratches."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import inspector
from inspector.config import ModelConfig
from inspector.limits import Limits
from inspector.measure import measure
from inspector.pipeline import Inspector
from inspector.refine import refine
from inspector.segment import bundle as bundles
from inspector.segment.bundle import Bundle
from inspector.segment.segmenter import Segmenter
from inspector.types import Detection, Frame, Image
from training.bench.peers import SCRATCHES, SEED, SIDE
from training.bench.pictures import in_a_grid
from training.bench.values import WARM_UP, Spread

STAGES = ("look", "inference alone", "cut, check, spots", "refine", "measure", "decide", "whole")
TOLD = 12
"""Steps in the table, the dearest."""
PROFILED = 20
"""Rounds under the profiler, which itself makes short steps look longer than they are."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Milliseconds of each of `STAGES` with so many scratches in view."""

    scratches: int
    ms: dict[str, Spread]


@dataclass(frozen=True, slots=True)
class Step:
    """A function's own time, without what it calls: its share of all, and calls per scratch."""

    name: str
    share: float
    calls: float


def run(bundle: Bundle, rounds: int) -> tuple[list[Stages], list[Step]]:
    """Both tables, with the runtime and precision that `auto` takes here."""
    segmenter = Segmenter(bundle.manifest, bundles.open_runtime(bundle, ModelConfig()))
    judge = Inspector(segmenter, Limits(min_scratch_px=40))
    images = [in_a_grid(np.random.default_rng(SEED), SIDE, n).image for n in SCRATCHES]
    took: list[list[dict[str, float]]] = [[] for _ in images]
    for _ in range(WARM_UP + rounds):
        for image, laps in zip(images, took, strict=True):
            laps.append(_laps(judge, image))
    stages = [
        Stages(n, {name: Spread.of([lap[name] for lap in laps[WARM_UP:]]) for name in STAGES})
        for n, laps in zip(SCRATCHES, took, strict=True)
    ]
    return stages, _steps(segmenter.segment(images[-1]), images[-1])


def _laps(judge: Inspector, image: Image) -> dict[str, float]:
    timing = judge.inspect(Frame(image, "picture", time.monotonic())).timing
    found = judge.segmenter.segment(image)
    start = time.perf_counter()
    judge.segmenter.runtime.infer(image)
    inferred = time.perf_counter()
    refine(found, image)
    refined = time.perf_counter()
    infer_ms, refine_ms = 1000 * (inferred - start), 1000 * (refined - inferred)
    parts = (
        timing.look, infer_ms, timing.segment - infer_ms, refine_ms, timing.measure - refine_ms,
        timing.decide, timing.total,
    )  # fmt: skip
    return dict(zip(STAGES, parts, strict=True))


def _steps(found: Sequence[Detection], image: Image) -> list[Step]:
    with cProfile.Profile() as profile:
        for _ in range(PROFILED):
            measure(refine(found, image))
    stats = pstats.Stats(profile)
    whole = stats.total_tt  # type: ignore[attr-defined]
    ours = Path(inspector.__file__).parent
    steps = [
        Step(_named(file, line, name, ours), own / whole, calls / (PROFILED * len(found)))
        for (file, line, name), (_, calls, own, *_) in stats.stats.items()  # type: ignore[attr-defined]
    ]
    return sorted(steps, key=lambda step: -step.share)[:TOLD]


def _named(file: str, line: int, name: str, ours: Path) -> str:
    if Path(file).is_relative_to(ours):
        return f"{Path(file).relative_to(ours.parent)}: {name}"
    # Of what is written in C there is no file.
    return (
        f"{Path(file).name}: {name}" if line else name.strip("<>").removeprefix("built-in method ")
    )

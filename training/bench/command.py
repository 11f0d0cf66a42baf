"""Runs the benchmarks that are asked for, and writes each table once it is there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import cv2
from rich.console import Console

from inspector.config import ModelConfig
from inspector.segment import bundle as bundles
from inspector.segment.segmenter import Segmenter
from training.bench import frames, lines, peers, profiles, report

Part = Literal["peers", "profile", "frames", "lines"]
COST_ROUNDS = 5


def run(
    bundle: str, weights: Path, page: Path, only: Part | None, rounds: int, seconds: float
) -> None:
    """Measure, and put the tables into `page`."""
    cv2.setNumThreads(1)  # as the daemon does
    made = bundles.load(bundles.locate(bundle))

    def wanted(part: Part) -> bool:
        return only in (None, part)

    report.put(page, "machine", report.about())
    if wanted("peers"):
        with tempfile.TemporaryDirectory() as folder:
            rows, refused = peers.run(made, weights, Path(folder), rounds)
        _write(page, "peers", report.peers(rows, refused))
    if wanted("profile"):
        stages, steps = profiles.run(made, rounds)
        _write(page, "stages", report.stages(stages))
        _write(page, "steps", report.steps(steps))
    if wanted("frames"):
        segmenter = Segmenter(made.manifest, bundles.open_runtime(made, ModelConfig()))
        refused = []
        crossed = frames.seams(segmenter, refused)
        report.plot(page.with_name("seams.png"), crossed)
        _write(page, "seams", report.seams(crossed, refused))
        _write(page, "straight", report.straight(frames.straight(segmenter)))
        _write(page, "area", report.cost(frames.cost(segmenter, COST_ROUNDS)))
    if wanted("lines"):
        _write(page, "lines", report.lines(lines.run(seconds)))


def _write(page: Path, name: str, table: list[str]) -> None:
    Console(soft_wrap=True).print("\n".join(table), markup=False)
    report.put(page, name, table)

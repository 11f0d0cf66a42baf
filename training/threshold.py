"""Choose a bundle's confidence on generated hold-out pictures, judged as the edge judges."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from inspector.measure import measure
from inspector.segment.segmenter import Segmenter

LIMIT_PX = 40.0
"""The size limit that a line starts with."""
UNSURE = 0.15
"""Pictures whose longest scratch is this close to the limit (as a share) are left out."""
FALSE_REJECT_COST = 3.0
"""One false reject weighs as much as this many missed scratched parts."""
LOWEST = 0.05


@dataclass(frozen=True, slots=True)
class Choice:
    """A confidence and what it does on the hold-out: shares of bad found and of good rejected."""

    confidence: float
    recall: float
    false_reject: float
    pictures: int


def choose(segmenter: Segmenter, data: Path, split: str = "val", progress: bool = False) -> Choice:
    """The confidence that serves best on truth-`split`.jsonl in the data set's folder `data`."""
    rows = [json.loads(line) for line in (data / f"truth-{split}.jsonl").read_text().splitlines()]
    looker = Segmenter(segmenter.manifest, segmenter.runtime, LOWEST)
    bad, peaks = [], []
    for row in track(rows, "choosing the confidence", disable=not progress):
        longest = max((s["length_px"] for s in row["scratches"]), default=0.0)
        if LIMIT_PX * (1 - UNSURE) < longest < LIMIT_PX * (1 + UNSURE):
            continue
        image = cv2.imread(str(data / row["image"]))
        long = [
            d.confidence for d in looker.segment(np.asarray(image, np.uint8))
            if any(s.length_px >= LIMIT_PX for s in measure(d))
        ]  # fmt: skip
        bad.append(longest >= LIMIT_PX)
        peaks.append(max(long, default=0.0))
    return best_choice(np.array(bad), np.array(peaks))


def best_choice(bad: np.ndarray, peaks: np.ndarray) -> Choice:
    """From truth (n,) bool and the surest reject-worthy detection of each picture (n,), or 0."""
    options = []
    for confidence in np.arange(LOWEST, 0.9, 0.01):
        said = peaks >= confidence
        recall, false_reject = float(said[bad].mean()), float(said[~bad].mean())
        options.append(
            (recall - FALSE_REJECT_COST * false_reject, confidence, recall, false_reject)
        )
    _, confidence, recall, false_reject = max(options)
    return Choice(round(float(confidence), 2), round(recall, 4), round(false_reject, 4), len(bad))

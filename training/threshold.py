"""Choose a bundle's confidence on generated hold-out pictures, judged as the edge judges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspector.cameras.pictures import load_picture
from inspector.errors import NoInputError
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.progress import tracked
from inspector.segment.runtime import Outputs, Runtime
from inspector.segment.segmenter import Segmenter
from inspector.types import Image, Verdict
from training.evaluation import labels
from training.evaluation.summary import UNSURE

LIMIT_PX = 40.0
"""The size limit that a line starts with."""
FALSE_REJECT_COST = 3.0
"""One false reject weighs as much as this many missed scratched parts."""
TRIED = np.round(np.arange(0.06, 0.9, 0.03), 2)


@dataclass(frozen=True, slots=True)
class Choice:
    """A confidence and what it does on the hold-out: shares of bad found and of good rejected."""

    confidence: float
    recall: float
    false_reject: float
    pictures: int


class _Once:
    """A runtime that is asked once per picture, however many confidences are tried on it."""

    def __init__(self, runtime: Runtime) -> None:
        self.name = runtime.name
        self._runtime = runtime
        self._answers: dict[bytes, Outputs] = {}

    def infer(self, image: Image) -> Outputs:
        tile = image.tobytes()
        if tile not in self._answers:  # kept: a runtime writes the next one into the same memory
            self._answers[tile] = tuple(np.array(output) for output in self._runtime.infer(image))
        return self._answers[tile]

    def forget(self) -> None:
        self._answers.clear()


def choose(segmenter: Segmenter, data: Path) -> Choice:
    """The confidence that serves best on the hold-out of the data set in the folder `data`.

    Raises:
        LabelError: labels that cannot be true.
        NoInputError: pictures that are not there; or no good part, or no bad one: nothing could be
            weighed.
    """
    truth = data / "truth-val.jsonl"
    rows = labels.read(truth)
    runtime, limits = _Once(segmenter.runtime), Limits(min_scratch_px=LIMIT_PX)
    inspectors = [
        Inspector(Segmenter(segmenter.manifest, runtime, float(c)), limits) for c in TRIED
    ]
    bad, rejected = [], []
    for row in tracked(rows, "Choosing the confidence"):
        # A bad part without outlines is trusted to be bad by more than the limit.
        unmeasured = math.inf if row.bad else 0.0
        longest = max((s.length_px for s in row.scratches), default=unmeasured)
        if LIMIT_PX * (1 - UNSURE) < longest < LIMIT_PX * (1 + UNSURE):
            continue
        part = load_picture(row.path)
        results = (inspector.inspect(part) for inspector in inspectors)
        bad.append(longest >= LIMIT_PX)
        rejected.append([result.verdict is not Verdict.PASS for result in results])
        runtime.forget()
    if not 0 < sum(bad) < len(bad):
        raise NoInputError(
            f"{truth}: expected good parts and bad ones to choose the confidence on, found "
            f"{bad.count(False)} good and {bad.count(True)} bad"
        )
    return best_choice(np.array(bad), np.array(rejected))


def best_choice(bad: NDArray[np.bool_], rejected: NDArray[np.bool_]) -> Choice:
    """From the truth (n,) and what each of the `TRIED` confidences says (n, len(TRIED))."""
    recall, false_reject = rejected[bad].mean(axis=0), rejected[~bad].mean(axis=0)
    k = int(np.argmax(recall - FALSE_REJECT_COST * false_reject))
    return Choice(
        float(TRIED[k]), round(float(recall[k]), 4), round(float(false_reject[k]), 4), len(bad)
    )

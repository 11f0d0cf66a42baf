"""What blinds an inspector, by the thousands: nothing of it may pass.

The model finds nothing, so that each part would pass if it were believed. Before each fault the
same inspector passes the good part, which shows that it was the fault that made it refuse.
"""

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import cv2
import numpy as np

from inspector import pipeline
from inspector.cameras.pictures import load_picture
from inspector.limits import Limits
from inspector.pipeline import Inspector, View
from inspector.segment.manifest import Head
from inspector.segment.runtime import FakeRuntime, Outputs
from inspector.segment.segmenter import Segmenter
from inspector.sight import see
from inspector.types import Detection, Frame, Reason, Rule, Unseen, Verdict
from inspector.windows import Reference, Sight
from tests.faults.fault import Fault, Outcome, Run
from tests.support.bundles import manifest_of

SIZE = (160, 120)
HEADS: tuple[Head, ...] = ("end2end", "raw", "dense")
FRESH_S = 0.5
MARK = (40, 30, 24, 16)  # x, y, width, height
FOUND = Detection(0.9, 50, 40, np.ones((4, 60), np.bool_))


class Line:
    """An inspector that has learned what its parts look like, and one good part."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._seen = 0
        self.manifest = manifest_of(rng.choice(HEADS), max(SIZE))
        self.good = _part(np.random.default_rng(rng.randrange(1 << 32)))
        self.runtime = FakeRuntime(FakeRuntime.none(self.manifest))
        seen = see(self.good)
        x, y, width, height = MARK
        sight = Sight(
            brightness=(seen.brightness * 0.7, seen.brightness * 1.3),
            max_burnt=seen.burnt + 0.05,
            min_sharpness=seen.sharpness * 0.8,
            reference=Reference(picture="mark.png", at=(x, y), within_px=4),
        )
        gray = cv2.cvtColor(self.good, cv2.COLOR_BGR2GRAY)[y : y + height, x : x + width]
        view = View(size=SIZE, max_age_s=FRESH_S, frozen_after=2, sight=sight, mark=gray)
        self.inspector = Inspector(Segmenter(self.manifest, self.runtime), Limits(), view)

    def inspect(self, image: np.ndarray | None = None, age_s: float = 0.0) -> Verdict:
        """The verdict on a picture, None: on the good one with another sensor noise."""
        image = self._seen_again() if image is None else image
        return self.inspector.inspect(Frame(image, "part", time.monotonic() - age_s)).verdict

    def _seen_again(self) -> np.ndarray:
        self._seen += 1
        other = self.good.copy()
        other[0, self._seen % SIZE[0]] ^= 1
        return other


def _part(rng: np.random.Generator) -> np.ndarray:
    """A printed label, sharp and well lit."""
    image = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    for _ in range(40):
        x, y, gray = int(rng.integers(SIZE[0])), int(rng.integers(SIZE[1])), int(rng.integers(110))
        cv2.rectangle(image, (x, y), (x + 9, y + 5), (gray, gray // 2, gray), -1)
    x, y, width, height = MARK
    pattern = rng.integers(0, 2, (height // 4, width // 4), np.uint8) * 200
    image[y : y + height, x : x + width] = pattern.repeat(4, 0).repeat(4, 1)[..., None]
    return np.clip(image + rng.normal(0, 1.5, image.shape), 0, 255).astype(np.uint8)


def black(line: Line) -> Verdict:
    """The lamp is out: only the sensor's noise is left."""
    return line.inspect(_noise(line, line.rng.uniform(0, 1.5)))


def burnt(line: Line) -> Verdict:
    """Far too much light."""
    gain = line.rng.uniform(3, 50)
    return line.inspect(np.clip(line.good * gain + 60, 0, 255).astype(np.uint8))


def flat(line: Line) -> Verdict:
    """A cap, a hand, a wall."""
    gray = line.rng.uniform(20, 240)
    return line.inspect(np.full_like(line.good, int(gray)))


def dim(line: Line) -> Verdict:
    """One stop or more below what the line has learned."""
    return line.inspect((line.good * 2 ** -line.rng.uniform(1, 5)).astype(np.uint8))


def blurred(line: Line) -> Verdict:
    """Out of focus."""
    return line.inspect(cv2.GaussianBlur(line.good, (0, 0), line.rng.uniform(2.5, 12)))


def moved(line: Line) -> Verdict:
    """The camera was pushed: the mark is where it should not be."""
    away = line.rng.randrange(8, SIZE[0] - 8)
    return line.inspect(np.roll(line.good, away, axis=1))


def covered(line: Line) -> Verdict:
    """Something lies on the mark."""
    x, y, width, height = MARK
    image = line.good.copy()
    image[y - 4 : y + height + 4, x - 4 : x + width + 4] = line.rng.randrange(60, 200)
    return line.inspect(image)


def frozen(line: Line) -> Verdict:
    """The camera shows the last frame again."""
    again = line.good.copy()
    line.inspect(again)
    return line.inspect(again.copy())


def stale(line: Line) -> Verdict:
    """The frame is too old, or nobody knows how old."""
    return line.inspect(age_s=line.rng.choice([line.rng.uniform(0.51, 1e6), math.inf, math.nan]))


def other_size(line: Line) -> Verdict:
    """Another camera, or another mode of it."""
    width, height = SIZE
    wrong = line.rng.choice([(width + 1, height), (height, width), (width * 2, height * 2), (1, 1)])
    return line.inspect(cv2.resize(line.good, wrong))


def other_format(line: Line) -> Verdict:
    """No colours, too many, other numbers, another shape, nothing at all."""
    good = line.good
    odd = [good[:, :, 0], np.dstack([good, good]), good.astype(np.float32), good.astype(np.uint16)]
    odd += [good.astype(bool), good[:0], good[:, :0], good[None], np.zeros((), np.uint8)]
    return line.inspect(line.rng.choice(odd))


def torn(line: Line) -> Verdict:
    """A picture file that ends early, is closed early, or holds zeros from somewhere on."""
    suffix = line.rng.choice([".jpg", ".png"])
    whole = cv2.imencode(suffix, line.good)[1].tobytes()
    data = whole[: line.rng.randrange(len(whole) * 9 // 10)]
    data += line.rng.choice([b"", b"\xff\xd9", bytes(len(whole) - len(data))])
    with mock.patch("inspector.cameras.pictures._read", return_value=data):
        return line.inspector.inspect(load_picture(f"torn{suffix}")).verdict


def no_frame(line: Line) -> Verdict:
    """The camera says nothing."""
    rule = line.rng.choice([Rule.NO_FRAME, Rule.UNREADABLE_IMAGE])
    return line.inspector.inspect(Unseen("part", Reason(rule), "")).verdict


def not_a_number(line: Line) -> Verdict:
    """NaN or infinity anywhere in the outputs of the model."""
    outputs = FakeRuntime.none(line.manifest)
    array = line.rng.choice(outputs)
    odd = line.rng.choice([math.nan, math.inf, -math.inf])
    for _ in range(line.rng.choice([1, 1, 100])):
        array.flat[line.rng.randrange(array.size)] = odd
    return _with(line, outputs)


def other_outputs(line: Line) -> Verdict:
    """Outputs of another model: one too many, one too few, or one of another shape."""
    good = FakeRuntime.none(line.manifest)
    number = line.rng.randrange(len(good))
    one = good[number]
    # Of a head of instances the number of candidates is the model's own affair.
    axes = [line.manifest.candidates_axis] if one.ndim == 3 else [1, 2, 3]
    axis = line.rng.choice([0, *axes])
    others = [np.repeat(one, 2, axis), np.take(one, range(one.shape[axis] - 1), axis), one[0], None]
    other = (*good[:number], line.rng.choice(others), *good[number + 1 :])
    return _with(line, line.rng.choice([other, other, (*good, one), good[1:], (), None]))


def beyond_one(line: Line) -> Verdict:
    """A confidence that is no share, of a detection of any size."""
    odd = replace(FOUND, confidence=line.rng.choice([-0.1, 1.01, 9.0, math.nan, math.inf]))
    with mock.patch.object(line.inspector.segmenter, "segment", return_value=[odd]):
        return line.inspect()


def failing_runtime(line: Line) -> Verdict:
    """Whatever a library raises."""
    with mock.patch.object(line.runtime, "infer", side_effect=_error(line)):
        return line.inspect()


def failing_step(line: Line) -> Verdict:
    """An exception in any word of the sentence."""
    steps = ["look", "as_learned", "in_place", "measure", "decide", "_sane"]
    with mock.patch.object(pipeline, line.rng.choice(steps), side_effect=_error(line)):
        return line.inspect()


def no_measure(line: Line) -> Verdict:
    """A scratch was found, and its measures are no numbers."""
    scratch = pipeline.measure([FOUND])[0]
    name = line.rng.choice(["length_px", "max_width_px", "area_px"])
    odd = replace(scratch, **{name: line.rng.choice([math.nan, math.inf, -math.inf])})
    with (
        mock.patch.object(line.inspector.segmenter, "segment", return_value=[FOUND]),
        mock.patch.object(pipeline, "measure", return_value=[odd]),
    ):
        return line.inspect()


KINDS: tuple[Callable[[Line], Verdict], ...] = (
    *(black, burnt, flat, dim, blurred, moved, covered, frozen, stale, other_size, other_format),
    *(torn, no_frame, not_a_number, other_outputs, beyond_one, failing_runtime, failing_step),
    no_measure,
)


def _noise(line: Line, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(line.rng.randrange(1 << 32)).normal(0, sigma, line.good.shape)
    return np.clip(noise, 0, 6).astype(np.uint8)


def _with(line: Line, outputs: Outputs) -> Verdict:
    with mock.patch.object(line.runtime, "outputs", outputs):
        return line.inspect()


def _error(line: Line) -> Exception:
    kinds = [RuntimeError, MemoryError, ValueError, ZeroDivisionError, KeyError, cv2.error]
    kinds += [OSError, RecursionError, OverflowError, StopIteration, AssertionError, TypeError]
    return line.rng.choice(kinds)("injected")


def inject(run: Run) -> Outcome:
    """One kind after the other; a new line with another part for each round of all kinds."""
    outcome, rng = Outcome(), run.rng
    verdicts = dict.fromkeys(Verdict, 0)
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        for number in run.each():
            kind = KINDS[number % len(KINDS)]
            if kind is KINDS[0]:
                line = Line(rng)
            outcome.expect(line.inspect() is Verdict.PASS, "a good part did not pass")
            verdict = kind(line)
            verdicts[verdict] += 1
            outcome.injected += 1
            outcome.expect(verdict is not Verdict.PASS, f"{kind.__name__} passed, number {number}")
    finally:
        logging.disable(before)
    outcome.measured = f"{len(KINDS)} kinds, " + ", ".join(
        f"{count} {verdict}" for verdict, count in verdicts.items()
    )
    return outcome


FAULTS = (Fault("blinded", "0 passed; the good part before each passes", inject, 2_000, 100_000),)

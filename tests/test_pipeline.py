"""Whatever goes wrong with a part is a verdict `unknown`; nothing of it is a pass or a crash."""

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspector import measure as measuring
from inspector import pipeline
from inspector.config import parse
from inspector.errors import ConfigError
from inspector.limits import ClassLimits, Guard, Limits, Rules, Scale, Zone
from inspector.pipeline import Inspector, View
from inspector.segment.runtime import FakeRuntime, Outputs
from inspector.segment.segmenter import Segmenter
from inspector.types import Frame, Reason, Rule, Unseen, Verdict
from inspector.windows import Reference, Sight
from tests.support.bundles import manifest_of

MANIFEST = manifest_of("end2end", 64)
IMAGE = np.random.default_rng(0).integers(0, 200, (48, 60, 3), np.uint8)


NOTHING = FakeRuntime.none(MANIFEST)
REFERENCED = Sight(reference=Reference(picture="mark.png", at=(20, 8), within_px=4))


def scratch_outputs() -> Outputs:
    """A mask of 32 × 4 px at (8, 16), which without its margin is a scratch of 28."""
    candidates, prototypes = FakeRuntime.none(MANIFEST)
    candidates[0, 0, :7] = 8, 16, 40, 20, 0.9, 0, 1
    prototypes[0, 0] = -5
    prototypes[0, 0, 4, 2:10] = 5
    return candidates, prototypes


def inspector(outputs: Outputs, view: View = pipeline.WHOLE_FRAME, limit: float = 20) -> Inspector:
    return Inspector(Segmenter(MANIFEST, FakeRuntime(outputs)), Limits(min_scratch_px=limit), view)


def frame(image: np.ndarray = IMAGE, age_s: float = 0) -> Frame:
    return Frame(image, "part", time.monotonic() - age_s, 1.5)


def test_a_clean_part_passes() -> None:
    """The model finds nothing, every check is passed: the only way to a pass."""
    result = inspector(FakeRuntime.none(MANIFEST)).inspect(frame())

    assert (result.verdict, result.reasons, result.scratches) == (Verdict.PASS, (), ())
    assert result.size == (60, 48)
    assert result.timing.total >= result.timing.grab == 1.5


def test_a_scratch_beyond_the_limit_fails() -> None:
    """The reason carries the measured length, and so does the scratch."""
    result = inspector(scratch_outputs()).inspect(frame())

    assert result.verdict is Verdict.FAIL
    assert result.reasons[0].rule is Rule.MIN_SCRATCH_PX
    assert result.reasons[0].value == result.scratches[0].length_px == pytest.approx(28, abs=1)


def test_a_scratch_below_the_limit_passes_and_is_told() -> None:
    """Small scratches are reported on a part that passes."""
    result = inspector(scratch_outputs(), limit=100).inspect(frame())

    assert result.verdict is Verdict.PASS
    assert len(result.scratches) == 1


def test_an_unseen_part_is_unknown() -> None:
    """Where there is no picture there is no verdict."""
    unseen = Unseen("x.jpg", Reason(Rule.UNREADABLE_IMAGE), "truncated", 0.2)

    result = inspector(FakeRuntime.none(MANIFEST)).inspect(unseen)

    assert (result.verdict, result.reasons) == (Verdict.UNKNOWN, (unseen.reason,))
    assert result.size is None


class Raising(FakeRuntime):
    def __init__(self, error: Exception) -> None:
        super().__init__(FakeRuntime.none(MANIFEST))
        self.error = error

    def infer(self, tile):
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("driver"), MemoryError(), ValueError("shape")])
def test_an_exception_in_the_runtime_is_unknown(error: Exception) -> None:
    """Whatever a library raises."""
    blind = Inspector(Segmenter(MANIFEST, Raising(error)), Limits())

    assert blind.inspect(frame()).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nonsense_from_the_model_is_unknown(value: float) -> None:
    """NaN in an output that would otherwise mean «no scratch»."""
    outputs = FakeRuntime.none(MANIFEST)
    outputs[0][0, 7, 3] = value

    result = inspector(outputs).inspect(frame())

    assert (result.verdict, result.reasons[0].rule) == (Verdict.UNKNOWN, Rule.MODEL_ERROR)


@pytest.mark.parametrize("confidence", [1.01, 7.0])
def test_a_confidence_beyond_one_is_unknown(confidence: float) -> None:
    """No working model says it, and neither a fail nor a message can be made of it."""
    outputs = scratch_outputs()
    outputs[0][0, 0, 4] = confidence

    result = inspector(outputs).inspect(frame())

    assert (result.verdict, result.reasons) == (Verdict.UNKNOWN, (Reason(Rule.MODEL_ERROR),))


@pytest.mark.parametrize("confidence", [math.nan, -0.01])
def test_a_confidence_that_is_no_share_is_unknown(
    monkeypatch: pytest.MonkeyPatch, confidence: float
) -> None:
    """Whatever a segmenter lets through."""
    asked = inspector(scratch_outputs())
    (found,) = asked.segmenter.segment(IMAGE)
    told = [replace(found, confidence=confidence)]
    monkeypatch.setattr(asked.segmenter, "segment", lambda _: told)

    result = asked.inspect(frame())

    assert (result.verdict, result.reasons) == (Verdict.UNKNOWN, (Reason(Rule.MODEL_ERROR),))


def test_a_measure_that_is_not_finite_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A NaN length is no pass, and does not reach the message."""
    monkeypatch.setattr(measuring, "_length", lambda *_: float("nan"))

    result = inspector(scratch_outputs()).inspect(frame())

    assert (result.verdict, result.scratches) == (Verdict.UNKNOWN, ())


@pytest.mark.parametrize(
    ("view", "image", "age_s", "rule"),
    [
        (View(max_age_s=0.5), IMAGE, 0.6, Rule.STALE_FRAME),
        (View(size=(61, 48)), IMAGE, 0, Rule.FRAME_SIZE),
        (View(roi=(0, 0, 61, 10)), IMAGE, 0, Rule.OUTSIDE_FRAME),
        (View(roi=(0, 40, 10, 9)), IMAGE, 0, Rule.OUTSIDE_FRAME),
        (View(), np.zeros_like(IMAGE), 0, Rule.TOO_DARK),
        (View(), np.full_like(IMAGE, 255), 0, Rule.TOO_BRIGHT),
        (View(), np.full_like(IMAGE, 99), 0, Rule.NO_CONTRAST),
        (View(), IMAGE[:, :, 0], 0, Rule.FRAME_FORMAT),
        (View(), IMAGE[0, :, 0], 0, Rule.FRAME_FORMAT),
        (View(), IMAGE.astype(float), 0, Rule.FRAME_FORMAT),
        (View(), IMAGE[:0], 0, Rule.UNREADABLE_IMAGE),
        (View(sight=Sight(brightness=(120, 200))), IMAGE, 0, Rule.TOO_DARK),
        (View(sight=Sight(brightness=(0, 80))), IMAGE, 0, Rule.TOO_BRIGHT),
        (View(sight=Sight(min_sharpness=0.99)), IMAGE, 0, Rule.TOO_BLURRED),
        (View(sight=REFERENCED), IMAGE, 0, Rule.NOT_IN_PLACE),
        (View(sight=REFERENCED, mark=IMAGE[8:24, 0:16, 1]), IMAGE, 0, Rule.NOT_IN_PLACE),
        (View(frozen_after=2), None, 0, Rule.FROZEN),
    ],
)
@pytest.mark.parametrize("outputs", ["a scratch", "nothing"])
def test_a_frame_that_cannot_be_judged_is_unknown(view, image, age_s, rule, outputs) -> None:
    """The reason names the check, and the model is not asked, also where it would find nothing."""
    asked = inspector(scratch_outputs() if outputs == "a scratch" else NOTHING, view)
    if image is None:  # a second frame that is equal to the first
        image = IMAGE.copy()
        asked.inspect(frame())
        asked.segmenter.runtime.tiles.clear()

    result = asked.inspect(frame(image, age_s))

    assert (result.verdict, result.reasons[0].rule) == (Verdict.UNKNOWN, rule)
    assert asked.segmenter.runtime.tiles == []


def test_windows_are_of_the_region_of_interest_and_the_mark_is_of_the_frame() -> None:
    """What stands beside the part may be as dark as it likes, and carry the mark."""
    image = IMAGE.copy()
    image[:, :30] //= 9
    mark = image[8:24, 2:18, 1]
    reference = Reference(picture="mark.png", at=(2, 8), min_score=0.3)
    sight = Sight(brightness=(90, 110), min_sharpness=0.1, reference=reference)

    whole = inspector(NOTHING, View(sight=sight, mark=mark)).inspect(frame(image))
    part = inspector(NOTHING, View(roi=(30, 0, 30, 48), sight=sight, mark=mark))

    assert whole.reasons[0].rule is Rule.TOO_DARK
    assert part.inspect(frame(image)).verdict is Verdict.PASS


def test_a_camera_that_repeats_itself_is_not_believed_until_it_moves() -> None:
    """From the third equal frame on each part is unknown; one gray level of change ends it."""
    asked = inspector(NOTHING, View(frozen_after=3))
    other = IMAGE.copy()
    other[0, 0, 0] += 1

    results = [asked.inspect(frame(image)) for image in (IMAGE,) * 5 + (other,)]

    assert [result.verdict.value for result in results] == ["pass"] * 2 + ["unknown"] * 3 + ["pass"]
    assert results[2].reasons == (Reason(Rule.FROZEN, 3, 3, "frames"),)
    assert results[4].reasons == (Reason(Rule.FROZEN, 5, 3, "frames"),)


HALF = np.ascontiguousarray(IMAGE[::2, ::2])


def test_a_live_camera_that_changes_its_size_is_not_believed() -> None:
    """A limit in px means another length on it, also after other limits were taken over."""
    view = View(one_size=True)
    asked = inspector(NOTHING, view)

    assert asked.inspect(frame()).verdict is Verdict.PASS
    assert asked.inspect(frame(HALF)).reasons == (Reason(Rule.FRAME_SIZE, 30, 60, "px"),)
    asked.judge_by(Limits(min_scratch_px=30), view)
    assert asked.inspect(frame(HALF)).reasons[0].rule is Rule.FRAME_SIZE
    assert asked.view.size == (60, 48)
    assert asked.inspect(frame()).verdict is Verdict.PASS


def test_what_could_not_be_judged_is_no_first_frame() -> None:
    """A stream may begin with a black or a damaged frame of any size."""
    asked = inspector(NOTHING, View(one_size=True))

    assert asked.inspect(frame(np.zeros_like(IMAGE))).reasons[0].rule is Rule.TOO_DARK
    assert asked.inspect(frame(HALF)).verdict is Verdict.PASS
    assert asked.inspect(frame()).reasons == (Reason(Rule.FRAME_SIZE, 60, 30, "px"),)


def test_a_size_that_is_told_counts_and_files_may_differ() -> None:
    """The first frame says nothing where the line does; each picture file is a part of its own."""
    told = inspector(NOTHING, View(one_size=True, size=(30, 24)))
    assert told.inspect(frame()).reasons == (Reason(Rule.FRAME_SIZE, 60, 30, "px"),)
    assert told.inspect(frame(HALF)).verdict is Verdict.PASS
    told.judge_by(Limits(), View(one_size=True, size=(60, 48)))
    assert told.inspect(frame()).verdict is Verdict.PASS

    files = inspector(NOTHING)
    assert [files.inspect(frame(image)).verdict for image in (IMAGE, HALF)] == [Verdict.PASS] * 2


def test_equal_pictures_of_files_are_equal_parts() -> None:
    """Only what a camera shows now can be frozen or stale."""
    text = "site: a\nline: b\ncamera: {source: 'v4l2:/dev/video0', frozen_after: 2}\n"
    config = parse(text, path=Path("line.yaml"))
    live, files = View.of(config, None, live=True), View.of(config, None)

    assert (live.frozen_after, live.max_age_s, live.one_size) == (2, 0.5, True)
    assert (files.frozen_after, files.max_age_s, files.one_size) == (0, math.inf, False)
    asked = inspector(NOTHING, replace(files, size=None))
    assert {asked.inspect(frame()).verdict for _ in range(5)} == {Verdict.PASS}


def zoned(name: str, x: int, limits: object) -> Zone:
    corners = ((x, 0), (x + 19, 0), (x + 19, 47), (x, 47))
    return Zone(name=name, polygon=corners, limits=limits)


def test_zones_scale_and_guard_band_are_those_of_the_line() -> None:
    """The scratch of 28 px at x = 10 reaches from one zone into the next."""
    zones = [zoned("a", 0, Rules(min_scratch_mm=2.6)), zoned("b", 20, Rules(min_scratch_px=28))]
    asked = inspector(scratch_outputs(), View(scale=Scale(mm_per_px=0.1)))
    asked.limits = Limits(zones=zones, guard=Guard(px=3, policy="recheck"))

    result = asked.inspect(frame())

    (scratch,) = result.scratches
    assert scratch.length_mm == pytest.approx(scratch.length_px / 10)
    assert scratch.zone == "b"
    assert result.verdict is Verdict.UNKNOWN
    assert result.marginal
    told = [(reason.rule, reason.zone) for reason in result.reasons]
    assert told == [
        (Rule.MARGINAL, None),
        (Rule.MIN_SCRATCH_MM, "a"),
        (Rule.MIN_SCRATCH_PX, "b"),
    ]


@pytest.mark.parametrize(("x", "rule"), [(41, None), (42, Rule.OUTSIDE_FRAME)])
def test_a_zone_beside_the_frame_is_unknown(x: int, rule: Rule | None) -> None:
    """It was drawn on frames of another size, and would hold for nothing."""
    asked = inspector(FakeRuntime.none(MANIFEST))
    asked.limits = Limits(zones=[zoned("a", x, Rules(min_scratch_px=9))])

    result = asked.inspect(frame())

    assert [reason.rule for reason in result.reasons] == ([rule] if rule else [])
    assert [reason.zone for reason in result.reasons] == (["a"] if rule else [])


def test_only_the_region_of_interest_is_judged_in_frame_pixels() -> None:
    """The model sees the region; polygons lie in the frame."""
    asked = inspector(scratch_outputs(), View(roi=(10, 4, 48, 40)))

    (scratch,) = asked.inspect(frame()).scratches

    assert asked.segmenter.runtime.tiles[0][:40, :48].tobytes() == IMAGE[4:44, 10:58].tobytes()
    assert min(x for x, _ in scratch.polygon) == pytest.approx(18 + 2, abs=1)
    assert min(y for _, y in scratch.polygon) == pytest.approx(20 + 1.5, abs=1)


@pytest.mark.parametrize(
    ("level", "rule"), [(0, Rule.TOO_DARK), (255, Rule.TOO_BRIGHT), (128, Rule.NO_CONTRAST)]
)
def test_a_part_that_shows_nothing_in_a_frame_that_does_is_unknown(level: int, rule: Rule) -> None:
    """What surrounds the judged part proves nothing about it."""
    image = IMAGE.copy()
    image[10:40, 10:50] = level
    result = inspector(NOTHING, View(roi=(10, 10, 40, 30))).inspect(frame(image))

    assert (result.verdict, result.reasons[0].rule) == (Verdict.UNKNOWN, rule)


def test_more_spots_than_can_be_told_apart_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame full of noise must not keep the gate waiting, nor the watchdog."""
    monkeypatch.setattr(pipeline, "MOST_FOUND", 0)
    result = inspector(scratch_outputs()).inspect(frame())

    assert (result.verdict, result.reasons[0].rule) == (Verdict.UNKNOWN, Rule.MODEL_ERROR)


def test_a_frame_of_many_tiles_that_share_everything_is_unknown() -> None:
    """An input of 64 px leaves nothing between neighbours that share 64 px."""
    result = inspector(NOTHING).inspect(frame(np.tile(IMAGE, (3, 3, 1))))

    assert (result.verdict, result.reasons[0].rule) == (Verdict.UNKNOWN, Rule.MODEL_ERROR)


def test_limits_of_a_class_that_the_model_does_not_have_are_refused() -> None:
    """At the start, and of an inspector that judges: what was in force stays."""
    unknown = Limits(classes=[ClassLimits(name="dent", limits="none")])
    asked = inspector(NOTHING)
    limits, view = asked.limits, asked.view

    with pytest.raises(ConfigError, match="expected a class of the model"):
        Inspector(asked.segmenter, unknown)
    with pytest.raises(ConfigError, match="expected a class of the model"):
        asked.judge_by(unknown, View(roi=(0, 0, 9, 9)))

    assert (asked.limits, asked.view) == (limits, view)


def test_a_class_is_judged_by_its_own_limit_from_the_model_to_the_verdict() -> None:
    """The model's second class has a looser limit than the line."""
    manifest = manifest_of("end2end", 64, classes=("scratch", "dent"))
    candidates, prototypes = scratch_outputs()
    candidates[0, 0, 5] = 1
    limits = Limits(
        min_scratch_px=20,
        classes=[ClassLimits(name="dent", limits=Rules(min_scratch_px=40))],
    )
    asked = Inspector(Segmenter(manifest, FakeRuntime((candidates, prototypes))), limits)

    result = asked.inspect(frame())

    assert [scratch.kind for scratch in result.scratches] == ["dent"]
    assert result.verdict is Verdict.PASS
    asked.judge_by(Limits(min_scratch_px=20), View())
    assert asked.inspect(frame()).verdict is Verdict.FAIL

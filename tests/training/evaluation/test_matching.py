"""Truth against result, on drawn bars: what is found, what is right, and what is left out."""

from pathlib import Path

import numpy as np
import pytest

from inspector.types import Reason, Result, Rule, Scratch, Timing, Verdict
from training.evaluation.labels import LabelError, Labelled, LabelledScratch
from training.evaluation.matching import compare
from training.evaluation.values import Judged, Kind, Overlap
from training.marks import IGNORE, SCRATCH

WIDTH, HEIGHT = 200, 120
Box = tuple[int, int, int, int]
TRUE: Box = (40, 50, 139, 52)
"""A scratch of 100 × 3 px: left, top, right, bottom, all inclusive."""


def outline(box: Box) -> tuple[tuple[int, int], ...]:
    """Its corners."""
    left, top, right, bottom = box
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def marks(*boxes: Box, grey: int = SCRATCH) -> np.ndarray:
    """A mask with these boxes."""
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left, top, right, bottom in boxes:
        out[top : bottom + 1, left : right + 1] = grey
    return out


def labelled(*boxes: Box, bad: bool = True, mask: bool = False) -> Labelled:
    """A picture with these true scratches; their lengths are their widths."""
    scratches = tuple(
        LabelledScratch(polygon=outline(b), length_px=b[2] - b[0] + 1, contrast=30) for b in boxes
    )
    path = Path("a.png")
    return Labelled(path, "a.png", "text", bad, False, path if mask else None, scratches, "m:1")


def seen(*boxes: Box) -> Result:
    """What was found; lengths are the boxes' widths."""
    scratches = tuple(Scratch(b[2] - b[0] + 1, 3, 3, 1, 0.9, outline(b)) for b in boxes)
    verdict = Verdict.FAIL if boxes else Verdict.PASS
    return Result("a.png", verdict, (), scratches, (WIDTH, HEIGHT), Timing(total=7))


def kinds(judged: Judged) -> list[Kind]:
    """What became of the predictions."""
    return [p.kind for p in judged.predictions]


@pytest.mark.parametrize(
    ("predicted", "found", "expected"),
    [
        ([TRUE], True, [Kind.RIGHT]),
        ([], False, []),
        ([(100, 50, 139, 52)], True, [Kind.RIGHT]),  # a piece with IoU 0.4
        ([(130, 50, 138, 52)], False, [Kind.RIGHT]),  # IoU 0.09: a fragment, no finding
        ([(40, 54, 139, 56)], True, [Kind.RIGHT]),  # beside it, its line within 3 px
        ([(40, 55, 139, 57)], False, [Kind.WRONG]),  # 4 px from the line; a third is within 3
        ([(40, 54, 74, 56)], True, [Kind.RIGHT]),  # covers a third by itself
        ([(40, 54, 61, 56)], False, [Kind.RIGHT]),  # covers a fifth: a fragment
        ([(40, 54, 61, 56), (100, 54, 121, 56)], True, [Kind.RIGHT] * 2),  # two fifths together
        ([(40, 54, 61, 56), (40, 46, 61, 48)], False, [Kind.RIGHT] * 2),  # the same px twice
        ([(30, 31, 149, 70)], True, [Kind.RIGHT]),  # IoU 0.06, but a quarter is near: covers it
        ([(0, 0, WIDTH - 1, HEIGHT - 1)], False, [Kind.WRONG]),  # a giant one covers nothing
        ([(10, 90, 90, 92)], False, [Kind.WRONG]),  # elsewhere
        ([TRUE, (10, 90, 90, 92)], True, [Kind.RIGHT, Kind.WRONG]),
    ],
)
def test_what_is_found_and_what_is_right(
    predicted: list[Box], found: bool, expected: list[Kind]
) -> None:
    """By overlap, or by the centre line; a fragment is right even if it finds nothing."""
    judged = compare(labelled(TRUE), None, seen(*predicted))

    assert judged.truths[0].found is found
    assert kinds(judged) == expected


def test_the_length_is_that_of_the_best_match() -> None:
    """Of several pieces the one that overlaps most; what was not found has no error."""
    longer, shorter = (40, 50, 99, 52), (105, 50, 139, 52)

    two = compare(labelled(TRUE), None, seen(shorter, longer)).truths[0]
    beside = compare(labelled(TRUE), None, seen((130, 50, 138, 52))).truths[0]

    assert (two.pieces, two.error_px) == (2, -40)
    assert (beside.found, beside.error_px) == (False, None)


def test_one_prediction_may_find_two_scratches() -> None:
    """Each is asked for by itself, and what lies on neither is wrong."""
    other = (40, 58, 139, 60)

    judged = compare(labelled(TRUE, other), None, seen((40, 50, 139, 60)))

    assert [t.found for t in judged.truths] == [True, True]
    assert kinds(judged) == [Kind.RIGHT]


@pytest.mark.parametrize("bad", [True, False])
def test_what_lies_on_ignored_pixels_is_left_out(bad: bool) -> None:
    """At least half of it, on good parts as on bad ones; a finding there still counts."""
    mask = marks((0, 80, 199, 119), grey=IGNORE)
    boxes = [TRUE] if bad else []
    mask |= marks(*boxes)

    judged = compare(
        labelled(*boxes, bad=bad, mask=True), mask,
        seen((10, 90, 90, 92), (10, 76, 90, 80), (10, 75, 90, 79), (10, 10, 90, 12)),
    )  # fmt: skip

    assert kinds(judged) == [Kind.IGNORED, Kind.IGNORED, Kind.WRONG, Kind.WRONG]


def test_a_bad_part_of_which_no_more_is_known_is_not_judged_further() -> None:
    """Its predictions are neither right nor wrong, and its length is unknown."""
    judged = compare(labelled(), None, seen(TRUE))

    assert (judged.longest_true_px, judged.longest_px) == (None, 100)
    assert kinds(judged) == [Kind.UNJUDGED]
    assert judged.overlap is None


def test_a_good_part_has_a_longest_scratch_of_nothing() -> None:
    """And whatever is found on it is wrong."""
    judged = compare(labelled(bad=False), None, seen(TRUE))

    assert judged.longest_true_px == 0
    assert kinds(judged) == [Kind.WRONG]


def test_a_mask_alone_is_measured_as_the_edge_measures() -> None:
    """Two bars far apart are two scratches with their lengths, of unknown contrast."""
    mask = marks(TRUE, (10, 100, 59, 102))

    judged = compare(labelled(mask=True), mask, seen(TRUE))

    assert [t.length_px for t in judged.truths] == pytest.approx([100, 50], abs=1)
    assert [(t.found, t.contrast) for t in judged.truths] == [(True, None), (False, None)]


def test_a_wide_outline_is_cut_to_the_mask() -> None:
    """Outlines for training may be wider than the scratch: the mask is what is exact."""
    wide = (37, 44, 142, 58)
    thin_and_beside = (40, 56, 139, 58)

    judged = compare(labelled(wide, mask=True), marks(TRUE), seen(thin_and_beside))

    assert not judged.truths[0].found


def test_the_overlap_of_pixels_leaves_out_what_is_ignored() -> None:
    """Both, true and predicted, each pixel once."""
    mask = marks(TRUE)
    mask[:, 120:] = IGNORE

    judged = compare(
        labelled((40, 50, 119, 52), mask=True), mask, seen((100, 50, 139, 53), (100, 50, 109, 52))
    )

    assert judged.overlap == Overlap(both=60, true=240, predicted=80)


def test_on_a_part_that_could_not_be_read_nothing_is_found() -> None:
    """Without a size of its own the truth gives it one."""
    reasons = (Reason(Rule.UNREADABLE_IMAGE),)
    unread = Result("a.png", Verdict.UNKNOWN, reasons, (), None, Timing())

    judged = compare(labelled(TRUE), None, unread)

    assert (judged.truths[0].found, judged.longest_true_px) == (False, 100)
    assert judged.reasons == ("unreadable_image",)


@pytest.mark.parametrize(
    ("row", "mask", "expected"),
    [
        (labelled(TRUE, mask=True), marks(), "expected some scratch pixels in a bad picture"),
        (labelled(bad=False, mask=True), marks(TRUE), "expected no scratch pixels in a good"),
        (labelled((0, 0, 9, 2), mask=True), marks(TRUE), "scratches.0.polygon: expected scratch"),
        (labelled((300, 0, 309, 2)), None, "scratches.0.polygon: expected scratch"),
    ],
)
def test_labels_that_contradict_the_picture_are_refused(
    row: Labelled, mask: np.ndarray | None, expected: str
) -> None:
    """The message names the line of the manifest."""
    with pytest.raises(LabelError, match=f"^m:1: .*{expected}"):
        compare(row, mask, seen())


@pytest.mark.parametrize("box", [(60, 60, 61, 61), (60, 60, 60, 60), (0, 0, 1, 119)])
def test_specks_and_borders_have_a_centre_line(box: Box) -> None:
    """Thinning leaves nothing of a square of 2 × 2, and yet it is found."""
    judged = compare(labelled(box), None, seen(box))

    assert judged.truths[0].found


@pytest.mark.parametrize("known", [True, False])
def test_the_width_is_compared_where_it_is_known(known: bool) -> None:
    """Measured minus true, of the best match."""
    truth = LabelledScratch(polygon=outline(TRUE), length_px=100, width_px=2 if known else None)
    row = Labelled(Path("a.png"), "a.png", "text", True, False, None, (truth,), "m:1")

    (found,) = compare(row, None, seen(TRUE)).truths

    assert found.width_error_px == (1 if known else None)

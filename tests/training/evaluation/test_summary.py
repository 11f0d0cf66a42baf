"""What a set of judged pictures says, counted by hand."""

from pathlib import Path
from typing import Any

import pytest

from inspector.types import Verdict
from training.evaluation import summary
from training.evaluation.labels import Labelled
from training.evaluation.values import Judged, Kind, Overlap, Prediction, TrueScratch

LIMIT = 40.0
BOX = ((0.0, 0.0), (9.0, 9.0))


def true(
    length: float, found: bool = True, contrast: float | None = 50, **more: Any
) -> TrueScratch:
    """A true scratch that was measured exactly if it was found."""
    fields = {"pieces": int(found), "error_px": 0.0 if found else None} | more
    return TrueScratch(BOX, length, contrast, found, **fields)


def judged(
    verdict: str, true_px: float | None, seen_px: float = 0.0, *,
    surface: str = "text", hard: bool = False, truths: tuple[TrueScratch, ...] = (),
    kinds: tuple[Kind, ...] = (), overlap: Overlap | None = None,
) -> Judged:  # fmt: skip
    """A picture; it is good when its longest true scratch has 0 px."""
    path = Path("a.png")
    row = Labelled(path, "a.png", surface, true_px != 0, hard, None, (), "m:1")
    predictions = tuple(Prediction(BOX, seen_px, 0.9, kind) for kind in kinds)
    return Judged(
        row, Verdict(verdict), (), true_px, seen_px, truths, predictions, overlap, total_ms=10
    )


PARTS = [
    judged("fail", 100, 90),
    judged("fail", 47, 41),
    judged("pass", 60, 20),  # missed
    judged("unknown", 50),  # rejected, and so caught
    judged("pass", None, 10),  # bad, nobody knows how long: missed
    judged("fail", 44, 90),  # borderline: not asked
    judged("pass", 36, 0),  # borderline: not asked
    judged("fail", 20, 45),  # scratched, but below the limit: falsely rejected
    judged("pass", 20, 19),
    judged("pass", 0),
    judged("fail", 0, 50),
    judged("pass", 0, 12, hard=True),
    judged("unknown", 0, hard=True),
]


def test_parts_are_asked_at_the_limit_without_borderline_ones() -> None:
    """Recall, precision, F1 and false rejects over what ought to be rejected."""
    found = summary.summarise("all", PARTS, LIMIT, seed=1)

    assert (found.pictures, found.bad, found.borderline) == (13, 9, 2)
    at = found.by_limit
    assert (at.bad, at.good) == (5, 6)
    assert (at.recall.hits, at.recall.n) == (3, 5)
    assert (at.precision.hits, at.precision.n) == (3, 6)
    assert at.f1.value == pytest.approx(6 / 11)
    assert (found.unknown.hits, found.unknown.n) == (2, 13)
    assert (found.false_reject_good.hits, found.false_reject_good.n) == (1, 2)
    assert (found.false_reject_hard.hits, found.false_reject_hard.n) == (1, 2)


def test_parts_are_asked_by_their_label_too() -> None:
    """However small the scratch is, also near to the limit."""
    by_label = summary.summarise("all", PARTS, LIMIT, seed=1).by_label

    assert (by_label.recall.hits, by_label.recall.n) == (5, 9)
    assert (by_label.precision.hits, by_label.precision.n) == (5, 7)


def test_another_limit_costs_misses_or_false_rejects() -> None:
    """The limit itself is among them; unknown is a reject at each; both curves are monotone."""
    costs = summary.summarise("all", PARTS, LIMIT, seed=1).limits

    at = {cost.limit_px: cost for cost in costs}
    assert (at[40].missed.hits, at[40].missed.n) == (2, 5)
    assert (at[40].false_reject.hits, at[40].false_reject.n) == (3, 6)
    assert (at[40].false_reject_good.hits, at[40].false_reject_good.n) == (2, 4)
    assert (at[320].missed.hits, at[320].false_reject.hits) == (4, 1)
    assert (at[5].missed.hits, at[5].false_reject.hits) == (0, 5)
    assert [c.limit_px for c in costs] == sorted(at)
    missed, rejected = [c.missed.hits for c in costs], [c.false_reject.hits for c in costs]
    assert missed == sorted(missed)
    assert rejected == sorted(rejected, reverse=True)


def test_an_unknown_part_ranks_first() -> None:
    """No limit lets it pass: a good one that is unknown costs AUC."""
    found = summary.summarise(
        "all", [judged("fail", 90, 80), judged("unknown", 0), judged("pass", 0)], LIMIT, seed=1
    )

    assert found.by_limit.auc.value == 0.5
    assert found.by_limit.roc == ([0, 0.5, 0.5, 1], [0, 0, 1, 1], [None, None, 80, 0])


def test_scratches_are_counted_by_length_and_contrast() -> None:
    """Bins are closed below and open above; unknown contrast is in no bin, but clear if long."""
    truths = (
        true(9.9, False), true(10), true(40, contrast=16), true(79, False, contrast=15.9),
        true(500, contrast=32), true(30, contrast=None, pieces=2),
    )  # fmt: skip
    kinds = (Kind.RIGHT, Kind.RIGHT, Kind.WRONG, Kind.IGNORED, Kind.UNJUDGED)

    found = summary.summarise(
        "all", [judged("fail", 500, 60, truths=truths, kinds=kinds), judged("pass", 0)], LIMIT, 1
    ).scratches

    assert (found.recall.hits, found.recall.n) == (4, 6)
    assert (found.precision.hits, found.precision.n) == (2, 3)
    assert (found.clear_recall.hits, found.clear_recall.n) == (3, 3)
    assert (found.in_pieces.hits, found.in_pieces.n) == (1, 4)
    bins = {(b.length_px, b.contrast): (b.recall.hits, b.recall.n) for b in found.bins}
    assert len(bins) == 15
    assert {key: counts for key, counts in bins.items() if counts[1]} == {
        ((0, 10), (32, None)): (0, 1),
        ((10, 20), (32, None)): (1, 1),
        ((40, 80), (16, 32)): (1, 1),
        ((40, 80), (0, 16)): (0, 1),
        ((80, None), (32, None)): (1, 1),
    }


def test_masks_are_compared_over_all_pixels() -> None:
    """IoU and Dice weigh a picture by its pixels; the mean of the pictures does not."""
    overlaps = [Overlap(both=50, true=100, predicted=50), Overlap(both=0, true=10, predicted=0)]

    found = summary.summarise(
        "all", [judged("fail", 90, overlap=o) for o in overlaps] + [judged("pass", 0)], LIMIT, 1
    )

    assert (found.iou.value, found.iou.n) == (pytest.approx(50 / 110), 2)
    assert found.dice.value == pytest.approx(100 / 160)
    assert found.iou_per_picture.value == pytest.approx(0.25)


def test_errors_of_length_have_bias_and_limits() -> None:
    """Of the scratches that were found; the quantiles lie between the measured errors."""
    errors = [-4.0, -2.0, 0.0, 2.0, 14.0]
    truths = (*(true(100, error_px=e) for e in errors), true(100, False))

    found = summary.summarise("all", [judged("fail", 100, truths=truths)], LIMIT, seed=1).length

    assert found.median_abs_px.value == 2
    assert found.median_relative.value == pytest.approx(0.02)
    assert found.bias_px.value == 2
    assert found.low_limit_px.value == pytest.approx(-3.8)
    assert found.high_limit_px.value == pytest.approx(12.8)
    assert found.bias_px.n == 5


def test_surfaces_are_told_apart() -> None:
    """All together first, then each by name; nothing is undefined to the point of an error."""
    parts = [judged("pass", 0, surface="text"), judged("fail", 90, 80, surface="metal")]

    groups = summary.summaries(parts, LIMIT, seed=1)

    assert [(g.name, g.pictures, g.bad) for g in groups] == [
        ("all", 2, 1), ("metal", 1, 1), ("text", 1, 0),
    ]  # fmt: skip
    assert groups[2].by_limit.recall.value is None
    assert groups[2].by_limit.roc == ([], [], [])
    assert groups[2].length.bias_px.value is None


def test_parts_are_told_apart_at_half_and_twice_the_limit_too() -> None:
    """Counted by hand at 80 px, where 60 and less ought to pass, and 100 and unknown to fail."""
    half, same, twice = summary.summarise("all", PARTS, LIMIT, seed=1).sweep

    assert (half.limit_px, same.limit_px, twice.limit_px) == (20, 40, 80)
    assert same.f1.value == pytest.approx(6 / 11)
    # Right: 90 of 100. Missed: the one of unknown length. Wrong: 90 of 44, and two unknown.
    assert twice.f1.value == pytest.approx(2 * 1 / (2 * 1 + 1 + 3))


def test_widths_count_where_they_are_known() -> None:
    """Within a pixel to either side, the pixel included."""
    truths = tuple(true(50, width_error_px=e) for e in (0.2, -1.0, 1.4, None))

    found = summary.summarise("all", [judged("fail", 50, 50, truths=truths)], LIMIT, seed=1)

    assert (found.length.width_within_1px.hits, found.length.width_within_1px.n) == (2, 3)

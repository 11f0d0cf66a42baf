"""Scratches that cross in one spot are told apart; a branch stays part of its scratch."""

import cv2
import numpy as np
import pytest

from inspector.crossing import strokes
from inspector.measure import measure
from inspector.skeleton import longest_path, thin
from inspector.types import Detection

SIDE = 220
CENTRE = (110, 110)


def spot(*rays: tuple[float, float], width: int = 3) -> np.ndarray:
    """Rays (angle in degrees, length in px) from the centre, drawn `width` px wide."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for angle, length in rays:
        a = np.radians(angle)
        end = (round(CENTRE[0] + length * np.cos(a)), round(CENTRE[1] + length * np.sin(a)))
        cv2.line(canvas, CENTRE, end, 1, width)
    return canvas > 0


def lengths(mask: np.ndarray) -> list[float]:
    return sorted(s.length_px for s in measure([Detection(0.9, 0, 0, mask)]))


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("turn", [0, 17, 40, 71])
@pytest.mark.parametrize("between", [35, 60, 90])
def test_a_cross_is_two_scratches(width: int, turn: float, between: float) -> None:
    """Each with its own length: 140 and 100 px, not the 160 of the longest arms."""
    mask = spot(
        (turn, 90), (turn + 180, 50), (turn + between, 70), (turn + between + 180, 30), width=width
    )

    assert lengths(mask) == pytest.approx([100, 140], abs=6)


def test_both_cover_the_crossing_and_no_pixel_is_lost() -> None:
    """The outlines together are the spot."""
    mask = spot((0, 80), (180, 80), (60, 80), (240, 80), width=5)
    covered = np.zeros(mask.shape, np.uint8)
    for scratch in measure([Detection(0.9, 0, 0, mask)]):
        one = np.zeros(mask.shape, np.uint8)
        cv2.fillPoly(one, [np.array(scratch.polygon, np.int32)], 1)
        assert one[CENTRE[1], CENTRE[0]]
        covered |= one

    assert (covered > 0)[mask].mean() > 0.99


@pytest.mark.parametrize(
    "rays",
    [
        ((0, 80), (180, 80), (50, 60)),  # a branch
        ((0, 80), (180, 80), (90, 60)),  # a T
        ((0, 80), (180, 80), (50, 60), (130, 60)),  # two branches on one side
        ((0, 80), (180, 80), (90, 8), (270, 8)),  # spurs
        ((0, 80), (180, 80)),
    ],
    ids=["branch", "T", "two branches", "spurs", "straight"],
)
def test_what_does_not_go_on_across_is_one_scratch(rays: tuple[tuple[float, float], ...]) -> None:
    """Its length is its longest path."""
    mask = spot(*rays)

    assert len(lengths(mask)) == 1
    skeleton = thin(mask)
    (path,) = strokes(skeleton, 3)
    assert np.array_equal(path, longest_path(skeleton))


def test_a_loop_is_one_scratch() -> None:
    """A line that crosses itself, as a hook that was drawn round does."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(canvas, (110, 80), (40, 30), 0, 0, 360, 1, 3)
    cv2.line(canvas, (110, 110), (60, 160), 1, 3)
    cv2.line(canvas, (110, 110), (160, 160), 1, 3)

    assert len(lengths(canvas > 0)) == 1


def test_a_grid_is_taken_apart() -> None:
    """Two scratches that cross two others: four, each over two crossings."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for at in (70, 130):
        cv2.line(canvas, (20, at), (200, at + 10), 1, 3)
        cv2.line(canvas, (at, 20), (at + 10, 200), 1, 3)

    assert lengths(canvas > 0) == pytest.approx([181] * 4, abs=8)

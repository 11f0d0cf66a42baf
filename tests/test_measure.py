"""Length along the curve, width and area of drawn strokes whose geometry is known."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inspector.measure import measure
from inspector.types import Detection, Scratch

FINE = 8  # strokes are drawn this much larger and averaged down


def stroke(points: np.ndarray, width: float) -> np.ndarray:
    """Mask of a round-ended stroke through points (n, 2), with a margin of 20 px around it."""
    points = points - points.min(axis=0) + 20
    columns, rows = np.ceil(points.max(axis=0)).astype(int) + 20
    canvas = np.zeros((rows * FINE, columns * FINE), np.uint8)
    line = np.round(points * FINE + (FINE - 1) / 2).astype(np.int32)
    cv2.polylines(canvas, [line], False, 255, round(width * FINE))
    return cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA) >= 128


def arc(length: float, angle: float, bend: float) -> np.ndarray:
    """Points along an arc of that length that starts at `angle` and turns by `bend` radians."""
    t = np.linspace(0, 1, 400)
    directions = np.stack([np.cos(angle + bend * t), np.sin(angle + bend * t)], axis=1)
    return np.cumsum(directions * length / 399, axis=0)


def only(mask: np.ndarray) -> Scratch:
    (scratch,) = measure([Detection(0.9, 0, 0, mask)])
    return scratch


@given(
    length=st.floats(30, 400),
    angle=st.floats(0, 2 * np.pi),
    bend=st.floats(-2.5, 2.5),
    width=st.sampled_from([2.0, 3.0, 4.0, 6.0]),
)
def test_length_runs_along_the_curve_from_tip_to_tip(length, angle, bend, width) -> None:
    """Whatever its direction and bend, a stroke's length is right to 2 px and 2 %.

    One that turns round within little more than twice its own width has no clear centre line.
    """
    assume(abs(bend) * 2.3 * width <= length)
    mask = stroke(arc(length, angle, bend), width)

    scratch = only(mask)

    assert scratch.length_px == pytest.approx(length + width, abs=2 + 0.02 * length)
    # Drawn in whole pixels, each of its two edges is off by up to half a pixel.
    assert scratch.width_px == pytest.approx(width, abs=1.01)


def test_a_horizontal_bar_is_measured_exactly() -> None:
    """A bar of 50 × 3 pixels is 50 px long, 3 px wide and has 150 px²."""
    mask = np.zeros((20, 80), bool)
    mask[8:11, 10:60] = True

    scratch = only(mask)

    assert (scratch.length_px, scratch.width_px, scratch.area_px) == (50, 3, 150)


def test_a_hooked_scratch_is_longer_than_its_diagonal() -> None:
    """The way along the curve counts, not the distance of the tips."""
    points = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 60.0], [20.0, 60.0]])

    assert only(stroke(points, 3)).length_px == pytest.approx(243, abs=6)


def test_pieces_within_the_gap_are_one_scratch() -> None:
    """Two dashes 10 px apart are one scratch of two fragments, and the bridge is no area."""
    mask = np.zeros((20, 120), bool)
    mask[8:11, 10:50] = mask[8:11, 60:100] = True

    scratch = only(mask)

    assert scratch.fragments == 2
    assert scratch.length_px == pytest.approx(90, abs=1)
    assert scratch.area_px == 240


def test_pieces_beyond_the_gap_are_two_scratches() -> None:
    """Two dashes of 40 px that are 30 px apart are two scratches."""
    mask = np.zeros((20, 140), bool)
    mask[8:11, 10:50] = mask[8:11, 80:120] = True

    found = measure([Detection(0.9, 0, 0, mask)])

    assert [s.length_px for s in found] == [40, 40]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 1)])
def test_a_speck_is_no_scratch(size: tuple[int, int]) -> None:
    """Fewer than six pixels are noise of a mask's edge."""
    assert measure([Detection(0.9, 0, 0, np.ones(size, bool))]) == []


@pytest.mark.parametrize("size", [(1, 6), (6, 1), (3, 3), (9, 9)])
def test_a_blob_has_a_finite_length(size: tuple[int, int]) -> None:
    """A mask that is no line still has a length of about its extent, and a width."""
    scratch = only(np.ones(size, bool))

    assert max(size) - 1 <= scratch.length_px <= np.hypot(*size) + 1
    assert 0 < scratch.width_px <= max(size) + 1


def test_the_polygon_lies_in_frame_pixels() -> None:
    """The outline is moved by the detection's corner, and filling it gives the mask back."""
    mask = np.zeros((20, 80), bool)
    mask[8:11, 10:60] = True

    (scratch,) = measure([Detection(0.9, 300, 200, mask)])

    canvas = np.zeros((400, 600), np.uint8)
    cv2.fillPoly(canvas, [np.array(scratch.polygon)], 1)
    assert np.array_equal(canvas[200:220, 300:380] > 0, mask)


@given(st.integers(0, 2**32 - 1))
def test_no_mask_breaks_measuring(seed: int) -> None:
    """Random masks give finite, positive measures, whatever their topology."""
    rng = np.random.default_rng(seed)
    mask = cv2.blur(rng.random((40, 60)), (3, 3)) > rng.uniform(0.4, 0.7)

    for scratch in measure([Detection(0.5, 0, 0, mask)]):
        assert 0 < scratch.length_px < 40 * 60
        assert 0 < scratch.width_px <= scratch.max_width_px < 40 * 60


def test_a_mask_without_a_pixel_is_no_scratch() -> None:
    empty = [Detection(0.9, 5, 5, np.zeros(shape, np.bool_)) for shape in ((8, 8), (0, 0), (0, 4))]
    assert measure(empty) == []


@pytest.mark.parametrize("radius", [10, 25, 49, 120])
def test_a_spot_without_a_direction_is_as_long_as_it_reaches(radius: int) -> None:
    """Thinning leaves a point of it; a gouged-out disc must not pass as a short scratch."""
    mask = np.zeros((300, 300), np.uint8)
    cv2.circle(mask, (150, 150), radius, 1, -1)
    (spot,) = measure([Detection(0.9, 0, 0, mask > 0)])

    assert spot.length_px == pytest.approx(2 * radius + 1, rel=0.05)
    assert spot.max_width_px >= 1.9 * radius


def test_a_wholly_scratched_frame_is_measured_in_time() -> None:
    (spot,) = measure([Detection(0.9, 0, 0, np.ones((1080, 1920), np.bool_))])
    assert spot.length_px == pytest.approx(1920, rel=0.01)


def test_dots_of_a_chattering_tool_are_one_scratch() -> None:
    """Each dot by itself would be a speck."""
    mask = np.zeros((40, 200), np.bool_)
    for x in range(20, 160, 5):
        mask[20:22, x : x + 2] = True
    (scratch,) = measure([Detection(0.9, 0, 0, mask)])

    assert scratch.length_px == pytest.approx(137, abs=3)


def test_a_thick_end_counts_for_the_greatest_width() -> None:
    mask = np.zeros((80, 240), np.uint8)
    cv2.line(mask, (40, 40), (200, 40), 1, 3)
    cv2.circle(mask, (200, 40), 10, 1, -1)
    (scratch,) = measure([Detection(0.9, 0, 0, mask > 0)])

    assert scratch.max_width_px == pytest.approx(21, abs=2)

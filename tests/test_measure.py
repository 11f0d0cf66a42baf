"""Length along the curve, width and area of drawn strokes whose geometry is known."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from inspector import measure as measuring
from inspector.errors import InferenceError
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
    """Whatever its direction and bend, a stroke's length is right to 3 px and 2 %.

    One that turns round within little more than twice its own width has no clear centre line.
    """
    assume(abs(bend) * 2.3 * width <= length)
    mask = stroke(arc(length, angle, bend), width)

    scratch = only(mask)

    assert scratch.length_px == pytest.approx(length + width, abs=3 + 0.02 * length)
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


@pytest.mark.parametrize(("haze", "width"), [(0.0, 6.0), (1.5, 4.5), (5.0, 1.0), (9.0, 1.0)])
def test_what_a_lens_adds_to_a_mask_is_no_width(haze: float, width: float) -> None:
    """Length and area are of the mask; something is left of every width."""
    mask = np.zeros((30, 130), bool)
    mask[10:16, 10:110] = True
    (plain,) = measure([Detection(0.9, 0, 0, mask)])

    (scratch,) = measure([Detection(0.9, 0, 0, mask, haze)])

    assert scratch.width_px == pytest.approx(width, abs=0.1)
    assert scratch.max_width_px == pytest.approx(width, abs=0.2)
    assert (scratch.length_px, scratch.area_px) == (plain.length_px, plain.area_px)


def test_pieces_bring_what_the_lens_added_to_each_by_their_lengths() -> None:
    mask = np.zeros((30, 220), bool)
    mask[10:16, 10:150] = mask[10:16, 160:210] = True
    long, short = mask.copy(), mask.copy()
    long[:, 155:], short[:, :155] = False, False

    (scratch,) = measure([Detection(0.9, 0, 0, long, 1.0), Detection(0.9, 0, 0, short, 3.0)])

    assert scratch.fragments == 2
    assert scratch.width_px == pytest.approx(6 - (140 * 1.0 + 50 * 3.0) / 190, abs=0.1)


def test_a_class_with_limits_of_its_own_is_joined_with_none_but_its_own() -> None:
    """In the order of the detections. Classes that are held to the same limits are one scratch,
    which the net has called one thing and another, of the kind of the longest piece.
    """
    pieces = [
        Detection(0.9, x, 10, np.ones((3, long), np.bool_), kind=kind)
        for x, long, kind in ((10, 60, "scratch"), (75, 62, "dent"), (142, 58, "scratch"))
    ]

    found = measure(pieces, {"dent"})
    (alike,) = measure(pieces, {"smear"})

    assert [(s.kind, s.fragments, s.polygon[0][0]) for s in found] == [
        ("scratch", 1, 10), ("dent", 1, 75), ("scratch", 1, 142),
    ]  # fmt: skip
    assert (alike.kind, alike.fragments) == ("dent", 3)
    assert alike.length_px == pytest.approx(190, abs=1)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
def test_a_joined_scratch_is_refined_where_most_of_it_is(first: bool, second: bool) -> None:
    """By length: here the first piece is the longer one."""
    pieces = [
        Detection(0.9, 10, 10, np.ones((3, 90), np.bool_), refined=first),
        Detection(0.9, 105, 10, np.ones((3, 40), np.bool_), refined=second),
    ]

    (scratch,) = measure(pieces)

    assert (scratch.fragments, scratch.refined) == (2, first)


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
@example(451865829)  # a sponge, most of whose pixels lie nearer to a branch
@example(2030)  # grains, with more between them than of them
def test_no_mask_breaks_measuring(seed: int) -> None:
    """Random masks give finite, positive measures, whatever their topology."""
    rng = np.random.default_rng(seed)
    mask = cv2.blur(rng.random((40, 60)), (3, 3)) > rng.uniform(0.4, 0.7)

    for scratch in measure([Detection(0.5, 0, 0, mask)]):
        assert 0 < scratch.length_px < 40 * 60
        assert 0.5 < scratch.width_px <= scratch.max_width_px < 40 * 60


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


@pytest.mark.parametrize("grown", [0, 1, 2])
def test_dots_stay_one_scratch_when_one_of_them_grows(grown: int) -> None:
    """Beyond what would be a speck by itself: the others do not vanish beside it."""
    mask = np.zeros((40, 400), np.bool_)
    for x in range(20, 320, 10):
        mask[20:22, x : x + 2] = True
    mask[20:22, 170 : 172 + grown] = True
    scratch = only(mask)

    assert scratch.length_px == pytest.approx(292, abs=1)
    assert scratch.fragments == 30


def test_specks_beyond_reach_of_a_scratch_are_none() -> None:
    mask = np.zeros((40, 120), np.bool_)
    mask[20:23, 10:60] = True
    mask[20:22, 100:102] = True

    assert only(mask).length_px == 50


def test_the_box_of_a_detection_may_be_all_margin() -> None:
    """Pieces in a mask that is taller than what is looked at at a time, over its seam too."""
    mask = np.zeros((700, 60), np.bool_)
    for y in range(20, 660, 40):
        mask[y : y + 30, 30:33] = True
    scratch = only(mask)

    assert scratch.fragments == 16
    assert scratch.length_px == pytest.approx(630, abs=1)


def spot(*more: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    """A triangle of 160 by 260 px, the ends of whose long axis are far from it, and lines."""
    mask = np.zeros((400, 600), np.uint8)
    cv2.fillPoly(mask, [np.array([(60, 120), (60, 280), (320, 280)])], 1)
    for a, b in more:
        cv2.line(mask, a, b, 1, 3)
    return mask > 0


def test_a_broad_spot_and_a_line_that_goes_on_from_it_are_one() -> None:
    """Neither of them is lost, and what joins them touches both."""
    line = np.zeros((400, 600), np.bool_)
    line[200:203, 322:560] = True
    pieces = [Detection(0.9, 0, 0, spot()), Detection(0.9, 0, 0, line)]
    alone = [only(piece.mask) for piece in pieces]

    found = measure(pieces)
    (together,) = measure([Detection(0.9, 0, 0, spot() | line | spot(((300, 275), (330, 201))))])

    assert sum(s.area_px for s in found) == sum(s.area_px for s in alone)
    assert max(s.length_px for s in found) >= max(s.length_px for s in alone) - 1
    assert together.length_px >= max(s.length_px for s in alone) + 200


def test_a_spot_is_no_wider_than_it_reaches_across() -> None:
    """However the pixels fan out at the end of its middle."""
    scratch = only(spot())

    assert 261 <= scratch.length_px <= 1.05 * np.hypot(160, 260) + 1
    assert 100 <= scratch.max_width_px <= 162


@pytest.mark.parametrize("radius", [20, 32, 33, 60])
def test_a_disc_on_a_line_takes_nothing_of_its_length(radius: int) -> None:
    """The line is an arc of 2,651 px."""
    mask = np.zeros((1200, 1240), np.uint8)
    cv2.ellipse(mask, (600, 600), (500, 500), 0, 0, 300, 1, 3)
    cv2.circle(mask, (1100, 600), radius, 1, -1)

    assert only(mask > 0).length_px == pytest.approx(2620 + radius, abs=12)


def test_a_tail_takes_nothing_of_a_spots_length() -> None:
    """A spot is as long as it reaches along its main axis, also where a line leaves its side."""
    mask = np.zeros((300, 300), np.uint8)
    cv2.ellipse(mask, (150, 150), (80, 50), 40, 0, 360, 1, -1)
    alone = only(mask > 0)
    cv2.line(mask, (110, 180), (80, 210), 1, 3)

    assert only(mask > 0).length_px >= alone.length_px - 1


@pytest.mark.parametrize("gap", [60, 10, 0])
def test_a_ring_is_as_long_as_it_is_round(gap: int) -> None:
    """Open or closed, its length is the way along it."""
    mask = np.zeros((200, 200), np.uint8)
    cv2.ellipse(mask, (100, 100), (50, 50), 0, 0, 360 - gap, 1, 3)

    assert only(mask > 0).length_px == pytest.approx(np.pi * 100 * (1 - gap / 360), abs=4)


def test_more_than_can_be_told_apart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one detection or of several: the pipeline makes `unknown` of it."""
    dash = np.zeros((20, 60), np.bool_)
    dash[8:11, 10:50] = True
    cross = np.zeros((120, 120), np.uint8)
    cv2.line(cross, (10, 60), (110, 60), 1, 3)
    cv2.line(cross, (60, 10), (60, 110), 1, 3)
    monkeypatch.setattr(measuring, "MOST", 1)

    assert len(measure([Detection(0.9, 0, 0, dash)])) == 1
    with pytest.raises(InferenceError, match="found 2"):
        measure([Detection(0.9, 100 * k, 0, dash) for k in range(3)])
    with pytest.raises(InferenceError, match="found 2"):
        measure([Detection(0.9, 0, 0, cross > 0)])


def test_a_mask_in_too_many_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros((40, 40), np.bool_)
    mask[::4, ::4] = True
    monkeypatch.setattr(measuring, "MOST_PIECES", 99)

    with pytest.raises(InferenceError, match="found 100"):
        measure([Detection(0.9, 0, 0, mask)])


def test_a_mesh_of_too_many_lines_is_refused() -> None:
    """Of a surface that is scratched all over; to follow so many takes more than a second."""
    mesh = np.zeros((937, 937), np.bool_)
    mesh[::20] = mesh[:, ::20] = True

    with pytest.raises(InferenceError, match="at most 4000 lines between meetings, found 4"):
        measure([Detection(0.9, 0, 0, mesh)])
    assert measure([Detection(0.9, 0, 0, mesh[:821])])

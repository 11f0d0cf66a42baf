"""What of a scratch lies beside its longest way: branches of known length, and what is none."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.branches import branches
from inspector.graph import Points
from inspector.measure import measure
from inspector.skeleton import depth, longest_path
from inspector.types import Detection, Scratch
from tests.test_measure import FINE, arc, only, stroke

SIDE = 300


def lines(*ends: tuple[tuple[float, float], tuple[float, float]], width: float) -> np.ndarray:
    """Mask (SIDE, SIDE) of straight strokes with round ends, between these points in px."""
    canvas = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    for line in ends:
        a, b = np.round(np.array(line) * FINE + (FINE - 1) / 2).astype(int).tolist()
        cv2.line(canvas, a, b, 255, round(width * FINE))
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA) >= 128


def rays(*ways: tuple[float, float], width: float) -> np.ndarray:
    """Mask of strokes from the middle on, each by its angle in degrees and its length in px."""
    middle = np.array((SIDE / 2, SIDE / 2))
    ends = [
        middle + length * np.array((np.cos(np.radians(a)), np.sin(np.radians(a))))
        for a, length in ways
    ]
    return lines(*((tuple(middle), tuple(end)) for end in ends), width=width)


@given(
    angle=st.floats(0, 360),
    fork=st.floats(60, 120),
    branch=st.floats(25, 90),
    width=st.sampled_from([2.0, 3.0, 4.0, 6.0]),
)
def test_a_branch_is_as_long_as_from_its_fork_to_its_tip(angle, fork, branch, width) -> None:
    """Whatever its direction, to 2 px and a width: at a flat angle both are one for so long."""
    mask = rays((angle, 120), (angle + 180, 120), (angle + fork, branch), width=width)

    scratch = only(mask)

    assert scratch.length_px == pytest.approx(240 + width, abs=3 + 0.02 * 240)
    assert scratch.branches_px == pytest.approx(branch + width / 2, abs=2 + width)


@given(
    length=st.floats(30, 400),
    angle=st.floats(0, 2 * np.pi),
    bend=st.floats(-1.5, 1.5),
    width=st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0]),
)
@example(length=30.0, angle=0.0, bend=0.0, width=8.0)
def test_a_line_has_none(length, angle, bend, width) -> None:
    """What thinning leaves beside the middle of a rough outline is no branch."""
    assert only(stroke(arc(length, angle, bend), width)).branches_px == 0


def test_all_of_them_count_and_branches_of_branches_too() -> None:
    """Lines of 240, 80, 90 and 50 px; the way goes straight on, though a longer one turns off."""
    mask = lines(
        ((30, 150), (270, 150)), ((90, 150), (90, 70)), ((200, 150), (200, 240)),
        ((200, 200), (250, 200)), width=2,
    )  # fmt: skip

    scratch = only(mask)

    assert scratch.length_px == pytest.approx(242, abs=3)
    assert total(scratch) == pytest.approx(460, abs=6)


def test_scratches_that_cross_have_their_own() -> None:
    """Of two that cross, the branch belongs to the one that it leads to."""
    mask = lines(((50, 50), (250, 250)), ((50, 250), (250, 50)), ((200, 100), (230, 130)), width=3)

    straight, forked = sorted(
        measure([Detection(0.9, 0, 0, mask)]), key=lambda scratch: scratch.branches_px
    )

    assert straight.branches_px == 0
    assert forked.branches_px == pytest.approx(42 + 1.5, abs=3)


@pytest.mark.parametrize("hole", [1, 2, 4])
def test_the_way_round_a_hole_is_none(hole: int) -> None:
    mask = lines(((30, 150), (270, 150)), width=7)
    mask[150 - hole // 2 : 151 + hole // 2, 140 : 141 + hole] = False

    assert only(mask).branches_px == 0


@pytest.mark.parametrize("angle", [0, 17, 45, 71])
@pytest.mark.parametrize("width", [2, 6, 10, 16])
def test_the_corners_of_a_flat_tip_are_none(width: int, angle: int) -> None:
    """Thinning leads into them; the broader the stroke, the farther."""
    ahead = np.array((np.cos(np.radians(angle)), np.sin(np.radians(angle))))
    along, across = 60 * ahead, width / 2 * np.array((-ahead[1], ahead[0]))
    corners = SIDE / 2 + np.array((along + across, along - across, -along - across, across - along))
    canvas = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    cv2.fillPoly(canvas, [np.rint(corners * FINE).astype(np.int32)], 255)
    mask = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA) >= 128

    assert only(mask).branches_px == 0


@pytest.mark.parametrize("apart", [14, 20])
def test_a_rung_that_closes_takes_nothing_away(apart: int) -> None:
    """Between two strokes it is no way round a hole, though it is short: a density never falls."""
    rails = [((20, y), (280, y)) for y in (100, 100 + apart)]

    def drawn(short: int) -> float:
        rungs = [((x, 100), (x, 100 + apart - short)) for x in range(40, 270, 40)]
        mask = lines(*rails, *rungs, width=3)
        return sum(map(total, measure([Detection(0.9, 0, 0, mask)])))

    assert drawn(0) >= drawn(2) >= drawn(4) > 520
    assert drawn(0) == pytest.approx(520 + 6 * apart, rel=0.05)


def test_what_leads_into_a_loop_and_out_of_it_counts() -> None:
    """A loop within a line: no scratch turns off as sharply as the way in would."""
    canvas = lines(((20, 150), (80, 150)), ((220, 150), (280, 150)), width=3).astype(np.uint8)
    cv2.circle(canvas, (150, 150), 70, 1, 3)

    scratch = only(canvas > 0)

    assert scratch.length_px == pytest.approx(2 * np.pi * 70, rel=0.03)
    assert scratch.branches_px == pytest.approx(120, abs=5)


@pytest.mark.parametrize("width", [2.0, 4.0, 6.0])
@pytest.mark.parametrize("fork", [40, 90, 140])
def test_a_branch_makes_its_scratch_no_wider(fork: int, width: float) -> None:
    """Its pixels lie beside the way, but not across it."""
    line = ((0, 100), (180, 100))
    plain = only(rays(*line, width=width))
    forked = only(rays(*line, (fork, 80), width=width))

    assert forked.width_px == pytest.approx(plain.width_px, abs=0.2)
    assert forked.max_width_px <= 2 * plain.max_width_px + 1


@pytest.mark.parametrize("turn", [0, 40, 75])
def test_a_scratch_in_two_pieces_turns_off_into_no_branch(turn: float) -> None:
    """Though that leads farther than its own short end behind the fork: 250, not 270 px."""
    ahead, aside = (
        np.array((np.cos(np.radians(a)), np.sin(np.radians(a)))) for a in (turn, turn + 90)
    )
    at = [tuple(150 + k * ahead) for k in (-120, -20, -10, 90, 130)]
    forked = (at[2], at[4]), (at[3], tuple(150 + 90 * ahead + 60 * aside))
    pieces = [lines((at[0], at[1]), width=3), lines(*forked, width=3)]

    (scratch,) = measure([Detection(0.9, 0, 0, piece) for piece in pieces])

    assert scratch.length_px == pytest.approx(253, abs=4)
    assert scratch.branches_px == pytest.approx(60, abs=4)


def test_a_third_piece_that_points_at_a_gap_is_a_branch() -> None:
    """Pieces of several detections: two are joined, and what points there too is told as well."""
    ends = ((20, 150), (80, 150)), ((95, 150), (150, 150)), ((86, 153), (120, 169))
    pieces = [lines(each, width=2) for each in ends]

    (scratch,) = measure([Detection(0.9, 0, 0, piece) for piece in pieces])

    assert scratch.fragments == 3
    assert scratch.length_px == pytest.approx(132, abs=3)
    assert scratch.branches_px == pytest.approx(38, abs=5)


def test_a_mesh_costs_no_more_because_its_way_is_long() -> None:
    """Of a large frame scratched all over, with thousands of chains and of points on the way."""
    mesh = np.zeros((801, 801), np.bool_)
    mesh[::20] = mesh[:, ::20] = True
    within, path = depth(mesh), longest_path(mesh)

    def seconds(way: Points) -> float:
        start = time.process_time()
        branches(mesh, within, [way], 1.0)
        return time.process_time() - start

    longer = np.repeat(path, 20, axis=0)
    assert min(seconds(longer) for _ in range(3)) < 4 * min(seconds(path) for _ in range(3))


def total(scratch: Scratch) -> float:
    return scratch.length_px + scratch.branches_px


@given(turns=st.integers(0, 3), mirror=st.booleans(), angle=st.floats(0, 360))
def test_quarter_turns_and_mirrors_leave_the_total(turns: int, mirror: bool, angle: float) -> None:
    mask = rays((angle, 120), (angle + 150, 90), (angle + 250, 60), width=3)
    turned = np.rot90(mask[:, ::-1] if mirror else mask, turns)

    assert total(only(np.ascontiguousarray(turned))) == pytest.approx(total(only(mask)), abs=4)

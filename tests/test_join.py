"""Which pieces are one scratch: lines that are cut, crossed, overlapped or merely near."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.join import STRIP, Chain, bridges, chains
from inspector.measure import measure
from inspector.skeleton import thin
from inspector.types import Detection


def line(start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    count = max(2, round(np.hypot(end[0] - start[0], end[1] - start[1])) + 1)
    return np.linspace(start, end, count)


def arc(radius: float, begin: float, end: float) -> np.ndarray:
    t = np.linspace(begin, end, max(2, round(abs(end - begin) * radius)))
    return radius * np.stack([np.cos(t), np.sin(t)], axis=1) + 500


def turned(lines: list[np.ndarray], angle: float) -> list[np.ndarray]:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return [points @ turn.T + 1000 for points in lines]


def joined(lines: list[np.ndarray], width: float = 1.0) -> list[Chain]:
    return chains(lines, [width] * len(lines))


def groups(lines: list[np.ndarray], width: float = 1.0) -> list[tuple[int, ...]]:
    return [chain.pieces for chain in joined(lines, width)]


ONE = [(0, 1)]
TWO = [(0,), (1,)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line((0, 0), (60, 0)), line((75, 0), (130, 0))], ONE),
        ([line((0, 0), (60, 0)), line((102, 0), (200, 0))], TWO),
        ([line((0, 0), (100, 0)), line((145, 0), (300, 0))], ONE),
        ([line((0, 0), (200, 0)), line((255, 0), (500, 0))], TWO),
        ([line((0, 0), (60, 0)), line((75, 14), (130, 14))], TWO),
        ([line((0, 0), (60, 0)), line((0, 10), (60, 10))], TWO),
        ([line((0, 0), (60, 0)), line((63, 2), (63, 60))], TWO),
        ([arc(150, 0, 0.6), arc(150, 0.7, 1.4)], ONE),
        ([line((0, 0), (100, 0)), line((60, 1), (180, 1))], ONE),
        ([line((0, 0), (100, 0)), line((60, 6), (180, 6))], TWO),
        ([line((0, 0), (40, 0)), line((50, 0), (53, 0))], TWO),
        ([line((0, 0), (40, 0)), line((44, 0), (50, 0))], ONE),
        ([line((0, 0), (100, 0)), line((50, 3), (50, 60))], TWO),
        ([line((0, 0), (100, 0)), line((50, -2), (50, 60))], TWO),
    ],
    ids=[
        "cut", "a gap wider than a piece bridges", "long ones over a wide gap", "a gap too wide",
        "set off", "parallel", "a corner", "an arc that is cut", "run into each other",
        "run past each other", "a far speck", "a near speck", "one ends on the other",
        "and sticks out",
    ],
)  # fmt: skip
@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0])
def test_what_is_joined(lines, expected, angle: float) -> None:
    """By gap, direction and bend, the same in every direction and from either end."""
    assert groups(turned(lines, angle)) == expected
    assert groups(turned([points[::-1] for points in lines], angle)) == expected


@given(st.floats(0.6, 2.5), st.floats(0, np.pi), st.floats(4, 12))
def test_scratches_that_cross_stay_two(angle: float, turn: float, gap: float) -> None:
    """Even where both are broken at the crossing."""
    ends = [np.array([np.cos(a), np.sin(a)]) for a in (turn, turn + angle)]
    arms = [line(tuple(s * gap / 2 * e), tuple(s * 90 * e)) for e in ends for s in (1, -1)]

    assert groups(arms) == [(0, 1), (2, 3)]


@pytest.mark.parametrize("past", [-2, 0, 6])
def test_wide_pieces_whose_lines_end_in_opposite_corners_are_one(past: int) -> None:
    """They abut, or run into each other; hairlines that lie so would be two beside each other."""
    pieces = [line((0, 0), (100 + past, 0)), line((100, 5), (200, 5))]

    assert groups(pieces, width=6.0) == ONE
    if past >= 0:
        assert groups(pieces, width=2.0) == TWO


def measured(*lines: tuple[tuple[int, int], tuple[int, int], int]) -> list[float]:
    """Lengths of what is told of lines of that width, a detection each."""
    masks = []
    for a, b, width in lines:
        canvas = np.zeros((300, 400), np.uint8)
        cv2.line(canvas, a, b, 1, width)
        masks.append(Detection(0.9, 0, 0, canvas > 0))
    return [scratch.length_px for scratch in measure(masks)]


def test_a_smear_does_not_swallow_a_hairline_beside_it() -> None:
    """The room that a tip has is that of the narrower one."""
    assert len(measured(((100, 150), (190, 150), 60), ((145, 196), (350, 196), 2))) == 2


@pytest.mark.parametrize("aside", [8, 9, 11])
def test_wide_scratches_side_by_side_are_two(aside: int) -> None:
    """However they lie to the pixels: these are diagonal, with a px or more between them."""
    one = ((50, 50), (150, 150), 8)
    other = ((110 + aside, 110 - aside), (210 + aside, 210 - aside), 8)

    assert len(measured(one, other)) == 2


def test_a_ring_of_pieces_is_one_chain() -> None:
    """Its last gap stays open: a chain has two ends."""
    pieces = [arc(80, k, k + 0.9) for k in np.arange(0, 6, 1.0)]

    (chain,) = joined([*pieces, arc(80, 6.0, 6.2)])

    assert len(chain.pieces) == 7
    assert len(chain.bridges) == 6


def test_nothing_and_a_point_are_no_error() -> None:
    """No line gives no chain, a line of one point a chain of its own."""
    assert joined([]) == []
    assert groups([np.array([[5.0, 5.0]])]) == [(0,)]


@pytest.mark.parametrize("cuts", [0, 1, 3])
def test_a_scratch_in_pieces_has_the_length_of_the_whole(cuts: int) -> None:
    """Each piece is a detection of its own; `fragments` counts them, the width is not diluted."""
    t = np.linspace(0, 1, 400)
    points = np.stack([40 + 500 * t, 150 + 60 * np.sin(3 * t)], axis=1)
    canvas = np.zeros((300, 600), np.uint8)
    cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, 1, 5)
    (whole,) = measure([Detection(0.9, 0, 0, canvas > 0)])
    for k in range(cuts):
        at = 600 * (k + 1) // (cuts + 1)
        canvas[:, at - 10 : at + 10] = 0
    count, labels = cv2.connectedComponents(canvas)
    pieces = [Detection(0.5, 0, 0, labels == k) for k in range(1, count)]

    (scratch,) = measure(pieces)

    assert len(pieces) == scratch.fragments == cuts + 1
    assert scratch.length_px == pytest.approx(whole.length_px, rel=0.01)
    assert scratch.width_px == pytest.approx(whole.width_px, abs=0.3)
    assert scratch.area_px == np.count_nonzero(canvas)


@pytest.mark.parametrize("speck", [(63.0, 0.0), (62.0, 3.0), (73.0, -2.0)])
def test_what_lies_in_a_gap_does_not_divide_a_scratch(speck: tuple[float, float]) -> None:
    """Nearer to a tip than what goes on from it, and too short to lead there."""
    pieces = [line((0, 0), (60, 0)), line((75, 0), (130, 0)), np.array([speck])]

    (chain,) = joined(pieces)

    assert sorted(chain.pieces) == [0, 1, 2]


def test_a_third_piece_at_a_gap_is_a_branch() -> None:
    """The best pair is joined first, and the tip that it leaves over all the same."""
    pieces = [line((0, 0), (60, 0)), line((75, 0), (130, 0)), line((66, 3), (90, 14))]

    (chain,) = joined(pieces)

    assert sorted(chain.pieces) == [0, 1, 2]
    assert len(chain.bridges) == 2


def drawn(*pieces: tuple[tuple[int, int], tuple[int, int]], width: int = 1) -> np.ndarray:
    """(H, W): each line numbered from 1 on."""
    labels = np.zeros((STRIP + 60, 200), np.int32)
    for number, (a, b) in enumerate(pieces, 1):
        cv2.line(labels, a, b, number, width)
    return labels


@pytest.mark.parametrize("top", [20, STRIP - 5, STRIP + 20])
def test_pieces_of_a_mask_are_bridged_from_middle_to_middle(top: int) -> None:
    """Wherever the strips begin in which gaps are looked for."""
    labels = drawn(((20, top), (60, top)), ((72, top + 4), (120, top + 4)), width=3)
    skeleton = thin(labels > 0)

    (bridge,) = bridges(labels, skeleton)

    assert skeleton[bridge[:, 1], bridge[:, 0]].all()
    assert sorted(labels[bridge[:, 1], bridge[:, 0]].tolist()) == [1, 2]
    assert np.ptp(bridge, axis=0).tolist() == pytest.approx([14, 4], abs=3)


def test_pieces_are_bridged_as_a_tree_of_their_narrowest_gaps() -> None:
    """Three in a triangle: the widest of their gaps stays open. A fourth is out of reach."""
    labels = drawn(((20, 20), (60, 20)), ((70, 20), (110, 20)), ((40, 33), (100, 33)),
                   ((20, 60), (110, 60)))  # fmt: skip
    found = [set(labels[b[:, 1], b[:, 0]].tolist()) for b in bridges(labels, thin(labels > 0))]

    assert found == [{1, 2}, {1, 3}]


def test_wide_pieces_are_joined_no_farther_apart_for_their_width() -> None:
    """Tips touch within a width, but within no more than 16 px: bands of 40 px, askew by 30."""
    bands = [line((0, 0), (100, 0)), line((110, 28), (210, 28))]

    assert groups(bands, width=40) == TWO


@pytest.mark.parametrize(("degrees", "expected"), [(25, ONE), (42, TWO)])
def test_tips_that_pass_each_other_are_one_only_if_they_hardly_turn(
    degrees: float, expected: list[tuple[int, ...]]
) -> None:
    """Each lies on the other's line, 4 px beyond where the two cross."""
    ahead = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    lines = [line((-100, 0), (4, 0)), line(tuple(100 * ahead), tuple(-4 * ahead))]

    assert groups(lines) == expected


def test_the_surest_of_its_pieces_says_how_sure_a_scratch_is() -> None:
    """A faint end does not make doubtful what is plain."""
    mask = np.ones((3, 60), np.bool_)
    pieces = [Detection(0.9, 10, 50, mask), Detection(0.6, 78, 50, mask)]

    for order in (pieces, pieces[::-1]):
        (scratch,) = measure(order)
        assert (scratch.fragments, scratch.confidence) == (2, 0.9)

"""The middle of a mask as smooth lines that reach its tips."""

import cv2
import numpy as np
import pytest

from inspector.skeleton import depth, graph_of, thin
from inspector.strand import Strand, strands

SHAPE = (100, 160)


def middle(mask: np.ndarray) -> list[Strand]:
    return list(strands(graph_of(thin(mask)), depth(mask)))


def stroke(*corners: tuple[int, int], width: int = 7) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    cv2.polylines(mask, [np.array(corners)], False, 1, width)
    return mask > 0


@pytest.mark.parametrize("width", [3, 7, 13])
@pytest.mark.parametrize("end", [(130, 50), (120, 80), (60, 90), (20, 60)])
def test_a_line_runs_from_tip_to_tip_of_the_mask(end: tuple[int, int], width: int) -> None:
    """In its middle, with points about a px apart, and to its right across it."""
    start = (20, 20)
    (strand,) = middle(stroke(start, end, width=width))

    along = np.subtract(end, start) / np.hypot(*np.subtract(end, start))
    across = np.array([-along[1], along[0]])
    away = strand.points - np.array(start)
    assert strand.tips == (True, True)
    assert np.abs(away @ across).max() < 1.5
    ends = np.sort((away @ along)[[0, -1]])
    length = float(np.hypot(*np.subtract(end, start)))
    assert ends == pytest.approx([-width / 2, length + width / 2], abs=2)
    assert 0.9 <= strand.step <= 1.5
    assert np.abs(strand.right @ across) == pytest.approx(1, abs=0.05)
    assert np.hypot(*strand.right.T) == pytest.approx(1)


def test_the_right_of_a_line_is_where_x_grows_when_it_goes_up() -> None:
    (strand,) = middle(stroke((80, 10), (80, 90)))

    down = strand.points[-1, 1] > strand.points[0, 1]
    assert (strand.right[:, 0] > 0).all() != down


def test_strands_meet_at_a_fork_and_have_no_tip_there() -> None:
    mask = stroke((10, 50), (80, 50), (150, 15)) | stroke((80, 50), (150, 85))

    three = middle(mask)

    assert [sum(strand.tips) for strand in three] == [1, 1, 1]
    forks = [strand.points[0 if strand.tips[1] else -1] for strand in three]
    assert np.ptp(forks, axis=0).max() == 0


def test_a_bump_on_the_outline_is_no_branch() -> None:
    """Thinning draws a spur into it."""
    mask = stroke((20, 50), (140, 50), width=9)
    mask[44:46, 78:82] = True

    found = middle(mask)

    assert sum(sum(strand.tips) for strand in found) == 2
    assert all(np.abs(strand.points[:, 1] - 50).max() < 2 for strand in found)


def test_a_ring_has_no_tips() -> None:
    ring = np.zeros(SHAPE, np.uint8)
    cv2.circle(ring, (80, 50), 30, 1, 5)

    (strand,) = middle(ring > 0)

    assert strand.tips == (False, False)
    assert np.hypot(*(strand.points - (80, 50)).T) == pytest.approx(30, abs=1.5)


def test_a_star_of_spurs_keeps_them() -> None:
    """All that a compact spot has; without them it would have no middle."""
    spot = np.zeros(SHAPE, bool)
    spot[40:60, 70:90] = True

    assert middle(spot)


def test_a_pixel_is_a_strand_of_one_point() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[50, 80] = True

    (strand,) = middle(mask)

    assert strand.points.tolist() == [[80, 50]]
    assert strand.step == 1

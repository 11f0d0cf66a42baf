"""The longest path through a skeleton: what geometry says, and what brute force finds."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.skeleton import longest_path, thin

SIDE = 40


def length(path: np.ndarray) -> float:
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def drawn(*lines: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for a, b in lines:
        cv2.line(canvas, a, b, 1)
    return canvas > 0


def test_nothing_has_no_path() -> None:
    """An empty mask, and a single pixel."""
    assert longest_path(np.zeros((5, 5), bool)).shape == (0, 2)
    assert longest_path(drawn(((3, 4), (3, 4)))).tolist() == [[3, 4]]


def test_a_line_is_its_own_path() -> None:
    """From end to end, pixel by pixel."""
    path = longest_path(drawn(((2, 5), (30, 5))))

    assert sorted(path[:, 0]) == list(range(2, 31))
    assert length(path) == 28


def test_a_branch_is_left_out() -> None:
    """Of a T the longer bar counts, with half of neither."""
    path = longest_path(drawn(((2, 20), (36, 20)), ((18, 20), (18, 30))))

    assert length(path) == pytest.approx(34)


def test_only_the_longest_part_counts() -> None:
    """Parts that do not touch are not connected by a path."""
    assert length(longest_path(drawn(((2, 5), (12, 5)), ((2, 15), (30, 15))))) == 28


def test_a_ring_counts_once_round() -> None:
    """It has no ends: its path begins anywhere and stops a pixel before it."""
    ring = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(ring, (5, 5), (25, 15), 1)

    assert length(longest_path(ring > 0)) == pytest.approx(59, abs=0.5)


def test_a_loop_at_the_end_of_a_stem_is_gone_round() -> None:
    """From the tip of the stem once round, up to where the stem meets the loop."""
    loop = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(loop, (5, 10), (15, 20), 1)
    cv2.line(loop, (15, 15), (35, 15), 1)

    assert length(longest_path(loop > 0)) == pytest.approx(20 + 39, abs=0.5)


def test_a_ring_with_two_tails_is_left_where_that_leaves_the_longest_way() -> None:
    """In by one tail, the longer way to the other, and out by it."""
    ring = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(ring, (16, 16), (22, 22), 1)
    cv2.line(ring, (2, 20), (16, 20), 1)
    cv2.line(ring, (22, 20), (38, 20), 1)

    assert length(longest_path(ring > 0)) == pytest.approx(14 + 4 + 6 + 4 + 16, abs=0.5)


@pytest.mark.parametrize("side", [12, 60])
def test_a_mesh_has_a_long_way_in_little_time(side: int) -> None:
    """Be it searched for loops or too large for it: hardly shorter than from corner to corner."""
    mesh = np.zeros((4 * side + 1, 4 * side + 1), bool)
    mesh[::4] = mesh[:, ::4] = True

    path = longest_path(mesh)

    assert length(path) >= 2 * 4 * (side - 1)
    assert len({*map(tuple, path.tolist())}) == len(path)


GRID = 12
SPOTS = st.tuples(st.integers(0, GRID - 1), st.integers(0, GRID - 1))
STROKES = st.lists(st.tuples(SPOTS, SPOTS), min_size=1, max_size=4)


def small(lines: list[tuple[tuple[int, int], tuple[int, int]]]) -> np.ndarray:
    return drawn(*lines)[:GRID, :GRID]


def ways(skeleton: np.ndarray) -> float:
    """The longest way that passes no pixel twice, by trying them all."""
    on = set(zip(*map(np.ndarray.tolist, np.nonzero(skeleton)), strict=True))

    def beside(y: int, x: int) -> list[tuple[int, int]]:
        around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        straight = [(dy, dx) for dy, dx in around if abs(dy) + abs(dx) == 1]
        bare = [(dy, dx) for dy, dx in straight if (y + dy, x + dx) not in on]
        corners = [(dy, dx) for dy, dx in around if (dy, 0) in bare and (0, dx) in bare]
        return [(y + dy, x + dx) for dy, dx in straight + corners if (y + dy, x + dx) in on]

    def on_from(pixel: tuple[int, int], seen: frozenset[tuple[int, int]]) -> float:
        return max(
            (math.dist(pixel, p) + on_from(p, seen | {p}) for p in beside(*pixel) if p not in seen),
            default=0.0,
        )

    return max(on_from(pixel, frozenset({pixel})) for pixel in on)


@settings(max_examples=60, deadline=None)
@given(STROKES)
def test_no_way_without_a_pixel_twice_is_longer(lines) -> None:
    """Against all ways that there are; where a loop is cut, a step may be the longer one."""
    skeleton = thin(small(lines))

    path = longest_path(skeleton)

    steps = np.abs(np.diff(path, axis=0)).max(axis=1) if len(path) > 1 else np.ones(1)
    assert (steps == 1).all()
    assert len({*map(tuple, path.tolist())}) == len(path)
    longest = ways(skeleton)
    assert longest - 1.01 <= length(path) <= longest + 1e-6


def level_or_upright(place: int, first: int, last: int, level: bool) -> tuple[tuple[int, int], ...]:
    """A line of a lattice whose lines lie 4 px apart."""
    ends = ((4 * first, 4 * place), (4 * last, 4 * place))
    return ends if level else tuple((y, x) for x, y in ends)


LATTICE = st.builds(
    level_or_upright, st.integers(0, 8), st.integers(0, 8), st.integers(0, 8), st.booleans()
)


@settings(deadline=None)
@given(st.lists(LATTICE, min_size=1, max_size=7), LATTICE)
def test_a_line_more_never_shortens_the_longest_path(lines, more) -> None:
    """It may close a loop, or make a short cut. Lines that meet askew share pixels, and a way
    through where they meet may be closed by a third: of these nothing of the kind holds.
    """
    before, after = longest_path(drawn(*lines)), longest_path(drawn(*lines, more))

    assert length(after) >= length(before) - 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_thinning_leaves_each_piece_in_one_piece(seed: int) -> None:
    """Of whatever is there: no piece is lost, and none is parted."""
    rng = np.random.default_rng(seed)
    mask = cv2.blur(rng.random((SIDE, SIDE)), (3, 3)) > rng.uniform(0.4, 0.6)
    skeleton = thin(mask)

    pieces, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    lines, _ = cv2.connectedComponents(skeleton.astype(np.uint8), connectivity=8)
    assert lines == pieces
    assert set(labels[skeleton].tolist()) == set(range(1, pieces))

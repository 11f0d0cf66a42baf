"""The longest path through a skeleton: what geometry says, and what brute force finds."""

import heapq
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


def distances(skeleton: np.ndarray, start: tuple[int, int]) -> dict[tuple[int, int], float]:
    """Dijkstra from pixel to pixel, as plain as it gets."""
    on = set(zip(*np.nonzero(skeleton), strict=True))
    far, heap = {start: 0.0}, [(0.0, start)]
    while heap:
        so_far, (y, x) = heapq.heappop(heap)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                other = (y + dy, x + dx)
                way = so_far + math.hypot(dx, dy)
                if other in on and way < far.get(other, math.inf):
                    far[other] = way
                    heapq.heappush(heap, (way, other))
    return far


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


def test_half_a_ring_is_the_way_round() -> None:
    """A ring has no ends: its path leads to the far side."""
    ring = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(ring, (5, 5), (25, 15), 1)

    assert length(longest_path(ring > 0)) == pytest.approx(30, abs=1.5)


def test_a_loop_at_the_end_of_a_stem_is_taken_to_its_far_side() -> None:
    """The path ends within the loop, which has no tip of its own."""
    loop = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(loop, (5, 10), (15, 20), 1)
    cv2.line(loop, (15, 15), (35, 15), 1)

    assert length(longest_path(loop > 0)) == pytest.approx(40, abs=3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.tuples(st.integers(1, 38), st.integers(1, 38)),
            st.tuples(st.integers(1, 38), st.integers(1, 38)),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_path_is_longer_than_the_longest_way_and_hardly_one_shorter(lines) -> None:
    """Against brute force over all pixels. On loops two sweeps may stop a little short of it."""
    skeleton = thin(drawn(*lines))
    pixels = list(zip(*np.nonzero(skeleton), strict=True))
    longest = max(max(distances(skeleton, p).values()) for p in pixels)

    path = longest_path(skeleton)

    steps = np.abs(np.diff(path, axis=0)).max(axis=1) if len(path) > 1 else np.ones(1)
    assert (steps == 1).all()
    assert length(path) <= longest + 1e-6
    assert length(path) >= 0.75 * longest

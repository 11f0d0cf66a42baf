"""Polygons: exact areas, and no corner that fools the crossing test."""

from itertools import permutations

import pytest

from inspector.polygon import area, crosses_itself

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))


@pytest.mark.parametrize(
    ("corners", "size"),
    [
        (SQUARE, 100),
        (SQUARE[::-1], 100),
        (((0, 0), (10, 0), (0, 5)), 25),
        (((0, 0), (5, 5), (9, 9)), 0),
        (((0, 0), (4, 0), (4, 3), (2, 1), (0, 3)), 8),
    ],
)
def test_the_area_is_exact(corners, size) -> None:
    """Whichever way round, and with a notch."""
    assert area(corners) == size


@pytest.mark.parametrize(
    ("corners", "crosses"),
    [
        (SQUARE, False),
        (((0, 0), (5, 0), (10, 0), (10, 10)), False),
        (((0, 0), (4, 0), (4, 3), (2, 1), (0, 3)), False),
        (((0, 0), (10, 10), (10, 0), (0, 10)), True),
        (((0, 0), (10, 0), (10, 10), (5, 0), (0, 10)), True),
        (((0, 0), (10, 0), (5, 0), (5, 10)), True),
        (((0, 0), (10, 0), (10, 10), (0, 0), (3, 9)), True),
        (((0, 0), (10, 0), (10, 0), (0, 10)), True),
        (((5, 0), (5, 10), (0, 0), (10, 0)), True),
    ],
    ids=[
        "square", "flat corner", "notch", "bow tie", "corner on an edge", "folded back",
        "a corner twice", "an edge of no length", "folded back over the start",
    ],
)  # fmt: skip
def test_what_crosses_itself(corners, crosses) -> None:
    """Wherever the polygon begins and whichever way round it goes."""
    for n in range(len(corners)):
        turned = corners[n:] + corners[:n]
        assert crosses_itself(turned) is crosses
        assert crosses_itself(turned[::-1]) is crosses


def test_of_four_corners_one_order_in_three_is_simple() -> None:
    """The 24 orders of a square's corners: 8 walk around it, 16 cross."""
    assert sum(not crosses_itself(order) for order in permutations(SQUARE)) == 8

"""Where scratches lie, on shapes of whole pixels that are counted by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.limits import Rules, Scale, Zone
from inspector.place import judged_px, nearest_px, place, placed
from inspector.types import Scratch

STRICT = Rules(min_scratch_px=5)


def box(x: int, y: int, width: int, height: int) -> tuple[tuple[int, int], ...]:
    """The outline of a rectangle of so many pixels."""
    right, bottom = x + width - 1, y + height - 1
    return ((x, y), (right, y), (right, bottom), (x, bottom))


def scratch(x: int, y: int, width: int, height: int) -> Scratch:
    return Scratch(
        float(width), float(height), float(height), width * height, 0.9, box(x, y, width, height)
    )


def zone(name: str, x: int, y: int, width: int, height: int, limits: object = STRICT) -> Zone:
    return Zone(name=name, polygon=box(x, y, width, height), limits=limits)


A, B = zone("a", 0, 0, 100, 100), zone("b", 100, 0, 100, 100)
LOGO = zone("logo", 40, 40, 20, 20, "none")


@pytest.mark.parametrize(
    ("at", "touched", "mostly"),
    [
        ((10, 10, 5, 1), {"a"}, "a"),
        ((150, 50, 30, 2), {"b"}, "b"),
        ((90, 50, 30, 2), {"a", "b"}, "b"),
        ((199, 50, 30, 2), {"b", None}, None),
        ((190, 50, 11, 2), {"b", None}, "b"),
        ((200, 50, 30, 2), {None}, None),
        ((40, 40, 20, 20), set(), "logo"),
        ((41, 50, 19, 1), set(), "logo"),
        ((39, 50, 20, 1), {"a"}, "a"),
        ((41, 50, 20, 1), {"a"}, "a"),
        ((50, 30, 1, 171), {"a", None}, None),
    ],
)
def test_a_scratch_is_in_every_zone_that_it_touches(at, touched, mostly) -> None:
    """One pixel is enough; nothing is judged of what lies wholly in a zone without limits."""
    found = place(scratch(*at), (A, B, LOGO))

    assert (found.touched, found.mostly) == (touched, mostly)


def test_without_zones_all_is_the_line_s() -> None:
    """The common case."""
    assert place(scratch(1, 1, 9, 9), ()).touched == {None}


def test_a_zone_with_holes_between_its_arms() -> None:
    """What lies between the arms of a U is beyond it, though its box holds it."""
    u = ((0, 0), (30, 0), (30, 90), (60, 90), (60, 0), (90, 0), (90, 99), (0, 99))
    zones = [Zone(name="u", polygon=u, limits=STRICT)]

    assert place(scratch(40, 10, 10, 10), zones).touched == {None}
    assert place(scratch(20, 10, 50, 2), zones).touched == {"u", None}


corners = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))


@given(corners, st.lists(st.tuples(corners, st.booleans()), min_size=1, max_size=4))
def test_no_pixel_of_a_scratch_escapes(at, boxes) -> None:
    """Counted pixel by pixel: touched is what its pixels lie in, unless all of them are idle."""
    zones = [
        zone(str(n), x, y, w + 2, h + 2, STRICT if judged else "none")
        for n, ((x, y, w, h), judged) in enumerate(boxes)
    ]
    x, y, width, height = at
    pixels = set(itertools.product(range(x, x + width), range(y, y + height)))
    held = {
        z.name: {
            p for p in pixels if all(z.polygon[0][k] <= p[k] <= z.polygon[2][k] for k in (0, 1))
        }
        for z in zones
    }
    names: set[str | None] = {z.name for z in zones if z.limits and held[z.name]}
    beyond = pixels - set().union(*held.values())

    def smallest(pixel: tuple[int, int]) -> tuple[int, bool]:
        around = [(math.prod(z.polygon[2][k] - z.polygon[0][k] for k in (0, 1)), z.limits is None)
                  for z in zones if pixel in held[z.name]]  # fmt: skip
        return min(around, default=(0, False))

    idle = {pixel for pixel in pixels if smallest(pixel)[1]}
    expected = (names | ({None} if beyond else set())) if pixels - idle else set()
    assert place(scratch(*at), zones).touched == expected


def test_a_window_in_what_is_spared_is_judged() -> None:
    """«Nothing counts but this window»: a zone of `none` over all, and one with limits in it."""
    zones = (zone("beside", 0, 0, 1000, 1000, "none"), zone("window", 200, 200, 400, 400, STRICT))

    assert place(scratch(300, 300, 50, 2), zones).touched == {"window"}
    assert place(scratch(190, 300, 50, 2), zones).touched == {"window"}
    assert place(scratch(100, 300, 50, 2), zones).touched == set()


def test_the_scale_gives_millimetres() -> None:
    """57.3 px of 0.04 mm are 2.292 mm, without the noise of floats."""
    seen = placed(Scratch(57.3, 2.4, 3.9, 131, 0.87, box(1, 1, 57, 2)), (), Scale(mm_per_px=0.04))

    assert (seen.length_mm, seen.width_mm, seen.zone) == (2.292, 0.096, None)
    assert placed(seen, (A,), None).zone == "a"


def test_how_much_of_a_field_is_judged() -> None:
    """Zones that overlap are counted once, and what of them lies beyond the field not at all."""
    field = (50, 50, 100, 100)
    over = zone("over", 60, 60, 50, 50)

    def judged(*zones: Zone, but: str = "") -> int:
        return judged_px(field, zones, frozenset(but.split()))

    assert judged() == judged(A, over) == 10_000
    assert judged(A, over, but="a over") == 10_000 - 2500 - (2500 - 40 * 40)
    assert judged(zone("all", 0, 0, 300, 300), but="all") == 0
    assert judged(zone("none", 0, 0, 300, 300, "none")) == 0


def test_a_window_within_what_is_not_judged_is_judged() -> None:
    """As where scratches are placed, the smaller zone counts; and a logo in it is not."""
    none, window = zone("none", 0, 0, 100, 100, "none"), zone("window", 10, 10, 50, 50)
    logo = zone("logo", 20, 20, 10, 10, "none")
    field = (0, 0, 200, 100)

    assert judged_px(field, (none, window, logo), frozenset()) == 10_000 + 2500 - 100
    assert judged_px(field, (none, window, logo), frozenset({"window"})) == 10_000


@pytest.mark.parametrize(
    ("others", "reach", "between"),
    [
        ([(20, 0, 5, 5)], 10, 10),
        ([(20, 0, 5, 5)], 9.99, None),
        ([(0, 15, 5, 5)], 99, 10),
        ([(10, 0, 5, 5)], 99, 0),
        ([(3, 3, 5, 5)], 99, 0),
        ([(40, 0, 5, 5), (25, 0, 5, 5)], 99, 15),
        ([(12, 13, 5, 5)], 99, 4),
        ([(900, 900, 5, 5)], 1e12, pytest.approx(np.hypot(891, 896) - 1, abs=0.01)),
        ([], 99, None),
    ],
    ids=["ten", "beyond", "below", "touching", "crossing", "two", "aslant", "far", "alone"],
)
def test_the_nearest_other_scratch(others, reach, between) -> None:
    """Pixels that lie between: none where they touch. None is told beyond the reach."""
    scratches = [scratch(0, 0, 10, 5), *(scratch(*at) for at in others)]
    if others == [(12, 13, 5, 5)]:
        between = round(float(np.hypot(3, 9)) - 1, 2)

    assert nearest_px(scratches, [0], reach) == between


def test_two_equal_scratches_are_two() -> None:
    """A scratch is left out as its own neighbour by its place in the list, not by its values."""
    assert nearest_px([scratch(0, 0, 9, 2)] * 2, [0, 1], 5) == 0
    assert nearest_px([scratch(0, 0, 9, 2)], [], 5) is None


@given(st.lists(corners, min_size=2, max_size=5), corners)
def test_another_scratch_is_never_farther(boxes, added) -> None:
    """The least distance of the same scratches only falls by one more."""
    scratches = [scratch(*at) for at in boxes]
    before = nearest_px(scratches, [0, 1], 1000)
    after = nearest_px([*scratches, scratch(*added)], [0, 1], 1000)

    assert before is not None
    assert after is not None
    assert after <= before

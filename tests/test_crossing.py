"""Scratches that cross in one spot are told apart; a branch stays part of its scratch."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inspector.crossing import SPLAY, Stroke, _apart, _Meetings, strokes
from inspector.graph import Graph, chain_of
from inspector.measure import measure
from inspector.shares import shares
from inspector.skeleton import longest_path, thin
from inspector.types import Detection, Scratch

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


def filled(scratch: Scratch, shape: tuple[int, ...]) -> np.ndarray:
    one = np.zeros(shape, np.uint8)
    cv2.fillPoly(one, [np.array(scratch.polygon, np.int32)], 1)
    return one > 0


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

    assert lengths(mask) == pytest.approx([100 + width, 140 + width], abs=3)


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("turn", [0, 17, 40, 71])
def test_so_it_is_where_they_cross_at_a_flat_angle(width: int, turn: float) -> None:
    """At 20° they are one for six of their widths and more, of which thinning makes a stem."""
    mask = spot((turn, 90), (turn + 180, 60), (turn + 20, 80), (turn + 200, 100), width=width)

    assert lengths(mask) == pytest.approx([150, 180], abs=8)


@pytest.mark.parametrize("apart", [8, 12, 20])
def test_strokes_side_by_side_that_another_crosses_keep_to_their_own_side(apart: int) -> None:
    """Their arms point the same way, but lie beside each other."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for y in (100, 100 + apart, 100 + 2 * apart):
        cv2.line(canvas, (20, y), (190, y + 6), 1, 2)
    cv2.line(canvas, (60, 50), (150, 200), 1, 2)

    assert lengths(canvas > 0) == pytest.approx([170, 170, 170, 175], abs=8)


def test_both_cover_the_crossing_and_no_pixel_is_lost() -> None:
    """The outlines together are the spot."""
    mask = spot((0, 80), (180, 80), (60, 80), (240, 80), width=5)
    scratches = measure([Detection(0.9, 0, 0, mask)])

    assert len(scratches) == 2
    assert all(filled(scratch, mask.shape)[CENTRE[1], CENTRE[0]] for scratch in scratches)
    assert np.logical_or.reduce([filled(scratch, mask.shape) for scratch in scratches])[mask].all()


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
    (stroke,) = strokes(skeleton, 3)
    assert np.array_equal(stroke.path, longest_path(skeleton))


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("turn", [0, 33, 71, 200])
@pytest.mark.parametrize("between", [20, 30, 50])
def test_two_that_run_into_each_other_are_two(between: float, turn: float, width: int) -> None:
    """A Y: one goes on into the stem, the other ends where both are one; none turns back from arm
    to arm, which would be 195 px.
    """
    mask = spot((turn, 100), (turn + between, 95), (turn + 180 + between / 4, 40), width=width)
    shorter, longer = lengths(mask)

    as_one = (width + 2) / np.sin(np.radians(between))  # OpenCV draws wider than it is told to
    assert longer == pytest.approx(140, abs=12)
    assert 95 - as_one <= shorter <= 97


@pytest.mark.parametrize("turn", [0, 25, 58, 104])
def test_one_that_ends_on_another_is_one_of_its_own_if_it_is_half_as_long(turn: float) -> None:
    """A T. Of less, nobody would say that there are two."""
    bar = ((turn, 80), (turn + 180, 80))

    assert lengths(spot(*bar, (turn + 90, 95))) == pytest.approx([95, 162], abs=5)
    assert lengths(spot(*bar, (turn + 90, 65))) == pytest.approx([162], abs=5)


@pytest.mark.parametrize("turn", [0, 25, 58, 104])
@pytest.mark.parametrize("bend", [-25, 0, 25])
def test_a_stub_takes_no_long_arm_from_its_scratch(turn: float, bend: float) -> None:
    """Though it may go on straighter than the scratch itself does."""
    mask = spot((turn, 100), (turn + 180, 25), (turn + 180 + bend, 100))

    assert max(lengths(mask)) == pytest.approx(202, abs=4)


def test_strokes_that_end_in_one_point_are_told_apart() -> None:
    """Of five, two go straight on in pairs and one is left over; none is lost."""
    mask = spot((0, 90), (180, 80), (60, 70), (240, 60), (120, 85))

    assert lengths(mask) == pytest.approx([85, 130, 170], abs=5)


def test_a_curved_scratch_with_a_twig_every_few_px_stays_whole() -> None:
    """Its forks are no single meeting, across which it would have to go straight."""
    canvas = np.zeros((450, 450), np.uint8)
    cv2.ellipse(canvas, (225, 225), (180, 180), 0, 0, 270, 1, 3)
    for angle in np.radians(np.arange(5, 265, 4)):
        ahead = np.array([np.cos(angle), np.sin(angle)])
        a, b = (np.rint(225 + r * ahead).astype(int).tolist() for r in (164, 196))
        cv2.line(canvas, a, b, 1, 2)
    longest = max(lengths(canvas > 0))

    assert longest == pytest.approx(1.5 * np.pi * 180, rel=0.04)


@pytest.mark.parametrize("turn", [0, 15, 30, 45, 60, 75])
@pytest.mark.parametrize(("long", "wide"), [(40, 12), (70, 20), (110, 30)])
def test_one_that_parts_and_closes_again_is_as_long_as_one_side(
    long: int, wide: int, turn: int
) -> None:
    """At both ends of the slit it takes the same side; the other one is its branch."""
    along = np.array([0, *(90 - long / 2 + long * np.linspace(0, 1, 60)), 180])
    aside = np.array([0, *(wide / 2 * np.sin(np.pi * np.linspace(0, 1, 60))), 0])
    ahead = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for side in (-1, 1):
        line = CENTRE + np.outer(along - 90, ahead) + np.outer(side * aside, (-ahead[1], ahead[0]))
        cv2.polylines(canvas, [np.rint(16 * line).astype(np.int32)], False, 1, 3, shift=4)

    assert max(lengths(canvas > 0)) == pytest.approx(183, abs=18)


def test_a_mesh_is_one_scratch() -> None:
    """And one that is told in time: nobody asks which of its wires is which."""
    canvas = np.zeros((900, 900), np.uint8)
    for at in range(20, 880, 20):
        cv2.line(canvas, (10, at), (890, at), 1, 3)
        cv2.line(canvas, (at, 10), (at, 890), 1, 3)

    assert len(lengths(canvas > 0)) == 1


def test_a_star_in_which_nothing_goes_on_is_one_scratch() -> None:
    """Three arms at 120°: as long as two of them."""
    assert lengths(spot((10, 90), (130, 80), (250, 70))) == pytest.approx([170], abs=5)


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


def test_a_line_that_crosses_itself_is_as_long_as_it_was_drawn() -> None:
    """Straight on over the crossing, round, and over it once more."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(canvas, (40, 40), (140, 140), 1, 3)
    cv2.line(canvas, (40, 160), (140, 60), 1, 3)
    cv2.ellipse(canvas, (140, 100), (40, 40), 0, -90, 90, 1, 3)

    assert lengths(canvas > 0) == pytest.approx([2 * 141 + np.pi * 40 + 3], abs=10)


@pytest.mark.parametrize(
    ("first", "last", "length"), [((20, 100), (200, 120), 184), ((10, 110), (110, 110), 104)]
)
def test_a_ring_keeps_its_length_where_a_line_crosses_it_or_ends_in_it(first, last, length) -> None:
    """It is cut elsewhere, so that no crossing is missing from it."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(canvas, CENTRE, 60, 1, 3)
    (ring,) = lengths(canvas > 0)
    cv2.line(canvas, first, last, 1, 3)

    assert lengths(canvas > 0) == pytest.approx([length, ring], abs=4)


@pytest.mark.parametrize("side", [30, 60, 120])
@pytest.mark.parametrize("turn", [0, 20, 45])
def test_a_square_spot_is_no_crossing(side: int, turn: int) -> None:
    """Its middle has arms into all four corners."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(canvas, [cv2.boxPoints((CENTRE, (side, side), turn)).astype(np.int32)], 1)

    assert len(lengths(canvas > 0)) == 1


def test_a_branch_belongs_to_the_scratch_that_it_leaves() -> None:
    """Across the other one it would be nearer to that."""
    canvas = np.zeros((450, 450), np.uint8)
    for a, b in (((200, 110), (200, 400)), ((200, 140), (120, 165))):
        cv2.line(canvas, a, b, 1, 3)
    cv2.line(canvas, (20, 200), (420, 200), 1, 3)
    stem, across = measure([Detection(0.9, 0, 0, canvas > 0)])

    assert filled(stem, canvas.shape)[164, 122]
    assert stem.length_px == pytest.approx(293, abs=3)
    assert across.length_px == pytest.approx(403, abs=4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
@example(3628800)
def test_every_pixel_of_a_tangle_lies_in_a_scratch(seed: int) -> None:
    """Whatever crosses, branches or closes, in lines of several widths and with a blot."""
    rng = np.random.default_rng(seed)
    canvas = np.zeros((160, 200), np.uint8)
    for width in rng.integers(1, 7, rng.integers(1, 6)).tolist():
        corners = rng.integers(-10, 210, (rng.integers(2, 5), 2)).astype(np.int32)
        cv2.polylines(canvas, [corners], False, 1, width)
    cv2.circle(canvas, (90, 80), int(rng.integers(2, 30)), 1, -1)
    _, labels = cv2.connectedComponents(canvas, connectivity=8)
    mask = labels == labels[80, 90]

    scratches = measure([Detection(0.9, 0, 0, mask)])

    covered = np.logical_or.reduce([filled(scratch, mask.shape) for scratch in scratches])
    assert covered[mask].all()
    assert sum(s.area_px for s in scratches) >= np.count_nonzero(mask)


def test_a_path_that_jumps_over_a_hole_keeps_its_share_in_one_piece() -> None:
    """The mask has a hole where two scratches cross."""
    mask = spot((0, 80), (180, 80), (90, 80), (270, 80), width=5)
    mask[107:114, 107:114] = False
    mask[106, 106:115] = mask[114, 106:115] = mask[106:115, 106] = mask[106:115, 114] = True
    over = np.array([[x, 110.0] for x in range(40, 180) if not 100 < x < 120])
    both = [Stroke.along(over), Stroke.along(over[:, ::-1])]

    assert [stroke.over for stroke in both] == [((60, 80),)] * 2
    for (pixels, _), path in zip(shares(mask, both, 5), (over, over[:, ::-1]), strict=True):
        own = np.zeros(mask.shape, np.uint8)
        own[pixels[:, 1], pixels[:, 0]] = 1
        assert len(pixels) == np.count_nonzero(own)
        assert cv2.connectedComponents(own, connectivity=8)[0] == 2
        assert own[path[:, 1].astype(int), path[:, 0].astype(int)].all()


def test_a_short_link_between_meetings_is_cut_alike_from_either_side() -> None:
    """Of four pixels no five can go; which of them go hangs not on how the link was walked."""
    points = np.stack([np.arange(44.0), np.zeros(44)], axis=1)
    arm, link = list(range(20)), list(range(20, 24))

    def left(pixels: list[int], near: int) -> int:
        far = -1 - near
        on = {(0, -1): (1, near), (1, near): (0, -1), (1, far): None}
        chains = (chain_of(points, arm), chain_of(points, pixels))
        return sum(
            len(chain.pixels)
            for chain in _apart(Graph(points, chains), _Meetings(on, set())).chains
        )

    assert left(link, 0) == left(link[::-1], -1) == 20 - SPLAY + 2

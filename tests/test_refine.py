"""A fat mask becomes the ridge that the picture shows; without a ridge its core stays."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector import refine as refining
from inspector.measure import measure
from inspector.refine import NEAR, WIDER
from inspector.skeleton import thickness
from inspector.types import Detection

SHAPE = (120, 200)


FINE = 8  # times finer are strokes drawn than the pixels that average them, as those of a camera


def scene(core: int, width: int = 3, noise: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """A gray picture with one slanted stroke of that brightness, and the stroke's own mask."""
    fine = np.zeros((FINE * SHAPE[0], FINE * SHAPE[1]), np.uint8)
    corners = [[FINE * x, FINE * y] for x, y in ((20, 30), (170, 90))]
    cv2.polylines(fine, [np.array(corners)], False, 255, round(FINE * width))
    share = cv2.resize(fine, SHAPE[::-1], interpolation=cv2.INTER_AREA) / 255
    grain = np.random.default_rng(0).normal(0, noise, SHAPE)
    return pixels(120 + share * (core - 120) + grain), share >= 0.5


def pixels(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def blob(stroke: np.ndarray) -> Detection:
    """What a network sees of it: `WIDER` to either side, cut to its own box."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * WIDER + 1, 2 * WIDER + 1))
    fat = cv2.dilate(stroke.astype(np.uint8), disk) > 0
    rows, columns = np.nonzero(fat)
    top, left = rows.min(), columns.min()
    return Detection(0.9, int(left), int(top), fat[top : rows.max() + 1, left : columns.max() + 1])


def dice(detection: Detection, stroke: np.ndarray) -> float:
    full = np.zeros(SHAPE, bool)
    height, width = detection.mask.shape
    full[detection.y : detection.y + height, detection.x : detection.x + width] = detection.mask
    return 2 * (full & stroke).sum() / (full.sum() + stroke.sum())


def refine(found: Detection, image: np.ndarray) -> Detection:
    """What is left of a single one."""
    (refined,) = refining.refine([found], image)
    return refined


def is_core(refined: Detection, found: Detection) -> bool:
    """As long as what was found but for its margin, 4 px narrower, and nowhere beyond it."""
    (before,), (after,) = measure([found]), measure([refined])
    full = np.zeros(SHAPE, bool)
    for one in (found, refined):
        height, width = one.mask.shape
        window = full[one.y : one.y + height, one.x : one.x + width]
        if one is refined:
            assert not (one.mask & ~window).any()
        window |= one.mask
    return (
        before.length_px - 5 <= after.length_px <= before.length_px
        and abs(before.width_px - 2 * WIDER - after.width_px) <= 1
    )


@pytest.mark.parametrize("core", [60, 90, 150, 250])
@pytest.mark.parametrize("width", [1, 3, 5])
def test_the_mask_becomes_the_ridge(core: int, width: int) -> None:
    """Bright or dark, hairline or gouge: the refined mask is the stroke, the network's is not."""
    image, stroke = scene(core, width)

    refined = refine(blob(stroke), image)

    assert dice(refined, stroke) > 0.85
    assert dice(refined, stroke) > dice(blob(stroke), stroke)
    assert refined.refined


@pytest.mark.parametrize("blur", [0.4, 0.8, 1.2, 1.5])
@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_scratch_out_of_focus_is_as_wide_as_one_in_focus(width: int, blur: float) -> None:
    """Its mask is what can be seen, its width is what is there."""
    image, stroke = scene(190, width)
    image = cv2.GaussianBlur(image, (0, 0), blur)

    refined = refine(blob(stroke), image)
    (scratch,) = measure([refined])

    assert scratch.width_px == pytest.approx(width, abs=1)
    assert refined.mask.sum() >= 0.8 * stroke.sum()
    assert refined.haze >= 0


def test_without_a_clear_ridge_the_core_of_the_mask_stays() -> None:
    """A stroke that drowns in noise is where the network says, and it is told so."""
    image, stroke = scene(122, noise=12)
    found = blob(stroke)

    refined = refine(found, image)

    assert is_core(refined, found)
    assert not refined.refined


@pytest.mark.parametrize("value", [0, 120, 255])
def test_a_flat_picture_shows_no_ridge(value: int) -> None:
    """No surroundings, no noise, no ridge: no division by zero."""
    _, stroke = scene(120)
    found = blob(stroke)

    assert is_core(refine(found, np.full((*SHAPE, 3), value, np.uint8)), found)


def test_a_mask_that_fills_the_frame_stays() -> None:
    """There are no surroundings to compare with."""
    image, _ = scene(250)
    found = Detection(0.9, 0, 0, np.ones(SHAPE, bool))

    refined = refine(found, image)
    assert (refined.x, refined.y) == (0, 0)
    assert refined.mask.all()
    assert not refined.refined


def test_a_stroke_at_the_border_of_the_frame() -> None:
    """The crop is cut at the frame, and the mask keeps its place."""
    stroke = np.zeros(SHAPE, bool)
    stroke[0:3, 0:100] = True
    image = np.where(stroke, 220, 120).astype(np.uint8)[:, :, None].repeat(3, axis=2)

    assert dice(refine(blob(stroke), image), stroke) > 0.85


def test_a_stretch_without_a_ridge_keeps_the_mask_of_the_network() -> None:
    """Half of it is clear and half is not to be seen: it stays as long as the network says."""
    image = np.full((80, 240, 3), 40, np.uint8)
    image[39:41, 20:120] = 160
    mask = np.zeros((80, 240), np.bool_)
    mask[37:43, 20:220] = True
    refined = refine(Detection(0.9, 0, 0, mask), image)

    columns = np.flatnonzero(refined.mask.any(axis=0)) + refined.x
    assert (columns.min(), columns.max()) == (20, pytest.approx(217, abs=1))
    clear = refined.mask[:, 30 - refined.x : 100 - refined.x]
    assert clear.sum(axis=0).max() <= 3


def test_dots_that_the_picture_shows_stay_one_scratch() -> None:
    image = np.full((60, 220, 3), 40, np.uint8)
    for x in range(30, 170, 5):
        image[30:32, x : x + 2] = 200
    mask = np.zeros((60, 220), np.bool_)
    mask[28:34, 28:172] = True
    (scratch,) = measure([refine(Detection(0.9, 0, 0, mask), image)])

    assert scratch.length_px > 130


def test_a_graze_of_many_grooves_is_one_scratch() -> None:
    """Four bright grooves, 6 px apart, in a band that the network sees as one: its length is the
    band's, not the sum of the grooves'.
    """
    image = np.full((*SHAPE, 3), 60, np.uint8)
    band = np.zeros(SHAPE, bool)
    band[48:74, 20:180] = True
    for row in (50, 56, 62, 68):
        image[row : row + 3, 20:180] = 200

    (scratch,) = measure([refine(blob(band), image)])

    assert scratch.length_px == pytest.approx(160, abs=5)
    assert scratch.fragments == 1


def longest(mask: np.ndarray, image: np.ndarray | None = None) -> float:
    """The length of the longest scratch that a mask shows, as it is or refined, in px."""
    found = Detection(0.9, 0, 0, mask)
    return max(s.length_px for s in measure([refine(found, image) if image is not None else found]))


def path(length: float, angle: float, bend: float) -> np.ndarray:
    """60 points along an arc around the middle of the picture."""
    t = np.linspace(0, 1, 60)
    steps = np.stack([np.cos(angle + bend * t), np.sin(angle + bend * t)], axis=1)
    points = np.cumsum(steps * length / 59, axis=0)
    return points - points.mean(axis=0) + np.array(SHAPE[::-1]) / 2


def line(points: np.ndarray, width: int) -> np.ndarray:
    drawn = np.zeros(SHAPE, np.uint8)
    cv2.polylines(drawn, [points.round().astype(np.int32)], False, 1, width)
    return drawn > 0


@pytest.mark.parametrize("middle", [0, 6, -60])
@pytest.mark.parametrize("gap", [14, 16, 18, 20, 26, 38])
def test_a_scratch_whose_middle_is_faint_or_dark_stays_one(gap: int, middle: int) -> None:
    """Whatever the noise between its clear ends, it is as long as the network says but for the
    margin of its mask.
    """
    mask = np.zeros(SHAPE, bool)
    mask[36:42, 30:90] = True
    at = np.abs(np.arange(SHAPE[1]) - 59.5)
    contrast = np.select([at < gap / 2, at < 30], [middle, 60], 0)
    for seed in range(5):
        gray = np.random.default_rng(seed).normal(120, 3, SHAPE)
        gray[38:40] += contrast

        assert longest(mask, pixels(gray)) == pytest.approx(58, abs=2.5)


def test_a_gouge_that_shines_on_either_edge_in_turn_stays_one() -> None:
    """Both edges are ridges of their own that run past each other, 5 px apart."""
    gray = np.full(SHAPE, 120)
    gray[38:40, 30:100], gray[44:46, 70:140] = 200, 200
    mask = np.zeros(SHAPE, bool)
    mask[36:48, 28:142] = True

    assert longest(mask, pixels(gray)) == pytest.approx(114, abs=6)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("radius", [7, 8, 9, 10, 20])
def test_a_line_that_ends_in_a_spot_keeps_its_length(width: int, radius: int) -> None:
    """However thin the line and however broad the spot."""
    mask = line(np.array([[15, 60], [150, 60]]), width)
    cv2.circle(spot := mask.astype(np.uint8), (150, 60), radius, 1, -1)
    image, _ = scene(120)

    assert longest(spot > 0, image) == pytest.approx(135 + radius, abs=6)


def test_two_grazes_with_a_thin_neck_between_them_stay_one() -> None:
    """The neck is all that erosion takes of it."""
    mask = np.zeros(SHAPE, bool)
    mask[20:100, 30:70] = mask[50:70, 72:180] = mask[58:61, 70:72] = True
    image, _ = scene(120)

    refined = refine(Detection(0.9, 0, 0, mask), image).mask

    assert cv2.connectedComponents(refined.astype(np.uint8))[0] == 2
    assert longest(mask, image) > longest(mask) - 8


@pytest.mark.parametrize("radius", range(3, 15))
@pytest.mark.parametrize("width", [3, 5, 8])
def test_a_ring_does_not_vanish(radius: int, width: int) -> None:
    """Small ones are filled by what the network adds; the others keep their hole."""
    ring = np.zeros(SHAPE, np.uint8)
    cv2.circle(ring, (100, 60), radius, 1, width)
    image, _ = scene(120)

    assert longest(ring > 0, image) >= 0.5 * longest(ring > 0)
    assert longest(ring > 0, image) >= 2 * radius


@pytest.mark.parametrize(("length", "height"), [(160, 30), (120, 60)])
def test_a_graze_with_pinholes_is_as_large_as_one_without(length: int, height: int) -> None:
    graze = np.zeros(SHAPE, bool)
    graze[30 : 30 + height, 20 : 20 + length] = True
    holes = graze.copy()
    holes[34 : 24 + height : 10, 24 : 14 + length : 10] = False
    holes[35 : 25 + height : 10, 24 : 14 + length : 10] = False
    image, _ = scene(120)

    whole, pierced = (
        measure([refine(Detection(0.9, 0, 0, mask), image)])[0] for mask in (graze, holes)
    )

    assert pierced.length_px >= whole.length_px - 5
    assert pierced.max_width_px >= whole.max_width_px - 5


@pytest.mark.parametrize("core", [0, -20, -50])
@pytest.mark.parametrize(("width", "rim"), [(6, 1.5), (6, 2), (7, 2), (8, 3), (10, 2)])
def test_a_gouge_between_two_bright_rims_is_no_hairline(width, rim, core) -> None:
    """Its dark middle is not all of it."""
    away = np.abs(np.arange(SHAPE[0] * FINE) / FINE - 60)
    light = np.select([away > width / 2, away > width / 2 - rim], [0, 60], core)
    gray = np.full(SHAPE, 120.0)
    gray[:, 20:180] += light.reshape(SHAPE[0], FINE).mean(axis=1)[:, None]
    stroke = np.zeros(SHAPE, bool)
    stroke[60 - width // 2 : 60 + width // 2, 20:180] = True

    (scratch,) = measure([refine(blob(stroke), pixels(cv2.GaussianBlur(gray, (0, 0), 0.6)))])

    assert scratch.width_px >= 0.6 * width - 0.5
    assert scratch.length_px == pytest.approx(160, abs=4)


def test_a_scratch_longer_than_any_picture_is_high() -> None:
    """40,000 px, to and fro over a large frame."""
    mask = np.zeros((400, 2000), np.uint8)
    for k in range(20):
        mask[10 + 19 * k : 15 + 19 * k, 5:1995] = 1
        turn = slice(1990, 1995) if k % 2 else slice(5, 10)
        mask[10 + 19 * k : 34 + 19 * k, turn] = 1
    image = np.full((400, 2000, 3), 120, np.uint8)

    assert longest(mask > 0, image) > 39_000


@pytest.mark.parametrize("length", [4, 5, 6, 7, 9])
def test_a_speck_stays(length: int) -> None:
    """However little of a groove there is to be seen."""
    stroke = np.zeros(SHAPE, bool)
    stroke[60, 100 : 100 + length] = True
    gray = np.random.default_rng(0).normal(120, 3, SHAPE) + 60 * stroke

    assert longest(blob(stroke).mask, pixels(gray)) > 0


@pytest.mark.parametrize("aside", [1, 2])
def test_a_mask_of_one_pixel_beside_the_scratch_stays(aside: int) -> None:
    """Where nothing of the mask is on the groove."""
    gray = np.full(SHAPE, 120)
    gray[60 + aside, 20:180] = 200
    mask = np.zeros(SHAPE, bool)
    mask[60, 20:180] = True

    assert longest(mask, pixels(gray)) == pytest.approx(160, abs=14)


def test_a_mesh_keeps_its_mask() -> None:
    """It has too many grooves to ask for each of them."""
    mask = np.zeros(SHAPE, bool)
    mask[5:115:10] = mask[6:115:10] = mask[:, 5:195:10] = mask[:, 6:195:10] = True
    image, _ = scene(120)

    refined = refine(Detection(0.9, 0, 0, mask), image)

    assert cv2.connectedComponents(refined.mask.astype(np.uint8), connectivity=8)[0] == 2
    assert refined.mask.any(axis=0).sum() >= 188


def test_a_mask_of_nothing_is_nothing() -> None:
    image, _ = scene(120)

    assert not refine(Detection(0.9, 3, 4, np.zeros((5, 6), bool)), image).mask.any()


STROKES = st.lists(
    st.tuples(
        st.integers(0, 59), st.integers(1, 59),  # from where along the line, and how far
        st.integers(-90, 90), st.integers(1, 5), st.integers(-4, 4),  # contrast, width, aside
    ),
    max_size=6,
)  # fmt: skip
SPOTS = st.lists(
    st.tuples(st.integers(0, 59), st.integers(1, 20), st.integers(-90, 90)), max_size=2
)


@given(
    points=st.builds(path, st.floats(20, 150), st.floats(0, 2 * np.pi), st.floats(-2.5, 2.5)),
    width=st.integers(1, 14),
    spots=st.lists(st.tuples(st.integers(0, 59), st.integers(4, 20)), max_size=2),
    strokes=STROKES,
    bright=SPOTS,
    noise=st.sampled_from([0, 1, 3, 8]),
    seed=st.integers(0, 99),
)
def test_what_the_network_sees_as_one_stays_as_long(
    points, width, spots, strokes, bright, noise, seed
) -> None:
    """A line with spots on it, and any picture: strokes along it that begin, end, turn dark and run
    side by side, blobs, noise. Each tip is cut by no more than its margin.
    """
    mask = line(points, width).astype(np.uint8)
    for k, radius in spots:
        cv2.circle(mask, points[k].astype(int).tolist(), radius, 1, -1)
    gray = np.random.default_rng(seed).normal(120, noise, SHAPE)
    for start, run, contrast, wide, aside in strokes:
        gray += contrast * line(points[start : start + run + 1] + aside, wide)
    for k, radius, contrast in bright:
        cv2.circle(spot := np.zeros(SHAPE), points[k].astype(int).tolist(), radius, contrast, -1)
        gray += spot
    image = pixels(gray)

    refined = refine(Detection(0.9, 0, 0, mask > 0), image)

    after = max((s.length_px for s in measure([refined])), default=0.0)
    assert after >= longest(mask > 0) - 2 * NEAR - thickness(mask > 0)

"""What cannot be judged is named, and what can be judged is not refused."""

import math

import cv2
import numpy as np
import pytest

from inspector.sight import Repeats, as_learned, in_place, look, see, sharpness
from inspector.types import Rule
from inspector.windows import Reference, Windows
from tests.support.pictures import blurred, noisy, sample

GOOD = np.random.default_rng(1).integers(0, 200, (120, 160, 3), np.uint8)


def seen(image: np.ndarray, age_s: float = 0.0, size: tuple[int, int] | None = None) -> Rule | None:
    reason = look(image, age_s=age_s, max_age_s=0.5, size=size)
    return reason.rule if reason else None


def test_a_good_frame_can_be_judged() -> None:
    """A frame of the expected size with something in it passes every check."""
    assert seen(GOOD, 0.5, (160, 120)) is None


@pytest.mark.parametrize(
    ("image", "rule"),
    [
        (np.zeros((120, 160, 3), np.uint8), Rule.TOO_DARK),
        (np.full((120, 160, 3), 255, np.uint8), Rule.TOO_BRIGHT),
        (np.full((120, 160, 3), 128, np.uint8), Rule.NO_CONTRAST),
        (np.zeros((0, 0, 3), np.uint8), Rule.UNREADABLE_IMAGE),
        (np.zeros((), np.uint8), Rule.FRAME_FORMAT),
        (GOOD[:, :, 0], Rule.FRAME_FORMAT),
        (np.dstack([GOOD, GOOD[:, :, :1]]), Rule.FRAME_FORMAT),
        (GOOD.astype(np.float32), Rule.FRAME_FORMAT),
        (GOOD.astype(np.uint16), Rule.FRAME_FORMAT),
    ],
)
def test_a_frame_that_shows_nothing_is_named(image: np.ndarray, rule: Rule) -> None:
    """Black, burnt, flat, empty, gray, with alpha or of another type: each has its reason."""
    assert seen(image) is rule


@pytest.mark.parametrize("age_s", [0.51, math.inf, math.nan])
def test_an_old_frame_shows_another_part(age_s: float) -> None:
    """A frame whose age is not proved fresh is stale, also when the age is no number."""
    assert seen(GOOD, age_s) is Rule.STALE_FRAME


@pytest.mark.parametrize("size", [(160, 121), (161, 120), (120, 160)])
def test_a_frame_of_another_size_comes_from_another_camera(size: tuple[int, int]) -> None:
    """The size that the line expects is exact."""
    assert seen(GOOD, 0, size) is Rule.FRAME_SIZE


@pytest.mark.parametrize("surface", ["phone", "plate", "text"])
def test_sharpness_is_of_the_focus_and_not_of_light_or_noise(surface: str) -> None:
    """Half the contrast and a sensor's noise leave it; a lens out of focus does not, although the
    noise that comes after the lens is as sharp as ever.
    """
    picture = sample(surface)
    sharp = sharpness(picture)

    assert sharpness((picture // 2 + 60).astype(np.uint8)) == pytest.approx(sharp, rel=0.1)
    assert sharpness(noisy(picture, 2)) == pytest.approx(sharp, rel=0.1)
    assert sharpness(noisy(blurred(picture, 1.5), 2)) < 0.75 * sharp
    assert sharpness(noisy(blurred(picture, 3), 2)) < 0.5 * sharp


@pytest.mark.parametrize("size", [(1, 15), (15, 1)])
def test_motion_in_one_direction_blurs_too(size: tuple[int, int]) -> None:
    """Edges along the motion stay sharp, and do not make up for the others."""
    picture = sample("plate")

    assert sharpness(cv2.blur(picture, size)) < 0.6 * sharpness(picture)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (60, 60, 3)])
def test_what_has_no_edges_is_not_sharp(shape: tuple[int, int, int]) -> None:
    """A flat picture of any size, down to a pixel."""
    assert sharpness(np.full(shape, 90, np.uint8)) == 0


def test_a_window_names_what_lies_outside_of_it() -> None:
    """Light, burnt pixels and sharpness, each on either side of its bound; none where it is."""
    picture = sample("text")
    found = see(picture)
    b, burnt, sharp = found.brightness, found.burnt, found.sharpness
    table = [
        (Windows(), None),
        (Windows(brightness=(b - 1, b + 1), max_burnt=burnt, min_sharpness=sharp), None),
        (Windows(brightness=(b + 1, 255)), Rule.TOO_DARK),
        (Windows(brightness=(0, b - 1)), Rule.TOO_BRIGHT),
        (Windows(max_burnt=burnt - 0.01), Rule.TOO_BRIGHT),
        (Windows(min_sharpness=sharp + 0.01), Rule.TOO_BLURRED),
    ]
    assert burnt > 0.01

    for windows, rule in table:
        reason = as_learned(picture, windows)
        assert (reason and reason.rule) is rule, windows


AT = (300, 200)
MARK = cv2.cvtColor(sample("text"), cv2.COLOR_BGR2GRAY)[200:240, 300:360]


def placed(image: np.ndarray, within_px: int = 10) -> Rule | None:
    reference = Reference(picture="mark.png", at=AT, within_px=within_px)
    reason = in_place(image, reference, MARK)
    assert reason is None or reason.value < reason.limit == 0.7
    return reason.rule if reason else None


def moved(x: int, y: int) -> np.ndarray:
    return np.roll(sample("text"), (y, x), axis=(0, 1))


@pytest.mark.parametrize(
    ("image", "rule"),
    [
        (moved(0, 0), None),
        (moved(10, -10), None),
        (moved(11, 0), Rule.NOT_IN_PLACE),
        (moved(0, -11), Rule.NOT_IN_PLACE),
        (noisy(moved(3, 2) // 3, 3), None),
        (255 - moved(0, 0), Rule.NOT_IN_PLACE),
        (moved(0, 0)[:230], Rule.NOT_IN_PLACE),
        (moved(0, 0)[:, :310], Rule.NOT_IN_PLACE),
        (np.full_like(sample("text"), 90), Rule.NOT_IN_PLACE),
        (noisy(np.full_like(sample("text"), 90), 3), Rule.NOT_IN_PLACE),
        (sample("plate"), Rule.NOT_IN_PLACE),
    ],
    ids=[
        *("there", "moved", "too far right", "too far up", "dim", "negative"),
        *("cut off below", "cut off right", "flat", "noise", "other"),
    ],
)
def test_the_mark_is_in_its_place_or_not(image: np.ndarray, rule: Rule | None) -> None:
    """Shifted within reach and in little light it is; further off, covered or cut off it is not."""
    assert placed(image) is rule


def test_a_mark_at_the_border_is_looked_for_within_the_frame() -> None:
    """There is less to search, and no error."""
    reference = Reference(picture="mark.png", at=(0, 0))
    corner = cv2.cvtColor(sample("text"), cv2.COLOR_BGR2GRAY)

    assert in_place(sample("text"), reference, corner) is None


def test_a_mark_that_was_not_handed_over_is_not_in_place() -> None:
    """Nobody forgets the check by forgetting the picture."""
    reason = in_place(sample("text"), Reference(picture="mark.png", at=AT), None)

    assert reason is not None
    assert reason.rule is Rule.NOT_IN_PLACE


def test_equal_frames_are_counted_to_the_last_pixel() -> None:
    """A copy is equal; one gray level of one pixel, or another size, is not."""
    repeats = Repeats()
    assert [repeats.count(GOOD.copy()) for _ in range(3)] == [1, 2, 3]

    for row, column in ((0, 0), (63, 5), (64, 5), (119, 159)):
        other = GOOD.copy()
        other[row, column, 1] += 1
        assert [repeats.count(other), repeats.count(other), repeats.count(GOOD)] == [1, 2, 1]
    assert repeats.count(GOOD[:60]) == 1
    assert repeats.count(GOOD[:, :60]) == 1

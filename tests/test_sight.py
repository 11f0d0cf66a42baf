"""What cannot be judged is named, and what can be judged is not refused."""

import math

import cv2
import numpy as np
import pytest

from inspector import sight
from inspector.sight import Repeats, as_learned, in_place, look, see, sharpness
from inspector.types import Reason, Rule
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


def levels(*grays: int, side: int = 80) -> np.ndarray:
    """A picture (side, side, 3) of bands of equal height, of these gray levels."""
    rows = np.repeat(np.asarray(grays, np.uint8), side // len(grays))
    return np.ascontiguousarray(np.broadcast_to(rows[:, None, None], (side, side, 3)))


def lit(count: int) -> np.ndarray:
    """Black, but for so many of the 200 pixels of a block that decide."""
    image = np.zeros((80, 80, 3), np.uint8)
    image[0, :count] = 31
    return image


def with_unburnt(count: int) -> np.ndarray:
    """Burnt, but for so many of the 3200 pixels that decide."""
    image = np.full((80, 80, 3), 250, np.uint8)
    image[0, :count] = 0
    return image


def half_lit(gray: int, every: int) -> np.ndarray:
    """One half at 100, the other with one row in so many of that gray level."""
    image = np.full((80, 80, 3), 100, np.uint8)
    image[::every, 40:] = gray
    return image


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (levels(0, 10), Reason(Rule.TOO_DARK, 10, 10, "gray")),
        (levels(0, 11), None),
        (lit(7), Reason(Rule.TOO_DARK, 1.1, 10, "gray")),
        (with_unburnt(8), Reason(Rule.TOO_BRIGHT, 0.998, 0.995, "ratio")),
        (with_unburnt(16), None),
        (np.minimum(with_unburnt(8), 249), None),
        (half_lit(101, 4), Reason(Rule.NO_CONTRAST, 0.25, 0.25, "gray")),
        (half_lit(102, 4), None),
        (levels(*[100] * 19, 101), Reason(Rule.NO_CONTRAST, 0.087, 0.25, "gray")),
        (GOOD[:15], Reason(Rule.FRAME_SIZE, 15, 16, "px")),
        (GOOD[:, :15], Reason(Rule.FRAME_SIZE, 15, 16, "px")),
        (GOOD[:16], None),
        (GOOD[:, :16], None),
        (GOOD[:, :, :1], Reason(Rule.FRAME_FORMAT, 1, 3, "channels")),
        (GOOD[:, :, 0], Reason(Rule.FRAME_FORMAT, 1, 3, "channels")),
        (np.dstack([GOOD, GOOD]), Reason(Rule.FRAME_FORMAT, 6, 3, "channels")),
        (np.zeros((0, 9, 3), np.uint8), Reason(Rule.UNREADABLE_IMAGE)),
    ],
)
def test_each_bound_is_where_it_is_said_to_be(image: np.ndarray, reason: Reason | None) -> None:
    """On the one side a frame can be judged, on the other it says what was found and allowed."""
    assert look(image, age_s=0.0, max_age_s=0.5, size=None) == reason


def test_every_second_row_decides_about_exposure() -> None:
    """What lies between them neither lights a picture up nor darkens it."""
    between = np.full((80, 80, 3), 200, np.uint8)
    between[::2] = 0
    on_them = np.zeros((80, 80, 3), np.uint8)
    on_them[:40:2] = 200

    assert seen(between) is Rule.TOO_DARK
    assert seen(on_them) is None


def captured(scene: np.ndarray | float, sigma: float, size: tuple[int, int]) -> np.ndarray:
    """What a sensor with this noise makes of gray levels, as a picture of (width, height)."""
    noise = np.random.default_rng(5).normal(0, sigma, size[::-1])
    gray = np.clip(np.round(scene + noise), 0, 255).astype(np.uint8)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)


def hot(pixels: int, size: tuple[int, int]) -> np.ndarray:
    """Black but for so many white pixels."""
    image = np.zeros((size[1] * size[0], 3), np.uint8)
    image[np.random.default_rng(5).choice(len(image), pixels, replace=False)] = 255
    return image.reshape(size[1], size[0], 3)


def grain(size: tuple[int, int]) -> np.ndarray:
    """Every gray level from 0 to 11 is as frequent."""
    gray = np.random.default_rng(5).integers(0, 12, size[::-1], np.uint8)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)


@pytest.mark.parametrize("size", [(1920, 1080), (760, 560), (160, 120), (40, 40)])
def test_the_noise_behind_a_cap_is_no_picture(size: tuple[int, int]) -> None:
    """However bright single pixels are, a sensor that sees nothing has nothing lit, or is flat."""
    assert seen(captured(3, 2, size)) is Rule.TOO_DARK
    assert seen(grain(size)) is Rule.TOO_DARK
    assert seen(captured(128, 1.5, size)) is Rule.NO_CONTRAST
    assert seen(captured(30, 1.5, size)) is Rule.NO_CONTRAST


@pytest.mark.parametrize(
    ("pixels", "size"), [(640, (1920, 1080)), (1, (760, 560)), (140, (760, 560)), (6, (160, 120))]
)
def test_hot_pixels_light_nothing_up(pixels: int, size: tuple[int, int]) -> None:
    """A capped camera has some, as bright as a lamp."""
    assert seen(hot(pixels, size)) is Rule.TOO_DARK


@pytest.mark.parametrize("size", [(1920, 1080), (760, 560), (320, 240)])
@pytest.mark.parametrize(("gray", "darker"), [(150, 0.01), (150, 0.05), (60, 0.05), (25, 0.1)])
def test_a_plain_lit_part_can_be_judged(size: tuple[int, int], gray: int, darker: float) -> None:
    """A blank one shows nothing but the lens: its corners get a little less light."""
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    lit = gray * (1 - darker * (x * x + y * y) / 2)

    assert seen(captured(lit, 2, size)) is None


@pytest.mark.parametrize("surface", ["phone", "plate", "text"])
def test_what_a_sample_shows_can_be_judged_at_any_size(surface: str) -> None:
    """Blocks that end before the edge of the picture are no reason to refuse it."""
    picture = sample(surface)
    for side in range(16, 150, 7):
        small = cv2.resize(picture, (side + 40, side), interpolation=cv2.INTER_AREA)
        assert seen(small) is None
        assert seen(small.transpose(1, 0, 2)) is None
        assert seen(np.zeros_like(small)) is Rule.TOO_DARK


@pytest.mark.parametrize("shape", [(2, 760), (560, 1), (1, 1), (15, 4000)])
def test_a_strip_of_a_few_pixels_is_no_picture(shape: tuple[int, int]) -> None:
    """Nothing on it can be told from noise, whatever it shows."""
    strip = np.random.default_rng(1).integers(0, 200, (*shape, 3), np.uint8)
    reason = look(strip, age_s=0.0, max_age_s=0.5, size=None)
    assert reason == Reason(Rule.FRAME_SIZE, min(shape), 16, "px")


@pytest.mark.parametrize(
    ("age_s", "size", "reason"),
    [
        (0.6, None, Reason(Rule.STALE_FRAME, 600.0, 500.0, "ms")),
        (0.0, (161, 120), Reason(Rule.FRAME_SIZE, 160, 161, "px")),
        (0.0, (160, 121), Reason(Rule.FRAME_SIZE, 120, 121, "px")),
        (0.0, (161, 121), Reason(Rule.FRAME_SIZE, 160, 161, "px")),
    ],
)
def test_age_and_size_are_told(
    age_s: float, size: tuple[int, int] | None, reason: Reason | None
) -> None:
    """What was found and what was expected, with their unit; of width and height the width."""
    assert look(GOOD, age_s=age_s, max_age_s=0.5, size=size) == reason


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


@pytest.mark.parametrize(
    ("surface", "expected"), [("phone", 0.521617), ("plate", 0.385097), ("text", 0.637706)]
)
def test_sharpness_means_the_same_in_every_version(surface: str, expected: float) -> None:
    """Lines have learned their windows by it; another number would be another window."""
    assert sharpness(sample(surface)) == pytest.approx(expected, abs=2e-6)


def test_a_single_row_has_a_sharpness() -> None:
    """The direction in which there is nothing to compare does not count."""
    row = np.random.default_rng(3).integers(0, 200, (1, 64, 3), np.uint8)

    assert sharpness(row) == pytest.approx(0.796629, abs=2e-6)
    assert sharpness(row.transpose(1, 0, 2).copy()) == pytest.approx(0.796629, abs=2e-6)


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
        (moved(0, 0)[:229], Rule.NOT_IN_PLACE),
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


def test_how_well_a_mark_is_met_is_told() -> None:
    """To three digits; a mark that is met just as well as it has to be is in its place."""
    reference = Reference(picture="mark.png", at=AT, min_score=0.99)
    image = noisy(moved(0, 0), 30)
    score = sight._score(image, reference, MARK)
    assert 0.3 < score < 0.99

    expected = Reason(Rule.NOT_IN_PLACE, round(score, 3), 0.99, "ratio")
    assert in_place(image, reference, MARK) == expected
    just = reference.model_copy(update={"min_score": score})
    assert in_place(image, just, MARK) is None


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_correlation_that_is_no_number_finds_nothing(
    monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    """Where nothing varies some versions of OpenCV divide by zero."""
    monkeypatch.setattr(cv2, "matchTemplate", lambda *_: np.full((2, 2), score, np.float32))

    reason = in_place(sample("text"), Reference(picture="mark.png", at=AT), MARK)

    assert reason == Reason(Rule.NOT_IN_PLACE, 0.0, 0.7, "ratio")


def test_a_line_without_a_reference_looks_for_no_mark() -> None:
    """Whatever picture is handed over."""
    assert in_place(sample("text"), None, MARK) is None


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

"""A scratch is followed beyond what the network has found, as far as the picture shows it."""

import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from inspector.follow import SEED, Tip, drawn, follow
from inspector.limits import Limits
from inspector.measure import measure
from inspector.pipeline import Inspector, View
from inspector.refine import refine
from inspector.types import Detection, Frame

SHAPE = (240, 420)
FINE = 8
MARGIN = 2


def ink(points: np.ndarray, width: float = 3.0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """How much of each pixel a line covers, 0 to 1."""
    fine = np.zeros((FINE * shape[0], FINE * shape[1]), np.uint8)
    at = np.rint(points * FINE).astype(np.int32)
    cv2.polylines(fine, [at], False, 255, round(FINE * width))
    return cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_AREA) / 255


def picture(light: np.ndarray, noise: float = 2.0) -> np.ndarray:
    """Gray levels of a surface to which that is added, through a lens in focus."""
    seen = cv2.GaussianBlur(90 + light, (0, 0), 0.6)
    seen += np.random.default_rng(0).normal(0, noise, seen.shape)
    return np.repeat(seen.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def seen_of(points: np.ndarray, width: float = 3.0, shape: tuple[int, int] = SHAPE) -> Detection:
    """What a network finds of a line: wider than it is."""
    mask = ink(points, width + 2 * MARGIN, shape) >= 0.5
    return Detection(0.9, 0, 0, mask)


def arc(radius: float = 150.0, first: float = 200.0, last: float = 320.0) -> np.ndarray:
    """Points of a circle about (210, 190), between angles in degrees."""
    angle = np.radians(np.arange(first, last, 0.2))
    return np.array([210, 190]) + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def straight(first: tuple[int, int], last: tuple[int, int]) -> np.ndarray:
    return np.linspace(first, last, 500)


def lengths(image: np.ndarray, *found: Detection) -> list[float]:
    return sorted((s.length_px for s in measure(refine(found, image))), reverse=True)


LINES = {
    "straight": straight((30, 40), (380, 170)),
    "level": straight((30, 120), (390, 120)),
    "upright": straight((200, 10), (200, 230)),
    "curved": arc(),
    "tight": arc(60, 150, 390),
}


@pytest.mark.parametrize("light", [-60, 60])
@pytest.mark.parametrize("name", LINES)
def test_a_part_of_a_scratch_shows_the_way_to_all_of_it(name: str, light: int) -> None:
    """From a fifth of it in its middle, both ways."""
    line = LINES[name]
    part = line[2 * len(line) // 5 : 3 * len(line) // 5]
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    image = picture(light * ink(line))

    (found,) = measure(refine([seen_of(part)], image))

    assert found.length_px == pytest.approx(length + 3, abs=3)  # with its round ends
    assert found.width_px == pytest.approx(3, abs=0.6)


@pytest.mark.parametrize("turn", [0, 17, 45, 90])
@pytest.mark.parametrize("width", [1.0, 2.0, 3.0, 4.5, 6.0, 11.0])
def test_a_followed_line_is_as_wide_as_its_tip(width: float, turn: int) -> None:
    heading = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    line = 60.3 + np.arange(100)[:, None] * heading
    nothing = Detection(0.9, 60, 60, np.zeros((1, 1), bool))

    (found,) = measure([drawn(nothing, [(line, width)], (220, 220))])

    assert found.width_px == pytest.approx(width, abs=0.6)


@pytest.mark.parametrize("threads", [((12, 5),), ((10, 5), (14, -6)), ((14, 6), (9, -4), (16, 0))])
def test_a_mask_that_frays_out_is_followed_from_before_its_threads(threads: tuple) -> None:
    """Of a gouge the network often tells one side farther than the other: its middle forks there,
    and each of its tips is too short to have a direction.
    """
    line = straight((30, 120), (390, 130))
    image = picture(60 * ink(line, 7))
    found = seen_of(line[120:250], 5)
    end = line[250]
    for along, aside in threads:
        found.mask[ink(straight(tuple(end), (end[0] + along, end[1] + aside)), 3) >= 0.5] = True

    (whole,) = lengths(image, found)

    assert whole == pytest.approx(367, abs=4)


def test_a_mask_that_leads_aside_at_its_tip_is_followed_from_before_that() -> None:
    """There the groove lies beside the way ahead, which is no end of it."""
    line = straight((30, 120), (390, 130))
    image = picture(60 * ink(line, 7))
    aside = line[150:250] + np.linspace(0, 1, 100)[:, None] ** 3 * (0, 7)
    found = seen_of(aside, 6)

    (whole,) = lengths(image, found)

    assert whole == pytest.approx(367, abs=4)


def test_a_tip_just_past_a_crossing_is_followed() -> None:
    """There the px before it lie on the mask of the other scratch."""
    level, upright = straight((60, 120), (360, 120)), straight((200, 20), (200, 220))
    image = picture(60 * np.maximum(ink(level), ink(upright)))

    told = lengths(image, seen_of(straight((60, 120), (204, 120))), seen_of(upright))

    assert told[0] == pytest.approx(303, abs=4)
    assert told[1] == pytest.approx(203, abs=4)


def crossed(angle: float) -> np.ndarray:
    """A line of 200 px through (200, 120), so many degrees from the level."""
    half = 100 * np.array((np.cos(np.radians(angle)), np.sin(np.radians(angle))))
    return straight(tuple(np.array((200, 120)) - half), tuple(np.array((200, 120)) + half))


@pytest.mark.parametrize("angle", [40, 60, 90, 120])
@pytest.mark.parametrize("found_to", [120, 170, 196])
def test_a_scratch_goes_on_beyond_one_that_crosses_it(angle: float, found_to: int) -> None:
    """However far before the crossing the network has lost it."""
    level, other = straight((60, 120), (360, 120)), crossed(angle)
    image = picture(60 * np.maximum(ink(level), ink(other)))

    told = lengths(image, seen_of(straight((60, 120), (found_to, 120))), seen_of(other))

    assert told[0] == pytest.approx(303, abs=4)
    assert told[1] == pytest.approx(203, abs=4)


@pytest.mark.parametrize("angle", [40, 90])
def test_a_scratch_that_ends_at_another_ends_there(angle: float) -> None:
    """Beyond it there is nothing, or something else: a mark three times as bright."""
    level, other = straight((60, 120), (200, 120)), crossed(angle)
    bright = ink(straight((205, 120), (360, 120)))
    for light in (0, 3 * 60 * bright):
        image = picture(60 * np.maximum(ink(level), ink(other)) + light - 30)

        told = lengths(image, seen_of(straight((60, 120), (160, 120))), seen_of(other))

        assert told == [pytest.approx(203, abs=4), pytest.approx(143, abs=6)]


@pytest.mark.parametrize("apart", [12, 16, 20, 30, 40, 60])
def test_a_scratch_goes_on_over_one_after_the_other(apart: int) -> None:
    """Each is crossed by itself, however near the next one is."""
    level = straight((60, 120), (360, 120))
    others = [straight((190 + k * apart, 60), (190 + k * apart, 180)) for k in range(3)]
    image = picture(60 * np.maximum.reduce([ink(level), *map(ink, others)]))

    told = lengths(image, seen_of(straight((60, 120), (150, 120))), *map(seen_of, others))

    assert told == [pytest.approx(303, abs=4), *[pytest.approx(123, abs=4)] * 3]


def test_a_piece_on_the_way_is_no_scratch_that_crosses() -> None:
    """It is of the same one: they are joined, and none is told twice."""
    level = straight((60, 120), (360, 120))
    pieces = [seen_of(straight((60, 120), (150, 120))), seen_of(straight((190, 120), (210, 120)))]

    assert lengths(picture(60 * ink(level)), *pieces) == [pytest.approx(303, abs=4)]


def test_a_scratch_goes_on_over_a_gap_at_its_tip() -> None:
    """As one does of dashes."""
    dashes = np.maximum(ink(straight((40, 120), (200, 120))), ink(straight((209, 120), (380, 120))))

    (found,) = lengths(picture(60 * dashes), seen_of(straight((40, 120), (200, 120))))

    assert found == pytest.approx(343, abs=4)


def test_a_short_part_of_a_scratch_shows_the_way() -> None:
    """Too short for going back before its tips, and long enough for a direction."""
    line = straight((60, 120), (360, 120))

    (found,) = lengths(picture(60 * ink(line)), seen_of(straight((190, 120), (214, 120))))

    assert found == pytest.approx(303, abs=6)


def test_two_parts_of_one_scratch_become_one() -> None:
    """Far beyond what would be bridged without looking."""
    line = LINES["straight"]
    image = picture(60 * ink(line))

    (found,) = lengths(image, seen_of(line[:120]), seen_of(line[-120:]))

    assert found == pytest.approx(373, abs=5)


@pytest.mark.parametrize("gap", [4, 7])
def test_a_short_gap_is_passed(gap: int) -> None:
    before, after = straight((30, 120), (200, 120)), straight((200 + gap, 120), (390, 120))
    image = picture(60 * (ink(before) + ink(after)))

    (found,) = lengths(image, seen_of(straight((60, 120), (150, 120))))

    assert found == pytest.approx(361, abs=5)


def test_where_the_scratch_ends_it_is_not_followed() -> None:
    """Nor across a gap that is longer, nor onto what is fainter or broader."""
    line = straight((60, 120), (200, 120))
    alone = lengths(picture(60 * ink(line)), seen_of(line))
    beyond = {
        "after a gap": 60 * ink(straight((216, 120), (390, 120))),
        "fainter": 12 * ink(straight((200, 120), (390, 120))),
        "an edge": 60.0 * (np.arange(SHAPE[0]) > 120)[:, None] * (np.arange(SHAPE[1]) > 203),
        "print": 60 * ink(straight((204, 90), (204, 150)), 8),
    }

    for what, light in beyond.items():
        image = picture(np.maximum(60 * ink(line), light))
        assert lengths(image, seen_of(line))[0] == pytest.approx(alone[0], abs=6), what


def test_noise_is_not_followed() -> None:
    """A mask on a picture that shows nothing keeps its length, without its margin."""
    line = straight((60, 120), (200, 120))

    for seed in range(20):
        grain = np.random.default_rng(seed).normal(0, 12, SHAPE)
        assert lengths(picture(grain), seen_of(line))[0] <= 145


def test_it_ends_at_another_scratch() -> None:
    """Each of two that cross keeps its own length, and the crossing is nobody's end."""
    one, other = straight((30, 120), (390, 120)), straight((210, 20), (210, 220))
    image = picture(60 * np.maximum(ink(one), ink(other)))

    found = lengths(image, seen_of(one[:200]), seen_of(one[-180:]), seen_of(other))

    assert found == pytest.approx([361, 201], abs=6)


def test_a_ring_is_followed_once_round() -> None:
    """Until it meets its own beginning."""
    ring = arc(45, 0, 360)
    image = picture(60 * ink(ring))

    (found,) = lengths(image, seen_of(ring[:600]))

    assert found == pytest.approx(2 * np.pi * 45, rel=0.06)


def test_a_spiral_that_nears_itself_comes_to_an_end() -> None:
    """And in time, however long it is."""
    angle = np.arange(0, 60, 0.005)
    turns = np.array([210, 120]) + (20 + 1.6 * angle)[:, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=1
    )
    image = picture(60 * ink(turns))
    start = time.process_time()

    found = lengths(image, seen_of(turns[:1000]))

    assert time.process_time() - start < 2
    assert sum(found) > 1000


def test_it_is_followed_to_the_edge_of_the_frame() -> None:
    line = straight((-10, 60), (430, 170))
    image = picture(60 * ink(line))

    (refined,) = refine([seen_of(straight((150, 100), (250, 125)))], image)
    (found,) = measure([refined])

    assert found.length_px == pytest.approx(432, abs=6)
    assert refined.x + refined.mask.shape[1] <= SHAPE[1]
    assert max(x for x, _ in found.polygon) >= SHAPE[1] - 2


def test_a_short_tip_has_no_direction() -> None:
    points = np.stack([np.arange(SEED - 1.0), np.full(SEED - 1, 50.0)], axis=1)
    right = np.tile([[0.0, 1.0]], (SEED - 1, 1))
    image = picture(60 * ink(straight((0, 50), (300, 50))))

    assert follow(image, Tip(points, right, 3.0, 1e4), [], seen_of(points)).shape == (0, 2)


def test_a_scratch_is_no_shorter_for_being_followed() -> None:
    """Whatever lies ahead of its tips: lines at every angle that begin there."""
    line = straight((150, 120), (250, 120))
    for degrees in range(-90, 91, 10):
        turn = np.radians(degrees)
        end = np.array([250 + 120 * np.cos(turn), 120 + 100 * np.sin(turn)])
        image = picture(60 * np.maximum(ink(line), ink(np.linspace((250, 120), end, 300))))

        assert lengths(image, seen_of(line))[0] >= 97, degrees


def test_no_more_is_followed_in_a_frame_than_there_is_time_for(monkeypatch) -> None:
    """The rest keeps what the network has found of it."""
    rows = range(20, 220, 20)
    image = picture(60 * np.max([ink(straight((20, y), (400, y))) for y in rows], axis=0))
    found = [seen_of(straight((190, y), (230, y))) for y in rows]
    monkeypatch.setattr("inspector.refine.MOST", 1000)

    told = lengths(image, *found)

    assert told[0] == pytest.approx(383, abs=5)
    assert told[-1] == pytest.approx(43, abs=5)
    assert sum(told) < 43 * len(found) + 1000 + 100


def test_a_detection_without_a_frame_around_it_stays_in_it() -> None:
    """The picture is no larger than the mask."""
    image = np.full((9, 60, 3), 90, np.uint8)
    image[3:6, :, :] = 160

    (one,) = refine([Detection(0.9, 0, 0, np.ones((9, 60), np.bool_))], image)

    assert one.mask.any()


def test_a_scratch_is_not_followed_out_of_the_region_of_interest() -> None:
    """What lies beside it is the fixture's, and no matter of the part."""
    line = straight((30, 120), (390, 120))
    roi = (100, 40, 200, 160)
    part = seen_of(straight((50, 80), (120, 80)), shape=(roi[3], roi[2]))
    manifest = SimpleNamespace(classes=("scratch",))
    segmenter = SimpleNamespace(segment=lambda _: [part], manifest=manifest)

    judged = Inspector(segmenter, Limits(), View(roi=roi)).inspect(
        Frame(picture(60 * ink(line)), "part", time.monotonic())
    )

    (scratch,) = judged.scratches
    assert scratch.length_px == pytest.approx(roi[2], abs=4)
    assert min(x for x, _ in scratch.polygon) >= roi[0]
    assert max(x for x, _ in scratch.polygon) < roi[0] + roi[2]

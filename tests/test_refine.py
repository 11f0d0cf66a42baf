"""A fat mask becomes the ridge that the picture shows; without a ridge its core stays."""

import cv2
import numpy as np
import pytest

from inspector.measure import measure
from inspector.refine import refine
from inspector.types import Detection

SHAPE = (120, 200)


def scene(core: int, width: int = 3, noise: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """A gray picture with one slanted stroke of that brightness, and the stroke's own mask."""
    stroke = np.zeros(SHAPE, np.uint8)
    cv2.line(stroke, (20, 30), (170, 90), 1, width)
    grain = np.random.default_rng(0).normal(0, noise, SHAPE)
    gray = np.where(stroke > 0, core, 120) + grain
    return np.repeat(gray.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2), stroke > 0


def blob(stroke: np.ndarray) -> Detection:
    """What a network sees of it: 9 px wide, cut to its own box."""
    fat = cv2.dilate(stroke.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    rows, columns = np.nonzero(fat)
    top, left = rows.min(), columns.min()
    return Detection(0.9, int(left), int(top), fat[top : rows.max() + 1, left : columns.max() + 1])


def dice(detection: Detection, stroke: np.ndarray) -> float:
    full = np.zeros(SHAPE, bool)
    height, width = detection.mask.shape
    full[detection.y : detection.y + height, detection.x : detection.x + width] = detection.mask
    return 2 * (full & stroke).sum() / (full.sum() + stroke.sum())


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
        and abs(before.width_px - 4 - after.width_px) <= 1
    )


@pytest.mark.parametrize("core", [60, 90, 150, 250])
@pytest.mark.parametrize("width", [1, 3, 5])
def test_the_mask_becomes_the_ridge(core: int, width: int) -> None:
    """Bright or dark, hairline or gouge: the refined mask is the stroke, the network's is not."""
    image, stroke = scene(core, width)

    refined = refine(blob(stroke), image)

    assert dice(refined, stroke) > 0.85
    assert dice(refined, stroke) > dice(blob(stroke), stroke)


def test_without_a_clear_ridge_the_core_of_the_mask_stays() -> None:
    """A stroke that drowns in noise is where the network says."""
    image, stroke = scene(122, noise=12)
    found = blob(stroke)

    assert is_core(refine(found, image), found)


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

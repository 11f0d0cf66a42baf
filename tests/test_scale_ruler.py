"""Millimetres per pixel from drawn rulers: exact from a sharp picture, and never wrong."""

import cv2
import numpy as np
import pytest

from inspector import scale
from inspector.errors import TargetRefused

# Widths in px and darkness of the ticks of 1, 5 and 10 mm.
KINDS = {
    "alike": ((2.0, 2.0, 2.0), (200, 200, 200)),
    "bolder": ((1.5, 2.5, 3.5), (90, 150, 200)),
    "darker": ((2.0, 2.0, 2.0), (60, 200, 200)),
    "tens": ((1.0, 1.0, 3.0), (150, 150, 200)),
    "pale": ((2.0, 2.5, 2.5), (40, 50, 50)),
}
A, B = (45.0, 8.0), (1240.0, 8.0)
ROWS, COLUMNS, FINE = 17, 1300, 8


def ruler(
    pitch: float, kind: str = "bolder", *, blur: float = 0.7, turn: float = 0.0,
    stretch: float = 0.0, noise: float = 2.0,
) -> np.ndarray:  # fmt: skip
    """A ruler with `pitch` px per mm, its ticks `turn` degrees off the vertical and their distance
    by `stretch` larger at the right end than at the left.
    """
    y, x = np.mgrid[0:ROWS, 0 : COLUMNS * FINE].astype(np.float32)
    x = (x + 0.5) / FINE - 0.5 + (y - 8) * np.tan(np.radians(turn))
    x = x * np.cos(np.radians(turn))
    x = x - stretch * (x - 650) ** 2 / 2600 - 40.3
    number = np.round(x / pitch)
    rank = np.where(number % 10 == 0, 2, np.where(number % 5 == 0, 1, 0))
    width, dark = (np.array(values)[rank] for values in KINDS[kind])
    inked = np.abs(x - number * pitch) <= np.minimum(width, 0.6 * pitch) / 2
    seen = (225.0 - dark * inked).reshape(ROWS, COLUMNS, FINE).mean(axis=2)
    seen = cv2.GaussianBlur(seen, (0, 0), blur) if blur else seen
    noisy = seen + np.random.default_rng(0).normal(0, noise, seen.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pitch", [5, 6.2, 7, 8.3, 10, 12, 14.6, 16, 20, 25])
def test_a_sharp_ruler_is_measured_exactly(pitch: float, kind: str) -> None:
    """Whether its ticks of 5 and 10 mm are bolder or not."""
    for blur in (0.5, 0.7):
        found = scale.from_ruler(ruler(pitch, kind, blur=blur), A, B, 1.0)

        assert found.mm_per_px == pytest.approx(1 / pitch, rel=0.001)
        assert found.uncertainty < 0.001 * found.mm_per_px


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pitch", [3, 3.7, 4.3, 5, 5.5, 7, 8.3, 10, 12, 16, 20, 25])
def test_a_blurred_ruler_is_measured_or_refused_and_never_wrong(pitch: float, kind: str) -> None:
    """However few of its ticks are left."""
    for blur in (0, 0.7, 1, 1.3, 1.6, 2, 2.5, 3, 4, 5, 7, 10):
        try:
            found = scale.from_ruler(ruler(pitch, kind, blur=blur), A, B, 1.0)
        except TargetRefused:
            assert blur > 0.7 or pitch < 5
        else:
            assert found.mm_per_px == pytest.approx(1 / pitch, rel=0.005), blur


def test_ticks_of_which_only_each_tenth_is_left_are_refused_with_the_reason() -> None:
    """The scale would be ten times too small, and look as exact as a right one."""
    with pytest.raises(TargetRefused, match=r"edges of at most .* px apart.*: focus"):
        scale.from_ruler(ruler(8.3, blur=3), A, B, 1.0)


@pytest.mark.parametrize(
    ("dark", "reason"),
    [((10, 200, 200), "nothing between the ticks"), ((0, 90, 200), "every second one fainter")],
    ids=["faint", "none"],
)
def test_ticks_that_hint_at_finer_ones_are_refused(dark, reason, monkeypatch) -> None:
    """A faint one at each fifth of the way, or 5 mm in turn with 10 mm and nothing else."""
    monkeypatch.setitem(KINDS, "hint", ((2.0, 2.0, 2.0), dark))

    with pytest.raises(TargetRefused, match=reason):
        scale.from_ruler(ruler(5.3, "hint"), A, B, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_bright_ticks_and_a_sharpened_picture_make_no_difference(kind: str) -> None:
    """Engraved steel, and the halos with which many cameras answer an edge."""
    seen = ruler(10, kind).astype(float)
    halos = seen + 0.7 * (seen - cv2.GaussianBlur(seen, (0, 0), 1.5))
    for picture in (255 - seen, halos):
        found = scale.from_ruler(np.clip(picture, 0, 255).astype(np.uint8), A, B, 1.0)

        assert found.mm_per_px == pytest.approx(0.1, rel=0.001)


@pytest.mark.parametrize("pitch", [5, 10, 25])
def test_an_oblique_line_sees_the_same_scale_or_is_refused(pitch: float) -> None:
    """Along it the ticks are farther apart: 0.4 % at 5 degrees."""
    for turn in (-5, -2, 1, 4):
        found = scale.from_ruler(ruler(pitch, turn=turn), A, B, 1.0)

        assert found.mm_per_px == pytest.approx(1 / pitch, rel=0.001)
    with pytest.raises(TargetRefused, match="square to the ticks"):
        scale.from_ruler(ruler(pitch, turn=9), A, B, 1.0)


def test_a_ruler_that_leans_away_is_refused_and_a_little_of_it_is_stated() -> None:
    """By how much its ticks are wider at one end."""
    found = scale.from_ruler(ruler(10, stretch=0.012), A, B, 1.0)

    assert 0.0025 < found.uncertainty / found.mm_per_px < 0.004
    with pytest.raises(TargetRefused, match="square to the camera, found ticks"):
        scale.from_ruler(ruler(10, stretch=0.03), A, B, 1.0)


def test_it_says_how_long_the_line_is() -> None:
    """So that whoever measures notices a scale that is out by a factor."""
    found = scale.from_ruler(ruler(8.3), A, B, 1.0)

    assert found.detail == "144 ticks, 8.30 px apart, so that the line is 144 mm long"


def test_something_else_among_the_ticks_is_refused() -> None:
    """A speck, a number, a gap: then none of them is sure."""
    speck, gap = ruler(20), ruler(20)
    speck[:, 510:513] = 25
    gap[:, 515:525] = 225

    for seen in (speck, gap):
        with pytest.raises(TargetRefused, match="regular ticks along the line and nothing else"):
            scale.from_ruler(seen, A, B, 1.0)


def test_too_few_ticks_are_refused() -> None:
    """Nine give no scale to a tenth of a percent."""
    with pytest.raises(TargetRefused, match="at least 10 clear ticks along the line, found 9"):
        scale.from_ruler(ruler(12), A, (150.0, 8.0), 1.0)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_nothing_has_no_ticks(level: int) -> None:
    """A closed lens, or one that is all in the light."""
    with pytest.raises(TargetRefused, match="at least 10 clear ticks along the line, found 0"):
        scale.from_ruler(np.full((ROWS, COLUMNS), level, np.uint8), A, B, 1.0)

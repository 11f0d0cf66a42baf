"""What cannot be judged is named, and what can be judged is not refused."""

import math

import numpy as np
import pytest

from inspector.sight import look
from inspector.types import Rule

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
        (GOOD[:, :, 0], Rule.UNREADABLE_IMAGE),
        (GOOD.astype(np.float32), Rule.UNREADABLE_IMAGE),
    ],
)
def test_a_frame_that_shows_nothing_is_named(image: np.ndarray, rule: Rule) -> None:
    """Black, burnt, flat, empty, gray or of another type: each has its reason."""
    assert seen(image) is rule


@pytest.mark.parametrize("age_s", [0.51, math.inf, math.nan])
def test_an_old_frame_shows_another_part(age_s: float) -> None:
    """A frame whose age is not proved fresh is stale, also when the age is no number."""
    assert seen(GOOD, age_s) is Rule.STALE_FRAME


@pytest.mark.parametrize("size", [(160, 121), (161, 120), (120, 160)])
def test_a_frame_of_another_size_comes_from_another_camera(size: tuple[int, int]) -> None:
    """The size that the line expects is exact."""
    assert seen(GOOD, 0, size) is Rule.FRAME_SIZE

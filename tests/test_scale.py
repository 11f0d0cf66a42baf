"""Millimetres per pixel from drawn targets whose scale is known, and what is refused."""

import cv2
import numpy as np
import pytest

from inspector import scale
from inspector.errors import TargetRefused

INNER, SQUARE_MM = (9, 6), 5.0
FINE = 40  # px of a square in the drawing that is warped into the picture


def board() -> np.ndarray:
    columns, rows = INNER[0] + 1, INNER[1] + 1
    cells = (np.add.outer(np.arange(rows), np.arange(columns)) % 2 * 205 + 25).astype(np.uint8)
    return cv2.copyMakeBorder(
        np.kron(cells, np.ones((FINE, FINE), np.uint8)),
        40,
        40,
        40,
        40,
        cv2.BORDER_CONSTANT,
        value=230,
    )


def ruler() -> np.ndarray:
    canvas = np.full((120, 1300), 225, np.uint8)
    for k in range(101):
        canvas[10 : 60 if k % 10 else 100, 40 + 12 * k : 43 + 12 * k] = 20
    return canvas


def marker() -> np.ndarray:
    code = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
    drawn = cv2.aruco.generateImageMarker(code, 7, 400)
    return cv2.copyMakeBorder(drawn, 80, 80, 80, 80, cv2.BORDER_CONSTANT, value=255)


def shot(
    drawn: np.ndarray, zoom: float, *, turn: float = 0.1, tilt: float = 0.0, bend: float = 0.0,
    blur: float = 0.7,
) -> np.ndarray:  # fmt: skip
    """A photograph of the drawing: `zoom` px per drawn px, on grey ground, with noise."""
    h, w = drawn.shape
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    place = np.array([[c, -s, 0], [s, c, 0], [tilt / w, 0, 1]])
    place = np.array([[1, 0, 700], [0, 1, 500], [0, 0, 1.0]]) @ place
    place = place @ np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1.0]])
    y, x = np.mgrid[0:1000, 0:1400].astype(np.float32)
    if bend:
        r2 = ((x - 700) ** 2 + (y - 500) ** 2) / 700**2
        x, y = 700 + (x - 700) * (1 + bend * r2), 500 + (y - 500) * (1 + bend * r2)
    back = np.linalg.inv(place)
    deep = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / deep
    v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / deep
    seen = cv2.remap(
        cv2.GaussianBlur(drawn, (0, 0), max(0.3, 0.4 / zoom)),
        u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderValue=120,
    )  # fmt: skip
    noise = np.random.default_rng(1).normal(0, 2, seen.shape)
    return np.clip(cv2.GaussianBlur(seen, (0, 0), blur) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("zoom", [0.5, 0.83, 1.2])
@pytest.mark.parametrize("turn", [0.0, 0.3, 1.5])
def test_a_checkerboard_gives_the_scale(zoom: float, turn: float) -> None:
    """Within three times its uncertainty, which is far below a percent."""
    found = scale.from_checkerboard(shot(board(), zoom, turn=turn), INNER, SQUARE_MM)

    truth = SQUARE_MM / (FINE * zoom)
    assert abs(found.mm_per_px - truth) <= 3 * found.uncertainty
    assert found.uncertainty < 0.005 * truth


def test_a_marker_gives_the_scale() -> None:
    """By its outer side."""
    found = scale.from_aruco(shot(marker(), 0.7), 20.0)

    assert found.mm_per_px == pytest.approx(20 / (400 * 0.7), rel=0.005)


@pytest.mark.parametrize("turn", [0.0, 0.05])
def test_a_ruler_gives_the_scale(turn: float) -> None:
    """From its ticks along a line, long ones every ten or not."""
    along = np.array([np.cos(turn), np.sin(turn)])
    down = np.array([-np.sin(turn), np.cos(turn)]) * -25
    a, b = (tuple((700, 500) + down + along * reach) for reach in (-480, 480))

    found = scale.from_ruler(shot(ruler(), 0.9, turn=turn), a, b, 1.0)

    assert found.mm_per_px == pytest.approx(1 / (12 * 0.9), rel=0.003)


def test_two_points_give_the_scale() -> None:
    """With the uncertainty of pointing at them."""
    found = scale.from_points((100, 100), (400, 500), 25.0)

    assert found.mm_per_px == pytest.approx(0.05)
    assert found.uncertainty == pytest.approx(0.05 * 2**0.5 / 500)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"zoom": 0.9, "tilt": 0.08}, "differ by"),
        ({"zoom": 0.9, "blur": 6}, "focus|found none"),
        ({"zoom": 0.9, "bend": 0.6}, "lens bends|differ by"),
        ({"zoom": 0.15}, "go nearer|found none"),
    ],
    ids=["tilted", "blurred", "bent", "small"],
)
def test_a_bad_picture_of_a_checkerboard_is_refused(how: dict[str, float], reason: str) -> None:
    """With the reason."""
    with pytest.raises(TargetRefused, match=reason):
        scale.from_checkerboard(shot(board(), **how), INNER, SQUARE_MM)


def test_what_is_not_there_is_not_found() -> None:
    """Noise is no target."""
    noise = np.random.default_rng(3).integers(0, 255, (600, 800), dtype=np.uint8)

    with pytest.raises(TargetRefused, match="found none"):
        scale.from_checkerboard(noise, INNER, SQUARE_MM)
    with pytest.raises(TargetRefused, match="found none"):
        scale.from_aruco(noise, 20)
    with pytest.raises(TargetRefused, match="ticks"):
        scale.from_ruler(noise, (50, 50), (700, 60), 1)
    with pytest.raises(TargetRefused, match="go nearer"):
        scale.from_points((10, 10), (60, 10), 5)

"""Millimetres per pixel from drawn targets whose scale is known, and what is refused."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def askance(
    drawn: np.ndarray, zoom: float, *, turn: float, axis: float, tilt: float, far: float
) -> np.ndarray:
    """What a camera sees of the drawing: turned in its plane, then tilted about an axis in it, all
    in degrees; `zoom` px per drawn px at its middle, from `far` times its width.
    """
    h, w = drawn.shape
    corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
    towards = (
        np.radians([0, 0, turn]),
        np.radians(tilt) * np.array([np.cos(np.radians(axis)), np.sin(np.radians(axis)), 0]),
    )
    turned, tilted = (cv2.Rodrigues(vector)[0] for vector in towards)
    solid = np.c_[corners - (w / 2, h / 2), np.zeros(4)] @ turned.T @ tilted.T
    deep = 1 + solid[:, 2:] / (far * w)
    place = cv2.getPerspectiveTransform(
        corners, (zoom * solid[:, :2] / deep + (400, 350)).astype(np.float32)
    )
    calm = cv2.GaussianBlur(drawn, (0, 0), max(0.3, 0.4 / zoom))
    seen = cv2.warpPerspective(calm, place, (800, 700), borderValue=120).astype(float)
    noise = np.random.default_rng(1).normal(0, 2, seen.shape)
    return np.clip(cv2.GaussianBlur(seen, (0, 0), 0.7) + noise, 0, 255).astype(np.uint8)


TILTED = given(
    turn=st.floats(0, 360),
    axis=st.floats(0, 180),
    tilt=st.floats(0, 35),
    far=st.sampled_from([5.0, 10.0, 40.0, 1e5]),
)


@pytest.mark.parametrize("zoom", [0.5, 0.83, 1.2])
@pytest.mark.parametrize("turn", [0.0, 0.3, 1.5])
def test_a_checkerboard_gives_the_scale(zoom: float, turn: float) -> None:
    """Within three times its uncertainty, which is far below a percent."""
    found = scale.from_checkerboard(shot(board(), zoom, turn=turn), INNER, SQUARE_MM)

    truth = SQUARE_MM / (FINE * zoom)
    assert abs(found.mm_per_px - truth) <= 3 * found.uncertainty
    assert found.uncertainty < 0.005 * truth


@pytest.mark.parametrize(
    ("zoom", "turn", "inner"), [(1.0, 0.1, (5, 3)), (1.0, 0.4, (3, 5)), (0.7, 1.6, (4, 3))]
)
def test_a_board_with_more_corners_than_said_gives_no_scale(
    zoom: float, turn: float, inner: tuple[int, int]
) -> None:
    """OpenCV finds every second one of them: squares of twice the size."""
    seen = shot(board(), zoom, turn=turn)[100:900, 200:1200].copy()

    with pytest.raises(TargetRefused, match="with others between them"):
        scale.from_checkerboard(seen, inner, SQUARE_MM)


@pytest.mark.parametrize(("zoom", "turn"), [(1.01, 0.1), (0.91, 2.02), (0.76, 2.96)])
def test_corners_beside_the_picture_are_none(zoom: float, turn: float) -> None:
    """OpenCV finds such on a board with others than those."""
    seen = shot(board(), zoom, turn=turn)[100:900, 200:1200].copy()

    with pytest.raises(TargetRefused, match="3 × 7 inner corners, found none"):
        scale.from_checkerboard(seen, (3, 7), SQUARE_MM)


def test_a_marker_gives_the_scale() -> None:
    """By its outer side."""
    found = scale.from_aruco(shot(marker(), 0.7), 20.0)

    assert found.mm_per_px == pytest.approx(20 / (400 * 0.7), rel=0.005)


@TILTED
@settings(max_examples=20)
def test_a_tilted_checkerboard_is_refused_or_its_error_is_stated(turn, axis, tilt, far) -> None:
    """Tilted about any axis, its diagonals too, and seen from near or from afar."""
    seen = askance(board(), 1.0, turn=turn, axis=axis, tilt=tilt, far=far)
    try:
        found = scale.from_checkerboard(seen, INNER, SQUARE_MM)
    except TargetRefused:
        assert tilt > 3
    else:
        assert abs(found.mm_per_px / (SQUARE_MM / FINE) - 1) <= 2 * share_of(found)


@TILTED
@settings(max_examples=20)
def test_a_tilted_marker_is_refused_or_its_error_is_stated(turn, axis, tilt, far) -> None:
    """As a checkerboard is."""
    seen = askance(marker(), 0.7, turn=turn, axis=axis, tilt=tilt, far=far)
    try:
        found = scale.from_aruco(seen, 20.0)
    except TargetRefused:
        assert tilt > 3
    else:
        assert abs(found.mm_per_px / (20 / (400 * 0.7)) - 1) <= 2 * share_of(found)


@pytest.mark.parametrize("axis", [0, 45, 90, 123])
def test_a_target_is_refused_at_the_same_tilt_about_any_axis(axis: float) -> None:
    """A square that is tilted about its diagonal has equal sides."""
    for drawn, measure in (
        (board(), lambda seen: scale.from_checkerboard(seen, INNER, SQUARE_MM)),
        (marker(), lambda seen: scale.from_aruco(seen, 20.0)),
    ):
        zoom = 350 / drawn.shape[0]
        known = measure(askance(drawn, zoom, turn=0, axis=axis, tilt=8, far=1e5))
        assert 0.0025 < share_of(known) < 0.004
        with pytest.raises(TargetRefused, match="square to the camera"):
            measure(askance(drawn, zoom, turn=0, axis=axis, tilt=14, far=1e5))


@pytest.mark.parametrize("turn", [0, 30, 45, 80, 200])
def test_a_target_square_to_the_camera_is_measured_well_however_it_lies(turn: float) -> None:
    """To less than a third of a percent: blur rounds a marker's corners."""
    flat = {"turn": turn, "axis": 0, "tilt": 0, "far": 10}
    chess = scale.from_checkerboard(askance(board(), 1.0, **flat), INNER, SQUARE_MM)
    code = scale.from_aruco(askance(marker(), 0.7, **flat), 20.0)

    assert 2 * share_of(chess) < 0.003
    assert 2 * share_of(code) < 0.003


def share_of(found: scale.Measured) -> float:
    return found.uncertainty / found.mm_per_px


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

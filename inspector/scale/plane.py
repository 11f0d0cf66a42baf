"""Millimetres per pixel from a flat target: a checkerboard or ArUco markers. Pure.

A target that is tilted is foreshortened across the axis of its tilt and true along it, wherever it
is in the picture. So the scale lies between those of its two extreme directions, which the sides of
a square do not show: tilted about its diagonal it becomes a rhombus, and they stay equal.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.errors import TargetRefused
from inspector.scale.measured import TILT, Measured, large_enough
from inspector.types import Gray

CORNER_PX = 0.1  # standard error of a refined corner (cornerSubPix on a sharp target)
INWARD = (
    0.15  # the same of a marker's side, per width of its edges, because blur rounds its corners
)
BEND_PX = 0.6  # most by which corners may lie off a plane seen through a straight lens, rms
SOFT_PX = 6.0  # widest edge, from 10 % to 90 %: more is out of focus
IN_TURN = 0.3  # least correlation with dark and bright squares; where corners are left out, 1/9
CELL = 8  # samples of a square each way, for that

Points = NDArray[np.float64]

SQUARE: Points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def from_checkerboard(gray: Gray, inner: tuple[int, int], square_mm: float) -> Measured:
    """A checkerboard with `inner` corners (columns, rows; at least 3) in a picture (H, W) uint8.

    Raises:
        TargetRefused: not found, blurred, tilted, bent or too small.
    """
    found, corners = cv2.findChessboardCornersSB(gray, inner, flags=cv2.CALIB_CB_ACCURACY)
    # Of a board with other corners than these it may take some beside the picture for found.
    if not found or not ((corners >= 0) & (corners < gray.shape[::-1])).all():
        raise TargetRefused(
            f"expected a checkerboard with {inner[0]} × {inner[1]} inner corners, found none"
        )
    seen = np.asarray(corners, np.float64).reshape(-1, 2)
    extent = float(np.hypot(*(seen[-1] - seen[0])))
    large_enough(extent, "the checkerboard")
    grid = seen.reshape(inner[1], inner[0], 2)
    pitch = float(np.hypot(*np.diff(grid, axis=1).reshape(-1, 2).T).mean())
    plane = np.stack(np.meshgrid(*map(np.arange, inner)), axis=-1).reshape(-1, 2).astype(float)
    homography = _homography(plane, seen)
    _in_turn(gray, homography, inner)
    _sharp(gray, seen, pitch / 2)
    _flat(homography, plane, seen)
    directions = _directions(homography, plane.mean(axis=0))
    return _between([directions], _unevenness(grid), square_mm, np.sqrt(2) * CORNER_PX / extent)


def from_aruco(gray: Gray, marker_mm: float) -> Measured:
    """One or more ArUco markers (any 4 × 4 to 7 × 7 dictionary of OpenCV) of one known side.

    Raises:
        TargetRefused: not found, blurred, tilted or too small.
    """
    corners = _markers(gray)
    if not corners:
        raise TargetRefused("expected an ArUco marker, found none")
    points = np.concatenate(corners)
    large_enough(float(np.hypot(*np.ptp(points, axis=0))), "the markers")
    sides = np.array([np.hypot(*(np.roll(c, -1, axis=0) - c).T) for c in corners])
    side = float(sides.mean())
    width = _sharp(gray, points, side / 8)
    directions = [_directions(_homography(SQUARE, c), SQUARE.mean(axis=0)) for c in corners]
    pointing = np.hypot(np.sqrt(2) * CORNER_PX, INWARD * width) / side
    return _between(directions, float(np.ptp(sides)) / side, marker_mm, pointing)


def _in_turn(gray: Gray, homography: Points, inner: tuple[int, int]) -> None:
    """The squares between the corners are dark and bright in turn: of a board that has more of them
    OpenCV may find every second one.
    """
    columns, rows = (CELL * (count - 1) for count in inner)
    square = np.add.outer(np.arange(rows) // CELL, np.arange(columns) // CELL) % 2
    samples = homography @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, CELL]]) / CELL
    seen = cv2.warpPerspective(
        gray, samples, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    wanted, found = (values - values.mean() for values in (square, seen.astype(np.float64)))
    if not abs((wanted * found).sum()) > IN_TURN * np.sqrt((wanted**2).sum() * (found**2).sum()):
        raise TargetRefused(
            f"expected a checkerboard with {inner[0]} × {inner[1]} inner corners, found one with "
            "others between them: count those from square to square"
        )


def _sharp(gray: Gray, points: Points, reach: float) -> float:
    """Edges beside the points are narrow: their contrast over their steepest slope, px."""
    smooth = gray.astype(np.float32)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    widths = []
    for x, y in points:
        r = max(3, round(reach))
        box = np.s_[max(0, int(y) - r) : int(y) + r + 1, max(0, int(x) - r) : int(x) + r + 1]
        contrast = float(np.ptp(gray[box]))
        if contrast > 0:
            widths.append(0.8 * contrast / max(1e-6, float(slope[box].max())))
    width = float(np.median(widths)) if widths else np.inf
    if not width <= SOFT_PX:
        raise TargetRefused(
            f"expected sharp edges (up to {SOFT_PX:g} px), found {width:.1f} px: focus"
        )
    return width


def _homography(plane: Points, seen: Points) -> Points:
    """(3, 3): takes points (N, 2) of the plane, in sides, to where they are seen (N, 2), px."""
    homography, _ = cv2.findHomography(plane, seen)
    if homography is None:
        raise TargetRefused("expected the corners of a plane, found none that fits")
    return np.asarray(homography, np.float64)


def _flat(homography: Points, plane: Points, seen: Points) -> None:
    """Corners lie where a straight lens sees those of a plane."""
    off = cv2.perspectiveTransform(plane[:, None], homography)[:, 0] - seen
    rms = float(np.sqrt((off**2).sum(axis=-1).mean()))
    if rms > BEND_PX:
        raise TargetRefused(
            f"expected straight rows of corners, found them {rms:.1f} px off: the lens bends, or "
            "the target does"
        )


def _directions(homography: Points, at: Points) -> tuple[float, float]:
    """Px per side at a point of the plane in the directions in which it is longest and shortest."""
    x, y, depth = homography @ (*at, 1.0)
    jacobian = (homography[:2, :2] - np.outer((x, y), homography[2, :2]) / depth) / depth
    longest, shortest = np.linalg.svd(jacobian, compute_uv=False)
    return float(longest), float(shortest)


def _unevenness(grid: Points) -> float:
    """By how much the length of a side differs over corners (rows, columns, 2), as a share."""
    along, down = (
        np.hypot(*np.diff(grid, axis=1).transpose(2, 0, 1)),
        np.hypot(*np.diff(grid, axis=0).transpose(2, 0, 1)),
    )
    edges = [
        along[0],
        along[-1],
        along[:, 0],
        along[:, -1],
        down[:, 0],
        down[:, -1],
        down[0],
        down[-1],
    ]
    means = [float(edge.mean()) for edge in edges]
    return (max(means) - min(means)) / float(np.mean(means))


def _between(
    directions: Sequence[tuple[float, float]], unevenness: float, known_mm: float, pointing: float
) -> Measured:
    """The scale halfway between those of the longest and of the shortest direction, px per side.

    All between the two are taken for equally likely, and `pointing` is the relative error of what
    they were measured on.
    """
    longest, shortest = np.array(directions).T
    spread = max(unevenness, float((longest / shortest).max()) - 1)
    if not spread <= TILT:
        raise TargetRefused(
            f"expected a target square to the camera, found its scale to differ by {spread:.1%} "
            f"(at most {TILT:.0%}): turn the camera or the target"
        )
    mm_per_px = known_mm * float(1 / longest.mean() + 1 / shortest.mean()) / 2
    relative = np.hypot(pointing, spread / np.sqrt(12))
    return Measured(
        mm_per_px,
        float(mm_per_px * relative),
        f"sides of {known_mm / mm_per_px:.2f} px, scale even to {spread:.2%}",
    )


def _markers(gray: Gray) -> list[Points]:
    for name in ("4X4_1000", "5X5_1000", "6X6_1000", "7X7_1000", "ARUCO_ORIGINAL"):
        code = getattr(cv2.aruco, name if name == "ARUCO_ORIGINAL" else f"DICT_{name}", None)
        code = cv2.aruco.DICT_ARUCO_ORIGINAL if code is None else code
        settings = cv2.aruco.DetectorParameters()
        settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(code), settings)
        corners, _, _ = detector.detectMarkers(gray)
        if corners:
            return [np.asarray(c, np.float64).reshape(4, 2) for c in corners]
    return []

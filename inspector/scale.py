"""Millimetres per pixel from a picture of something whose size is known. Pure.

A scale is one number for the whole frame, so it is only true where the camera looks straight at the
part: what is tilted, bent by the lens, blurred or too small in the picture is refused with the
reason. The uncertainty is a standard one (GUM, JCGM 100:2008), of pointing and of perspective.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.errors import TargetRefused

CORNER_PX = 0.1  # standard error of a refined corner (cornerSubPix on a sharp target)
CLICK_PX = 1.0  # of a point that somebody read off a picture
TILT = 0.02  # most by which the scale may differ from one end of the target to the other
BEND_PX = 0.6  # most by which corners may lie off a plane seen through a straight lens, rms
SOFT_PX = 6.0  # widest edge, from 10 % to 90 %: more is out of focus
LEAST_PX = 100.0  # smallest extent of a target; below, a pixel is more than a percent

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """A scale with its standard uncertainty, both mm per px, and how it came about."""

    mm_per_px: float
    uncertainty: float
    detail: str


def from_points(a: tuple[float, float], b: tuple[float, float], known_mm: float) -> Measured:
    """Two points of the frame, in px, whose distance is known.

    Raises:
        TargetRefused: they are nearer to each other than `LEAST_PX`.
    """
    distance = float(np.hypot(a[0] - b[0], a[1] - b[1]))
    _large_enough(distance, "the points")
    mm_per_px = known_mm / distance
    uncertainty = mm_per_px * np.sqrt(2) * CLICK_PX / distance
    return Measured(mm_per_px, float(uncertainty), f"{known_mm:g} mm over {distance:.1f} px")


def from_checkerboard(gray: Gray, inner: tuple[int, int], square_mm: float) -> Measured:
    """A checkerboard with `inner` corners (columns, rows) in a picture (H, W) uint8.

    Raises:
        TargetRefused: not found, blurred, tilted, bent or too small.
    """
    found, corners = cv2.findChessboardCornersSB(gray, inner, flags=cv2.CALIB_CB_ACCURACY)
    if not found:
        raise TargetRefused(
            f"expected a checkerboard with {inner[0]} × {inner[1]} inner corners, found none"
        )
    grid = np.asarray(corners, np.float64).reshape(inner[1], inner[0], 2)
    _large_enough(float(np.hypot(*(grid[-1, -1] - grid[0, 0]))), "the checkerboard")
    pitch = float(np.hypot(*np.diff(grid, axis=1).reshape(-1, 2).T).mean())
    _sharp(gray, grid.reshape(-1, 2), pitch / 2)
    _flat(grid)
    sides = [np.hypot(*np.diff(grid, axis=k).reshape(-1, 2).T) for k in (0, 1)]
    return _from_sides([float(s.mean()) for s in sides], _tilt(grid), square_mm, grid)


def from_aruco(gray: Gray, marker_mm: float) -> Measured:
    """One or more ArUco markers (any 4 × 4 to 7 × 7 dictionary of OpenCV) of one known side.

    Raises:
        TargetRefused: not found, blurred, tilted or too small.
    """
    corners = _markers(gray)
    if not corners:
        raise TargetRefused("expected an ArUco marker, found none")
    points = np.concatenate(corners)
    _large_enough(float(np.hypot(*np.ptp(points, axis=0))), "the markers")
    sides = np.array([np.hypot(*(np.roll(c, -1, axis=0) - c).T) for c in corners])
    _sharp(gray, points, float(sides.mean()) / 8)
    spread = float(np.ptp(sides) / sides.mean())
    return _from_sides(sides.mean(axis=1).tolist(), spread, marker_mm, points)


def from_ruler(
    gray: Gray, a: tuple[float, float], b: tuple[float, float], tick_mm: float
) -> Measured:
    """A ruler's ticks along the line from `a` to `b`, which must cross them; `tick_mm` apart.

    The period of the brightness along the line, by its strongest Fourier component, refined by
    the phase that it gains from the first to the second half.

    Raises:
        TargetRefused: no regular ticks, too few of them, or tilted.
    """
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    _large_enough(length, "the line along the ruler")
    profile = _profile(gray, a, b, length)
    period = _period(profile)
    if period is None or length / period < 10:
        raise TargetRefused(
            "expected at least 10 regular ticks along the line, found none or fewer"
        )
    half = len(profile) // 2
    halves = [_period(profile[:half]), _period(profile[half:])]
    if None in halves:
        raise TargetRefused(
            "expected regular ticks along the whole line, found them on a part of it"
        )
    spread = abs(float(halves[0] or 0) - float(halves[1] or 0)) / period
    if spread > TILT:
        raise TargetRefused(
            f"expected the ruler square to the camera, found ticks {spread:.1%} wider at one end"
        )
    mm_per_px = tick_mm / period
    relative = np.hypot(np.sqrt(2) * CORNER_PX * 5 / length, spread / np.sqrt(12))
    return Measured(
        mm_per_px,
        float(mm_per_px * relative),
        f"ticks {period:.2f} px apart, {length / period:.0f} of them",
    )


def _large_enough(extent_px: float, what: str) -> None:
    if not extent_px >= LEAST_PX:
        raise TargetRefused(
            f"expected {what} to span at least {LEAST_PX:g} px, found {extent_px:.0f}: go nearer"
        )


def _sharp(gray: Gray, points: Points, reach: float) -> None:
    """Edges beside the points are narrow: their contrast over their steepest slope."""
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


def _flat(grid: Points) -> None:
    """Corners (rows, columns, 2) lie on a plane that a straight lens sees."""
    rows, columns = grid.shape[:2]
    plane = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 1, 2)
    seen = grid.reshape(-1, 1, 2)
    homography, _ = cv2.findHomography(plane.astype(np.float64), seen)
    if homography is None:
        raise TargetRefused("expected the corners of a plane, found none that fits")
    off = cv2.perspectiveTransform(plane.astype(np.float64), homography) - seen
    rms = float(np.sqrt((off**2).sum(axis=-1).mean()))
    if rms > BEND_PX:
        raise TargetRefused(
            f"expected straight rows of corners, found them {rms:.1f} px off: the lens bends, or "
            "the target does"
        )


def _tilt(grid: Points) -> float:
    """By how much the scale differs over the target, and between its two directions, as a share."""
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


def _from_sides(sides: Sequence[float], spread: float, known_mm: float, points: Points) -> Measured:
    if spread > TILT:
        raise TargetRefused(
            f"expected a target square to the camera, found its scale to differ by {spread:.1%} "
            f"(at most {TILT:.0%}): turn the camera or the target"
        )
    side = float(np.mean(sides))
    extent = float(np.hypot(*np.ptp(points.reshape(-1, 2), axis=0)))
    relative = np.hypot(np.sqrt(2) * CORNER_PX / extent, spread / np.sqrt(12))
    return Measured(
        known_mm / side,
        float(known_mm / side * relative),
        f"sides of {side:.2f} px, scale even to {spread:.2%}",
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


def _profile(
    gray: Gray, a: tuple[float, float], b: tuple[float, float], length: float
) -> NDArray[np.float64]:
    """Brightness along a line, a sample per half pixel, without its slow changes."""
    t = np.linspace(0, 1, round(2 * length) + 1, dtype=np.float32)[None]
    x, y = (
        np.float32(a[0]) + t * np.float32(b[0] - a[0]),
        np.float32(a[1]) + t * np.float32(b[1] - a[1]),
    )
    line = cv2.remap(gray, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0].astype(float)
    return np.asarray(line - cv2.blur(line[None], (max(3, len(line) // 8), 1))[0])


def _period(profile: NDArray[np.float64]) -> float | None:
    """The period of the strongest regular component in px, None where none stands out."""
    padded = 8 * len(profile)
    power = np.abs(np.fft.rfft(profile * np.hanning(len(profile)), padded)) ** 2
    lowest = int(padded / len(profile) * 4)  # at least four periods
    if power[lowest:].max(initial=0.0) < 20 * np.median(power[lowest:]) + 1e-9:
        return None
    # Ticks are narrow, so their harmonics may be stronger than what they belong to.
    k = lowest + int(power[lowest:].argmax())
    for part in (4, 3, 2):
        base = round(k / part)
        if base >= lowest and power[base - 4 : base + 5].max() > 0.15 * power[k]:
            k = base - 4 + int(power[base - 4 : base + 5].argmax())
            break
    left, middle, right = np.log(power[k - 1 : k + 2] + 1e-12)
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return float(padded / (k + shift) / 2)

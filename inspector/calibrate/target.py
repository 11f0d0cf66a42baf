"""The scale: millimetres per pixel, measured on something of known size."""

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from inspector import lines, scale
from inspector.calibrate import pictures
from inspector.calibrate.options import TargetKind
from inspector.errors import ConfigError
from inspector.limits import Scale
from inspector.scale import Measured
from inspector.types import Image


@dataclass(frozen=True, slots=True)
class Target:
    """Something of known size, and where to look for it.

    `known_mm`: side of a checkerboard's square or of a marker, distance of a ruler's ticks or of
    the two points `between` (x1, y1, x2, y2 in px), which also say where the ruler lies.
    `squares`: inner corners of the checkerboard. `picture`: a file; None: the line's camera.
    """

    kind: TargetKind
    known_mm: float
    squares: tuple[int, int] = (9, 6)
    between: tuple[float, ...] | None = None
    picture: Path | None = None


def find_scale(path: Path, target: Target) -> Scale:
    """Measure millimetres per pixel on a picture of the line at `path`, for frames of its size.

    Raises:
        ConfigError: the line does not validate, a checkerboard that there cannot be, points that
            lie outside of the picture, or a size that makes no scale of a line.
        TargetRefused: the picture gives no scale that could be trusted.
        CameraError, NoInputError: there is no picture.
    """
    _possible(target)
    image = pictures.one(lines.read(path).config, target.picture)
    height, width = image.shape[:2]
    measured = _measure(image, target)
    found = _scale(measured, (width, height))
    sys.stdout.write(
        f"{measured.mm_per_px:.6g} mm per px ± {2 * measured.uncertainty:.2g} (k = 2) for frames "
        f"of {width} × {height}: {measured.detail}\n"
    )
    return found


def _possible(target: Target) -> None:
    if target.kind == "checkerboard" and not all(3 <= n <= 1000 for n in target.squares):
        columns, rows = target.squares
        raise ConfigError(
            f"--squares: expected 3 to 1000 inner corners each way, found {columns} × {rows}"
        )


def _scale(measured: Measured, size: tuple[int, int]) -> Scale:
    try:
        return Scale(
            mm_per_px=float(f"{measured.mm_per_px:.6g}"),
            uncertainty=float(f"{measured.uncertainty:.3g}"),
            size=size,
        )
    except ValidationError as error:
        raise ConfigError(
            "--known-mm: expected a scale of more than 0 and at most 1000 mm per px, found "
            f"{measured.mm_per_px:.6g}"
        ) from error


def _measure(image: Image, target: Target) -> Measured:
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    if target.kind == "checkerboard":
        return scale.from_checkerboard(gray, target.squares, target.known_mm)
    if target.kind == "aruco":
        return scale.from_aruco(gray, target.known_mm)
    height, width = gray.shape
    x1, y1, x2, y2 = target.between or (0.0, 0.0, 0.0, 0.0)
    if not (min(x1, x2) >= 0 and max(x1, x2) < width and 0 <= min(y1, y2) <= max(y1, y2) < height):
        raise ConfigError(f"--between: expected points inside of {width} × {height}, found others")
    if target.kind == "ruler":
        return scale.from_ruler(gray, (x1, y1), (x2, y2), target.known_mm)
    return scale.from_points((x1, y1), (x2, y2), target.known_mm)

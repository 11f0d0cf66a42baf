"""The picture of the mark that has to be in view: cut, kept beside the line's file, read."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from inspector.cameras.pictures import load_picture
from inspector.errors import ConfigError
from inspector.files import replace
from inspector.types import Gray, Image, Unseen
from inspector.windows import Reference

LEAST_PX = 16  # shortest side; smaller ones are found in noise
LEAST_CONTRAST = 5.0  # standard deviation of gray levels; flatter ones are found anywhere


def load(reference: Reference | None) -> Gray | None:
    """The gray picture (H, W) of the reference's mark; None where there is no reference.

    Raises:
        ConfigError: it cannot be read, or cannot be told from its surroundings.
    """
    if reference is None:
        return None
    part = load_picture(reference.picture)
    if isinstance(part, Unseen):
        raise ConfigError(f"sight.reference.picture: {reference.picture}: {part.detail}")
    return _gray(part.image, str(reference.picture))


def cut(image: Image, box: tuple[int, int, int, int]) -> Gray:
    """The gray picture of the mark in a box (x, y, width, height) of a frame.

    Raises:
        ConfigError: the box reaches beyond the frame, or its content makes no mark.
    """
    x, y, width, height = box
    rows, columns = image.shape[:2]
    if not (x >= 0 and y >= 0 and x + width <= columns and y + height <= rows):
        raise ConfigError(f"--reference: expected a box within {columns} × {rows}, found {box}")
    return _gray(image[y : y + height, x : x + width], "--reference")


def keep(mark: Gray, path: Path, *, write: bool = True) -> Path:
    """Write the mark beside the line's file at `path`, and say where. Its name is its own, so that
    what an earlier calibration refers to stays as it was.

    Raises:
        ConfigError: it cannot be written.
    """
    data = cv2.imencode(".png", mark)[1].tobytes()
    name = f"{path.resolve().stem}.reference-{hashlib.sha256(data).hexdigest()[:8]}.png"
    beside = path.resolve().with_name(name)
    if not write:
        return beside
    try:
        replace(beside, data, like=path)
    except OSError as error:
        raise ConfigError(
            f"{beside}: expected to write the mark, found: {error.strerror}"
        ) from None
    return beside


def _gray(image: Image, name: str) -> Gray:
    height, width = image.shape[:2]
    if min(height, width) < LEAST_PX:
        raise ConfigError(
            f"{name}: expected a mark of at least {LEAST_PX} × {LEAST_PX} px, "
            f"found {width} × {height}"
        )
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    contrast = float(gray.std())
    if not contrast >= LEAST_CONTRAST:
        raise ConfigError(
            f"{name}: expected a mark with contrast (standard deviation of {LEAST_CONTRAST:g} gray "
            f"levels or more), found {contrast:.1f}"
        )
    return gray

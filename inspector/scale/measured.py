"""A scale with its uncertainty, and the simplest way to it: two points. Pure."""

from dataclasses import dataclass

import numpy as np

from inspector.errors import TargetRefused

CLICK_PX = 1.0  # standard error of a point that somebody read off a picture
TILT = 0.02  # most by which the scale may differ from one end or direction of a target to another
LEAST_PX = 100.0  # smallest extent of a target; below, a pixel is more than a percent


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
    large_enough(distance, "the points")
    mm_per_px = known_mm / distance
    uncertainty = mm_per_px * np.sqrt(2) * CLICK_PX / distance
    return Measured(mm_per_px, float(uncertainty), f"{known_mm:g} mm over {distance:.1f} px")


def large_enough(extent_px: float, what: str) -> None:
    """`what` spans enough of the picture.

    Raises:
        TargetRefused: less than `LEAST_PX`.
    """
    if not extent_px >= LEAST_PX:
        raise TargetRefused(
            f"expected {what} to span at least {LEAST_PX:g} px, found {extent_px:.0f}: go nearer"
        )

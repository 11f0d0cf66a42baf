"""What the good pictures of a line look like: exposure, sharpness, a mark in its place. Pure.

The windows are learned from such pictures. A line without any is held only against what no picture
can be judged without (`sight`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field

from inspector.limits import Coordinate
from inspector.strictyaml import FilePath, Section, list_to_tuple
from inspector.types import Reason, Rule

TAIL = 0.1  # so many of the pictures, at each end, may be bad ones without widening a window
REACH = 2.0  # a bound lies so many times the tail's distance from the median beyond the tail
DRIFT = 0.1  # least room beyond the tail, as a share of the median: lamps age, parts vary
DRIFT_GRAY = 4.0  # the same for brightness at least, gray levels
DRIFT_BURNT = 0.02  # and for the share of burnt pixels

Level = Annotated[float, Field(ge=0, le=255)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured on a picture: mean gray level, share of burnt pixels, and sharpness."""

    brightness: float
    burnt: float
    sharpness: float


def _low_to_high(window: tuple[float, float]) -> tuple[float, float]:
    if not window[0] < window[1]:
        raise ValueError("expected the lowest brightness before the highest")
    return window


class Windows(Section):
    """What a picture has to be like, measured on the part of the frame that is judged.

    `brightness`: lowest and highest mean gray level; `max_burnt`: largest share of burnt pixels;
    `min_sharpness`: least sharpness (`sight.sharpness`). None: not looked at.
    """

    brightness: Annotated[
        tuple[Level, Level] | None,
        BeforeValidator(list_to_tuple),
        AfterValidator(lambda window: window and _low_to_high(window)),
    ] = None
    max_burnt: Share | None = None
    min_sharpness: Share | None = None

    @property
    def any(self) -> bool:
        """There is something to look at."""
        return any(getattr(self, name) is not None for name in Windows.model_fields)

    def refuse(self, seen: Seen) -> Reason | None:
        """The window that the picture lies outside of, None where it is proved to lie in all."""
        if self.brightness is not None:
            low, high = self.brightness
            if not seen.brightness >= low:
                return Reason(Rule.TOO_DARK, round(seen.brightness, 1), low, "gray")
            if not seen.brightness <= high:
                return Reason(Rule.TOO_BRIGHT, round(seen.brightness, 1), high, "gray")
        if self.max_burnt is not None and not seen.burnt <= self.max_burnt:
            return Reason(Rule.TOO_BRIGHT, round(seen.burnt, 3), self.max_burnt, "ratio")
        if self.min_sharpness is not None and not seen.sharpness >= self.min_sharpness:
            return Reason(Rule.TOO_BLURRED, round(seen.sharpness, 3), self.min_sharpness, "ratio")
        return None


class Reference(Section):
    """A mark that has to be in view, on the fixture or on the part: `picture` of it, and the place
    `at` of its top left corner in px of the frame.

    It is there if it correlates by `min_score` at least (1: equal up to brightness and contrast)
    somewhere within `within_px` of its place, in x and in y.
    """

    picture: FilePath
    at: Annotated[tuple[Coordinate, Coordinate], BeforeValidator(list_to_tuple)]
    min_score: Annotated[float, Field(gt=0, le=1)] = 0.7
    within_px: Annotated[int, Field(ge=0, le=1000)] = 10

    def __str__(self) -> str:
        """In one line, for people."""
        return f"{self.picture} at {self.at}, within {self.within_px} px"


class Sight(Windows):
    """What a line's pictures have to be like, and the mark that has to be in them."""

    reference: Reference | None = None


def learn(seen: Sequence[Seen]) -> Windows:
    """Windows around what was seen on good pictures, at least one.

    Each bound lies beyond the quantile of `TAIL`, by twice the quantile's distance from the median
    or by the drift that a line is granted, whichever is more: for a normal distribution 3.8
    standard deviations from the mean. So at most one picture in ten lies beyond each bound, of
    pictures that are alike none does, and a few bad ones among them do not move it.
    """
    brightness, burnt, sharpness = np.array([(s.brightness, s.burnt, s.sharpness) for s in seen]).T
    drift = max(DRIFT * float(np.median(brightness)), DRIFT_GRAY)
    return Windows(
        brightness=(
            _bound(brightness, TAIL, drift, most=255),
            _bound(brightness, 1 - TAIL, drift, most=255),
        ),
        max_burnt=_bound(burnt, 1 - TAIL, DRIFT_BURNT, most=1),
        min_sharpness=_bound(sharpness, TAIL, DRIFT * float(np.median(sharpness)), most=1),
    )


def _bound(values: NDArray[np.float64], quantile: float, drift: float, *, most: float) -> float:
    """The bound beyond a quantile of the values, within 0 … `most`."""
    outer, middle = (float(value) for value in np.quantile(values, [quantile, 0.5]))
    reach = max(REACH * abs(outer - middle), drift)
    beyond = outer - reach if quantile < 0.5 else outer + reach
    return round(min(max(beyond, 0.0), most), 3)

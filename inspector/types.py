"""The values that travel along grab → look → segment → measure → decide → record → publish.

No behaviour lives here. Lengths are in pixels of the camera frame; `*_mm` is None without a scale.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A camera frame, (height, width, 3), uint8, BGR."""

Gray = NDArray[np.uint8]
"""Gray levels of a picture, (height, width), uint8."""

Mask = NDArray[np.bool_]
"""(height, width), True on the scratch."""


SCRATCH = "scratch"
"""The class of a model that has no other."""


class Verdict(StrEnum):
    """What the reject gate hears. UNKNOWN is physically a reject."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Rule(StrEnum):
    """Why a part did not pass. The first group makes it fail, the second makes it unknown."""

    MIN_SCRATCH_PX = "min_scratch_px"
    MIN_SCRATCH_MM = "min_scratch_mm"
    MIN_SCRATCH_WIDTH_PX = "min_scratch_width_px"
    MIN_SCRATCH_WIDTH_MM = "min_scratch_width_mm"
    MIN_SCRATCH_AREA_PX = "min_scratch_area_px"
    MIN_SCRATCH_AREA_MM = "min_scratch_area_mm"
    MIN_SCRATCH_COUNT = "min_scratch_count"
    MIN_SCRATCH_DENSITY_PX = "min_scratch_density_px"
    MIN_SCRATCH_DENSITY_MM = "min_scratch_density_mm"
    MIN_SCRATCH_DISTANCE_PX = "min_scratch_distance_px"
    MIN_SCRATCH_DISTANCE_MM = "min_scratch_distance_mm"

    NO_FRAME = "no_frame"
    UNREADABLE_IMAGE = "unreadable_image"
    STALE_FRAME = "stale_frame"
    FROZEN = "frozen"
    FRAME_FORMAT = "frame_format"
    FRAME_SIZE = "frame_size"
    OUTSIDE_FRAME = "outside_frame"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    NO_CONTRAST = "no_contrast"
    TOO_BLURRED = "too_blurred"
    NOT_IN_PLACE = "not_in_place"
    MODEL_ERROR = "model_error"
    NOT_FINITE = "not_finite"
    MARGINAL = "marginal"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition for passing that was not met, or could not be checked.

    `value` and `limit` are None where the rule has no number (an unreadable file, say). `margin` is
    the room that is left to a limit of scratches, negative beyond it; `marginal` says that it is
    within the guard band. `zone` names the zone whose limit it is, `kind` the class; neither: it is
    the line's own.
    """

    rule: Rule
    value: float | None = None
    limit: float | None = None
    unit: str | None = None
    zone: str | None = None
    margin: float | None = None
    marginal: bool = False
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict and its grounds; `marginal`: it is what the guard band's policy says."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    marginal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture to judge.

    `grabbed_s` is the monotonic clock when the source handed it over, `grab_ms` what reading took.
    """

    image: Image
    source: str
    grabbed_s: float
    grab_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Unseen:
    """A part of which there is no picture to judge: a verdict `unknown` with `reason`."""

    source: str
    reason: Reason
    detail: str
    grab_ms: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One instance that the model found: `mask` lies in the frame with its corner at (x, y).

    `haze`: by how many px it is wider than the scratch, because a lens blurs what it shows.
    `refined`: its edges are those that the picture shows; else they are the model's. `kind`: the
    model's class.
    """

    confidence: float
    x: int
    y: int
    mask: Mask
    haze: float = 0.0
    refined: bool = False
    kind: str = SCRATCH


@dataclass(frozen=True, slots=True)
class Scratch:
    """One physical defect, measured.

    `length_px` runs along the curve from tip to tip, the longest way of one that branches, and
    `branches_px` is what all else of its middle is long. `width_px` is the median of the local
    width, `polygon` is the outer contour in frame pixels. `zone` names the zone that holds most of
    it. `refined`: most of it was measured where the picture shows it; else width and outline are
    the model's. `kind`: the model's class.
    """

    length_px: float
    width_px: float
    max_width_px: float
    area_px: int
    confidence: float
    polygon: tuple[tuple[int, int], ...]
    fragments: int = 1
    length_mm: float | None = None
    width_mm: float | None = None
    zone: str | None = None
    branches_px: float = 0.0
    refined: bool = False
    kind: str = SCRATCH


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds that each word of the sentence took; `total` is from frame in to verdict out."""

    grab: float = 0.0
    look: float = 0.0
    segment: float = 0.0
    measure: float = 0.0
    decide: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """The judgement of one part. `size` is the frame's (width, height), None without one."""

    source: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    scratches: tuple[Scratch, ...]
    size: tuple[int, int] | None
    timing: Timing
    marginal: bool = False

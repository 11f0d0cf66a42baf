"""What every format is read into: pictures with marks, each a shape that somebody drew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2): x, y in pixels of the picture, pixel centres at whole numbers.

Annotation tools count from the corner of the first pixel, so that its centre is at 0.5: readers
subtract that half.
"""

IGNORE = "ignore"
"""Label of what is neither a scratch nor a sound surface; as grey level 128 in masks."""
SCRATCH = "scratch"
"""Label of a mark that has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """Outlines (n, 2), n ≥ 3, of one scratch: several where something hides its middle."""

    rings: tuple[Points, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A centre line (n, 2), n ≥ 2, drawn along a scratch; `width_px` is None where nobody said."""

    points: Points
    width_px: float | None


@dataclass(frozen=True, slots=True)
class Runs:
    """Lengths of runs of pixels, the first one without scratch, in a box at (x, y).

    They go row by row, or column by column with `by_column`.
    """

    counts: tuple[int, ...]
    x: int
    y: int
    width: int
    height: int
    by_column: bool = False


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A picture of grey levels: 255 scratch, 128 ignore, 0 neither."""

    path: Path


@dataclass(frozen=True, slots=True)
class Unknown:
    """A shape from which no scratch can be had; an error only if its label is wanted."""

    kind: str
    known: str


Shape = Polygon | Line | Runs | MaskFile | Unknown


@dataclass(frozen=True, slots=True)
class Mark:
    """One shape, its label, and where in the annotation it stands, for errors."""

    where: str
    label: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as the annotation tells of it; one without marks is good.

    `name` is the annotation's own, folders included; `where` is the file that errors name; `size`
    (width, height) is None where the annotation has none. `outlined` is False for a picture of
    which is known only that it is bad. `part` is what it shows, None where its name tells.
    """

    name: str
    path: Path
    marks: tuple[Mark, ...]
    where: str
    size: tuple[int, int] | None = None
    surface: str = "parts"
    outlined: bool = True
    part: str | None = None

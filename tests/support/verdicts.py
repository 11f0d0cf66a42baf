"""Scratches, limits and zones, of which tests of the verdict are made."""

from dataclasses import replace

from inspector.limits import Limits, Scale, Zone
from inspector.types import Scratch

ROI = (0, 0, 1000, 500)
TENTH = Scale(mm_per_px=0.1)
SCRATCH = Scratch(30.0, 2.0, 3.0, 60, 0.9, ((0, 0), (29, 0), (29, 1), (0, 1)))


def at(x: int, y: int, length: int = 30, **measures: float) -> Scratch:
    """A bar of that length, 2 px high, whose corner is at (x, y)."""
    right = x + length - 1
    outline = ((x, y), (right, y), (right, y + 1), (x, y + 1))
    seen = replace(SCRATCH, length_px=float(length), area_px=2 * length, polygon=outline)
    return replace(seen, **measures)


def limits(**rules: object) -> Limits:
    """With no other limit than these."""
    return Limits(**({"min_scratch_px": None} | rules))


def square(name: str, x: int, y: int, side: int, rules: object) -> Zone:
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    return Zone(name=name, polygon=corners, limits=rules)

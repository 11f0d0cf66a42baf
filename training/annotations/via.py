"""VGG Image Annotator 2 (VIA): its project file, or the annotations exported as JSON.

Polygons and polylines. A region's label is its attribute `label`, `class`, `type` or `name`, or
else the only attribute it has besides `width`. Not read: rectangles, circles, ellipses and points,
VIA 3, and CSV.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from training.annotations import reading
from training.annotations.reading import Finite, Name
from training.annotations.values import SCRATCH, Line, Mark, Picture, Polygon, Shape, Unknown
from training.evaluation.labels import LabelError

METADATA = "_via_img_metadata"
LABELS = ("label", "class", "type", "name")
WIDTH = "width"


class _Region(BaseModel):
    shape_attributes: dict[str, Any]
    region_attributes: dict[str, Any] = {}


class _Entry(BaseModel):
    filename: Name
    regions: list[_Region]


class _Outline(BaseModel):
    all_points_x: list[Finite]
    all_points_y: list[Finite]


def is_via(data: Any) -> bool:
    """Whether JSON looks like a project or an export of VIA."""
    if not isinstance(data, dict):
        return False
    entries = data.get(METADATA, data)
    return isinstance(entries, dict) and all(
        isinstance(e, dict) and "filename" in e and "regions" in e for e in entries.values()
    )


def read(path: Path, pictures: Path | None) -> list[Picture]:
    """The pictures of a file, looked for beside it or in `pictures`.

    Raises:
        LabelError: not such a file, or an entry that cannot be true.
    """
    data = reading.load_json(path)
    if not is_via(data):
        raise LabelError(f"{path}: expected a project or an export of VIA 2, found other JSON")
    out = []
    for key, raw in data.get(METADATA, data).items():
        entry = reading.checked(_Entry, raw, f"{path}: {key}")
        marks = tuple(
            _mark(region, f"regions.{number}", f"{path}: {entry.filename}: regions.{number}")
            for number, region in enumerate(entry.regions)
        )
        at = reading.locate(pictures or path.parent, entry.filename)
        out.append(Picture(entry.filename, at, marks, str(path)))
    return out


def _mark(region: _Region, where: str, full: str) -> Mark:
    return Mark(where, _label(region.region_attributes, full), _shape(region, full))


def _shape(region: _Region, where: str) -> Shape:
    kind = region.shape_attributes.get("name")
    if kind not in ("polygon", "polyline"):
        return Unknown(str(kind), "polygon or polyline")
    outline = reading.checked(_Outline, region.shape_attributes, where)
    xs, ys = outline.all_points_x, outline.all_points_y
    if len(xs) != len(ys):
        raise LabelError(f"{where}: expected as many y as x, found {len(xs)} x and {len(ys)} y")
    pairs = list(zip(xs, ys, strict=True))
    if kind == "polygon":
        return Polygon((reading.points(pairs, 3, where),))
    width = reading.width(region.region_attributes.get(WIDTH), where)
    return Line(reading.points(pairs, 2, where), width)


def _label(attributes: dict[str, Any], where: str) -> str:
    """The region's label; raises LabelError where it is no text, or several could be it."""
    named = {k: v for k, v in attributes.items() if k != WIDTH and v not in ("", None)}
    if not named:
        return SCRATCH
    key = next((k for k in LABELS if k in named), None)
    if key is None and len(named) > 1:
        found = ", ".join(sorted(named))
        raise LabelError(
            f"{where}: region_attributes: expected one of {', '.join(LABELS)} among several "
            f"attributes, found {found}"
        )
    label = named[key] if key else next(iter(named.values()))
    if not isinstance(label, str):
        raise LabelError(f"{where}: region_attributes: expected text as label, found {label!r}")
    return label

"""LabelMe: a JSON file, or a folder with one beside each picture.

Polygons, lines and line strips; a line's width stands in its description as `width=4`. Not read:
rectangles, circles, points, its masks, and pictures that are embedded in the JSON alone. A picture
without a JSON file of its own has not been looked at and is left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from inspector.errors import NoInputError
from training.annotations import reading
from training.annotations.reading import Finite, Name
from training.annotations.values import Line, Mark, Picture, Polygon, Shape, Unknown

LINES = ("line", "linestrip")
WIDTH = re.compile(r"\bwidth\s*[=:]\s*(\S+)")


class _Shape(BaseModel):
    label: Name
    points: list[tuple[Finite, Finite]]
    shape_type: str = "polygon"
    description: str | None = None


class _File(BaseModel):
    shapes: list[_Shape]
    imagePath: Name  # noqa: N815  the format's own name
    imageWidth: int | None = None  # noqa: N815
    imageHeight: int | None = None  # noqa: N815


def is_labelme(data: Any) -> bool:
    """Whether JSON looks like a file of LabelMe."""
    return isinstance(data, dict) and "shapes" in data and "imagePath" in data


def read(path: Path, pictures: Path | None) -> list[Picture]:
    """The pictures of a file or a folder of files, looked for as they say or in `pictures`.

    Raises:
        LabelError: a file that is none of LabelMe's, or a shape that cannot be true.
        NoInputError: a folder without JSON.
    """
    files = reading.listed(path, "*.json") if path.is_dir() else [path]
    if not files:
        raise NoInputError(f"{path}: expected JSON files of LabelMe, found none")
    return [_picture(file, pictures) for file in files]


def _picture(path: Path, pictures: Path | None) -> Picture:
    file = reading.checked(_File, reading.load_json(path), str(path))
    name = file.imagePath.replace("\\", "/")
    if pictures is not None:  # the path was true where the annotator sat
        name = name.rpartition("/")[2]
    marks = tuple(
        Mark(f"shapes.{k}", shape.label, _shape(shape, f"{path}: {name}: shapes.{k}"))
        for k, shape in enumerate(file.shapes)
    )
    size = (file.imageWidth, file.imageHeight) if file.imageWidth and file.imageHeight else None
    return Picture(name, reading.locate(pictures or path.parent, name), marks, str(path), size)


def _shape(shape: _Shape, where: str) -> Shape:
    if shape.shape_type == "polygon":
        return Polygon((reading.points(shape.points, 3, where),))
    if shape.shape_type in LINES:
        told = WIDTH.search(shape.description or "")
        width = reading.width(told.group(1) if told else None, where)
        return Line(reading.points(shape.points, 2, where), width)
    return Unknown(shape.shape_type, "polygon, line or linestrip")

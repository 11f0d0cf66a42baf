"""CVAT for images 1.1, the XML of its zip archive: polygons, polylines and masks.

A polyline's width is its attribute `width`. Not read: boxes, ellipses, points, skeletons and
cuboids, image tags, CVAT for video (tracks), and zip archives that are still packed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from training.annotations import reading
from training.annotations.values import Line, Mark, Picture, Polygon, Runs, Shape, Unknown
from training.evaluation.labels import LabelError

VERSION = "1.1"
DIGITS = 9  # no picture is larger


def read(path: Path, pictures: Path | None) -> list[Picture]:
    """The pictures of a file, looked for beside it or in `pictures`.

    Raises:
        LabelError: not such a file, or a shape that cannot be true.
    """
    root = reading.load_xml(path)
    if root.tag != "annotations":
        raise LabelError(f"{path}: expected <annotations> of CVAT, found <{root.tag}>")
    version = root.findtext("version")
    if version != VERSION:
        raise LabelError(f"{path}: version: expected {VERSION}, found {version}")
    if root.find("track") is not None:
        raise LabelError(f"{path}: expected CVAT for images, found tracks of CVAT for video")
    return [_picture(image, path, pictures) for image in root.findall("image")]


def _picture(image: ET.Element, path: Path, pictures: Path | None) -> Picture:
    name = _attribute(image, "name", f"{path}: image")
    where = f"{path}: {name}"
    size = (_whole(image, "width", where, 1), _whole(image, "height", where, 1))
    marks = []
    for number, element in enumerate(e for e in image if e.tag != "tag"):
        at = f"{element.tag}.{number}"
        label = _attribute(element, "label", f"{where}: {at}")
        marks.append(Mark(at, label, _shape(element, f"{where}: {at}")))
    found = reading.locate(pictures or path.parent, name)
    return Picture(name, found, tuple(marks), str(path), size)


def _shape(element: ET.Element, where: str) -> Shape:
    if element.tag == "polygon":
        return Polygon((reading.points(_pairs(element, where), 3, where),))
    if element.tag == "polyline":
        told = element.find("attribute[@name='width']")
        width = reading.width(None if told is None else told.text, where)
        return Line(reading.points(_pairs(element, where), 2, where), width)
    if element.tag == "mask":
        text = _attribute(element, "rle", where)
        try:
            counts = tuple(int(count) for count in text.split(","))
        except ValueError:
            counts = (-1,)
        if min(counts) < 0:
            raise LabelError(f"{where}: rle: expected run lengths, found {text!r:.60}")
        left, top = _whole(element, "left", where, 0), _whole(element, "top", where, 0)
        width, height = _whole(element, "width", where, 1), _whole(element, "height", where, 1)
        return Runs(counts, left, top, width, height)
    return Unknown(element.tag, "polygon, polyline or mask")


def _pairs(element: ET.Element, where: str) -> list[list[float]]:
    text = _attribute(element, "points", where)
    try:
        pairs = [[float(value) for value in pair.split(",")] for pair in text.split(";")]
    except ValueError:
        pairs = [[]]
    if any(len(pair) != 2 for pair in pairs):
        raise LabelError(f"{where}: points: expected x,y;x,y;…, found {text!r:.60}")
    return pairs


def _attribute(element: ET.Element, name: str, where: str) -> str:
    value = element.get(name)
    if not value:
        raise LabelError(f"{where}: {name}: expected this attribute, found none")
    return value


def _whole(element: ET.Element, name: str, where: str, least: int) -> int:
    text = _attribute(element, name, where)
    if not text.isdecimal() or len(text) > DIGITS or int(text) < least:
        raise LabelError(f"{where}: {name}: expected a whole number ≥ {least}, found {text!r}")
    return int(text)

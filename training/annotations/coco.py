"""COCO instance segmentation: polygons, and run-length masks in both spellings.

`iscrowd` is not looked at: tools set it on every mask that was painted. Not read: annotations with
a box alone, key points, and panoptic or captions files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, RootModel

from training.annotations import reading
from training.annotations.reading import Finite, Name
from training.annotations.values import Mark, Picture, Polygon, Runs, Shape, Unknown
from training.evaluation.labels import LabelError

Id = int | str
Extent = Annotated[int, Field(gt=0)]


class _Image(BaseModel):
    id: Id
    file_name: Name
    width: Extent
    height: Extent


class _Annotation(BaseModel):
    image_id: Id
    category_id: Id
    segmentation: Any = None


class _Category(BaseModel):
    id: Id
    name: Name


class _File(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


class _Rings(RootModel[list[list[Finite]]]):
    pass


class _Rle(BaseModel):
    counts: list[Annotated[int, Field(ge=0)]] | Annotated[str, Field(pattern=r"^[0-o]+$")]
    size: tuple[Extent, Extent]


def read(path: Path, pictures: Path | None) -> list[Picture]:
    """The pictures of a file, looked for beside it or in `pictures`.

    Raises:
        LabelError: not such a file, or an annotation that cannot be true.
    """
    file = reading.checked(_File, reading.load_json(path), str(path))
    names = {category.id: category.name for category in file.categories}
    marks: dict[Id, list[Mark]] = {}
    by_id: dict[Id, str] = {}
    for number, image in enumerate(file.images):
        if image.id in by_id:
            raise LabelError(
                f"{path}: images.{number}: {image.file_name}: expected an id of its own, found "
                f"{image.id!r} as {by_id[image.id]} has"
            )
        by_id[image.id] = image.file_name
        marks[image.id] = []
    for number, annotation in enumerate(file.annotations):
        where = f"annotations.{number}"
        if annotation.image_id not in marks:
            raise LabelError(
                f"{path}: {where}: image_id: expected the id of one of {len(marks)} images, "
                f"found {annotation.image_id!r}"
            )
        full = f"{path}: {by_id[annotation.image_id]}: {where}"
        if annotation.category_id not in names:
            raise LabelError(
                f"{full}: category_id: expected the id of one of {len(names)} categories, found "
                f"{annotation.category_id!r}"
            )
        shape = _shape(annotation.segmentation, full)
        marks[annotation.image_id].append(Mark(where, names[annotation.category_id], shape))
    return [
        Picture(
            image.file_name,
            reading.locate(pictures or path.parent, image.file_name),
            tuple(marks[image.id]),
            str(path),
            (image.width, image.height),
        )
        for image in file.images
    ]


def _shape(segmentation: Any, where: str) -> Shape:
    if not segmentation:
        return Unknown("a box alone", "segmentation with polygons or run lengths")
    if isinstance(segmentation, dict):
        rle = reading.checked(_Rle, segmentation, f"{where}: segmentation")
        height, width = rle.size
        counts = rle.counts if isinstance(rle.counts, list) else _counts(rle.counts, where)
        return Runs(tuple(counts), 0, 0, width, height, by_column=True)
    rings = reading.checked(_Rings, segmentation, f"{where}: segmentation").root
    for ring in rings:
        if len(ring) % 2:
            raise LabelError(f"{where}: segmentation: expected x and y in turn, found {len(ring)}")
    pairs = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in rings]
    return Polygon(tuple(reading.points(ring, 3, where) for ring in pairs))


def _counts(text: str, where: str) -> list[int]:
    """Run lengths from COCO's compressed spelling.

    Five bits a character (from code 48, the sixth bit says that more follow), least significant
    first and signed; from the fourth run on the difference to the last but one is written
    (cocoapi, common/maskApi.c, rleFrString).
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift or min(counts, default=0) < 0:
        raise LabelError(f"{where}: segmentation.counts: expected run lengths, found {text!r:.60}")
    return counts

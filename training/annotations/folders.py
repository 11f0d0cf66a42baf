"""Annotations without an annotation file: folders that say it by their names.

`images/` and `masks/`: one PNG per picture, of its size and name, 255 on scratches, 128 on what is
to be ignored, 0 elsewhere. A good picture has a black one: a missing mask may be a forgotten one.

`good/` and `bad/`, also below folders that name surfaces: good pictures teach what is no scratch.
Bad ones tell nothing of where it is, so that they can be evaluated with, but not trained on.
"""

from __future__ import annotations

from pathlib import Path

from inspector.cameras.pictures import find_pictures
from training.annotations import reading
from training.annotations.values import SCRATCH, Mark, MaskFile, Picture
from training.evaluation import labels
from training.evaluation.labels import LabelError, told

IMAGES, MASKS = "images", "masks"


def has_masks(folder: Path) -> bool:
    """Whether it holds pictures with masks."""
    return (folder / IMAGES).is_dir() and (folder / MASKS).is_dir()


def is_sorted(folder: Path) -> bool:
    """Whether it holds good and bad pictures."""
    return any(
        (parent / label).is_dir()
        for parent in (folder, *(p for p in folder.iterdir() if p.is_dir()))
        for label in ("good", "bad")
    )


def read_masks(path: Path, pictures: Path | None) -> list[Picture]:
    """The pictures of `path`/images, or of `pictures`, with the masks of `path`/masks.

    Raises:
        LabelError: a picture without a mask, or a mask without a picture.
        NoInputError: no such folder, or no picture in it.
    """
    images, masks = pictures or path / IMAGES, path / MASKS
    out, wrong = [], []
    expected = set()
    for found in find_pictures([images]):
        name = found.relative_to(images)
        mask = (masks / name).with_suffix(".png")
        expected.add(mask)
        if not reading.is_file(mask):
            wrong.append(
                f"{masks}: {name}: expected its mask at {mask} (black for a good part), found none"
            )
        mark = Mark(str(mask.relative_to(masks)), SCRATCH, MaskFile(mask))
        out.append(Picture(name.as_posix(), found, (mark,), str(masks)))
    wrong += [
        f"{masks}: {mask.relative_to(masks)}: expected a picture of this name in {images}, "
        "found none"
        for mask in reading.listed(masks, "**/*.png")
        if mask not in expected
    ]
    if wrong:
        raise LabelError(told(wrong))
    return out


def read_sorted(path: Path, pictures: Path | None) -> list[Picture]:
    """The pictures of `good/` and `bad/`, as an evaluation takes them.

    Raises:
        LabelError: the folder is a labelled data set already, or `pictures` is given.
        NoInputError: no such folder, or no picture in it.
    """
    if pictures is not None:
        raise LabelError(f"{path}: expected no other folder for the pictures, found {pictures}")
    manifest = labels.manifest_of(path)
    if manifest is not None:
        raise LabelError(f"{path}: expected good/ and bad/ alone, found the labels {manifest.name}")
    return [
        Picture(row.name, row.path, (), str(path), surface=row.surface, outlined=not row.bad)
        for row in labels.read(path)
    ]

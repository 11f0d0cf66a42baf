"""Which format an input has, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from inspector.errors import NoInputError
from training.annotations import coco, cvat, evidence, folders, labelme, reading, via
from training.annotations.values import Picture
from training.evaluation.labels import LabelError


class Format(StrEnum):
    """What can be read. MASKS: images/ and masks/; SORTED: good/ and bad/; EVIDENCE: a line's."""

    VIA = "via"
    COCO = "coco"
    LABELME = "labelme"
    CVAT = "cvat"
    MASKS = "masks"
    SORTED = "sorted"
    EVIDENCE = "evidence"


_READERS: dict[Format, Callable[[Path, Path | None], list[Picture]]] = {
    Format.VIA: via.read,
    Format.COCO: coco.read,
    Format.LABELME: labelme.read,
    Format.CVAT: cvat.read,
    Format.MASKS: folders.read_masks,
    Format.SORTED: folders.read_sorted,
}
_OF_A_FOLDER = {Format.LABELME, Format.MASKS, Format.SORTED, Format.EVIDENCE}
EXPECTED = (
    "an annotation file (VIA 2, COCO or LabelMe .json, CVAT for images 1.1 .xml), a folder with "
    "one, the folders images/ and masks/, or good/ and bad/, or the state_dir of a line whose "
    "operators marked verdicts"
)


def read(
    path: Path, chosen: Format | None, pictures: Path | None
) -> tuple[Format, list[Picture], list[str]]:
    """The format, given or detected, all pictures that the annotation tells of, at least one, and
    what it tells of without a picture.

    Raises:
        LabelError: no format fits, or the input is not what its format asks for.
        NoInputError: nothing there, or no pictures in it.
    """
    if not path.exists():
        raise NoInputError(f"{path}: expected {EXPECTED}; found nothing there")
    file = path
    if path.is_dir() and not (chosen in _OF_A_FOLDER or (chosen is None and _by_folders(path))):
        file = _only_file(path)
    form = chosen or _by_folders(file) or _by_content(file)
    left_out: list[str] = []
    if form is Format.EVIDENCE:
        found, left_out = evidence.read(path)
    else:
        found = _READERS[form](path if form is Format.LABELME else file, pictures)
    if not found:
        told = "".join(f"; {note}" for note in left_out)
        raise NoInputError(f"{path}: expected pictures in this {form} annotation, found none{told}")
    return form, found, left_out


def _by_folders(path: Path) -> Format | None:
    if not path.is_dir():
        return None
    if evidence.is_state(path):
        return Format.EVIDENCE
    if folders.has_masks(path):
        return Format.MASKS
    return Format.SORTED if folders.is_sorted(path) else None


def _by_content(path: Path) -> Format:
    if path.suffix.lower() == ".xml":
        return Format.CVAT
    if path.suffix.lower() == ".json":
        data = reading.load_json(path)
        if labelme.is_labelme(data):
            return Format.LABELME
        if isinstance(data, dict) and {"images", "annotations"} <= data.keys():
            return Format.COCO
        if via.is_via(data):
            return Format.VIA
    raise LabelError(f"{path}: expected {EXPECTED}; found none of these")


def _only_file(folder: Path) -> Path:
    """The annotation file of a folder, or of several of LabelMe the first."""
    files = [p for p in reading.listed(folder, "*") if p.suffix.lower() in (".json", ".xml")]
    if len(files) > 1 and not labelme.is_labelme(reading.load_json(files[0])):
        names = ", ".join(file.name for file in files[:4])
        raise LabelError(f"{folder}: expected one annotation file, found {len(files)}: {names}")
    if not files:
        raise LabelError(f"{folder}: expected {EXPECTED}; found none of these")
    return files[0]

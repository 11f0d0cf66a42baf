"""Labelled pictures on the disk: what is on each, as its owner says.

A data set is a `.jsonl` file, or a folder with `manifest.jsonl` or `truth-val.jsonl`; one line per
picture, paths relative to the file:

    {"image": "images/1.jpg", "surface": "text", "label": "bad", "hard": false,
     "mask": "masks/1.png", "scratches": [
        {"polygon": [[x, y], …], "length_px": 57.3, "width_px": 2.4, "contrast": 24.1}]}

or a folder with `good/` and `bad/` (or several `<surface>/good`, `<surface>/bad`), which tell only
whether a part is scratched. `image` and `label` are all that a line needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inspector.cameras.pictures import find_pictures
from inspector.errors import InspectorError, NoInputError
from training.marks import IGNORE, SCRATCH

MANIFESTS = ("manifest.jsonl", "truth-val.jsonl")
SHOWN = 20
"""So many defects are told at once."""

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class LabelError(InspectorError):
    """Labels that cannot be true. The message names file, line, field, expected and found."""

    exit_code = 65


class LabelledScratch(BaseModel):
    """One true scratch: its outline and length in pixels, contrast in grey levels."""

    model_config = ConfigDict(frozen=True)

    polygon: Annotated[tuple[tuple[Coordinate, Coordinate], ...], Field(min_length=1)]
    length_px: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    width_px: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    contrast: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class _Line(BaseModel):
    """A line of the manifest; what it holds beyond this is left alone."""

    image: Annotated[str, Field(min_length=1)]
    label: Literal["good", "bad"]
    surface: Annotated[str, Field(min_length=1)] = "parts"
    hard: bool = False
    subset: str = "main"
    mask: str | None = None
    scratches: tuple[LabelledScratch, ...] = ()


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and what is on it. `hard`: something on it only looks like a scratch.

    A bad picture with neither mask nor scratches tells nothing but that it is bad. `where` is the
    file and line that errors name.
    """

    path: Path
    name: str
    surface: str
    bad: bool
    hard: bool
    mask: Path | None
    scratches: tuple[LabelledScratch, ...]
    where: str


def read(data: Path) -> list[Labelled]:
    """All labelled pictures of a data set; it is checked to its end before anything is returned.

    Raises:
        LabelError: lines that are not JSON or lack a field, contradictions, missing masks.
        NoInputError: no such data set, no pictures in it, or pictures that are not there.
    """
    manifest = manifest_of(data)
    rows = _from_folders(data) if manifest is None else _from_manifest(manifest)
    if not rows:
        raise NoInputError(f"{manifest or data}: expected labelled pictures, found none")
    return rows


def manifest_of(data: Path) -> Path | None:
    """The file that holds the labels of a data set; None for a folder without one."""
    if data.is_file():
        return data
    if not data.is_dir():
        raise NoInputError(f"{data}: expected a folder of labelled pictures, found nothing there")
    return next((data / name for name in MANIFESTS if (data / name).is_file()), None)


def read_mask(path: Path, size: tuple[int, int] | None, where: str) -> NDArray[np.uint8]:
    """A mask (H, W) with the values 0, `IGNORE`, `SCRATCH`; `where` stands in errors.

    Raises:
        LabelError: not a readable mask, another size than (width, height), or other grey levels.
    """
    try:  # the bytes, because OpenCV ends the process over a path that is no text
        packed = np.frombuffer(path.read_bytes(), np.uint8)
        mask = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        mask = None
    if mask is None:
        raise LabelError(f"{where}: mask: expected a picture at {path}, found none")
    found = (mask.shape[1], mask.shape[0])
    if size is not None and found != size:
        raise LabelError(
            f"{where}: mask: expected {size[0]} × {size[1]} px as the picture has, "
            f"found {found[0]} × {found[1]}"
        )
    others = np.setdiff1d(mask, (0, IGNORE, SCRATCH))
    if others.size:
        raise LabelError(
            f"{where}: mask: expected grey levels 0, {IGNORE} (ignore) and {SCRATCH} "
            f"(scratch), found {int(others[0])} in {path}"
        )
    return np.asarray(mask, np.uint8)


def told(defects: Sequence[str]) -> str:
    """The first `SHOWN` defects, a line each, and how many more there are."""
    rest = len(defects) - SHOWN
    return "\n".join([*defects[:SHOWN], *([f"… and {rest} more"] if rest > 0 else [])])


def _from_manifest(manifest: Path) -> list[Labelled]:
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{manifest}: expected UTF-8 text, found: {error}") from None
    rows, wrong, missing = [], [], []
    seen: dict[Path, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{manifest}:{number}"
        try:
            row = _row(_Line.model_validate(_json(line)), manifest.parent, where)
        except ValueError as error:
            wrong += [f"{where}: {defect}" for defect in _explain(error)]
            continue
        rows.append(row)
        if seen.setdefault(row.path, where) != where:  # it would count twice
            first = seen[row.path]
            wrong.append(f"{where}: image: expected each picture once, found it at {first} too")
        if not row.path.is_file():
            missing.append(f"{where}: image: expected a picture at {row.path}, found none")
        if row.mask is not None and not row.mask.is_file():
            wrong.append(f"{where}: mask: expected a picture at {row.mask}, found none")
    if wrong:
        raise LabelError(told(wrong + missing))
    if missing:
        raise NoInputError(told(missing))
    return rows


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"expected one JSON object, found {line[:40]!r} ({error})") from None


def _row(line: _Line, root: Path, where: str) -> Labelled:
    if line.label == "good" and line.scratches:
        raise ValueError(
            f"label: expected 'bad' for a picture with scratches, found 'good' and "
            f"{len(line.scratches)} of them"
        )
    return Labelled(
        path=root / line.image,
        name=line.image,
        surface=line.surface,
        bad=line.label == "bad",
        hard=line.hard or line.subset == "hardneg",
        mask=root / line.mask if line.mask else None,
        scratches=line.scratches,
        where=where,
    )


def _explain(error: ValueError) -> Iterator[str]:
    if not isinstance(error, ValidationError):
        yield str(error)
        return
    yield from (explained(defect, "line") for defect in error.errors(include_url=False))


def explained(defect: Any, whole: str) -> str:
    """One of pydantic's defects: where, expected and found. `whole` is what all of it is called."""
    key, about = ".".join(map(str, defect["loc"])) or whole, defect.get("ctx", {})
    if defect["type"] == "missing":
        return f"{key}: expected this field, found none"
    if defect["type"] == "too_short":
        return f"{key}: expected {about['min_length']} at least, found {about['actual_length']}"
    if defect["type"] == "too_long":
        return f"{key}: expected {about['max_length']} at most, found {about['actual_length']}"
    expected = defect["msg"].removeprefix("Input should be ")
    return f"{key}: expected {expected}, found {defect['input']!r:.60}"


def _from_folders(data: Path) -> list[Labelled]:
    parents = [data, *sorted(path for path in data.iterdir() if path.is_dir())]
    parents = [p for p in parents if (p / "good").is_dir() or (p / "bad").is_dir()]
    if not parents:
        raise NoInputError(
            f"{data}: expected {' or '.join(MANIFESTS)}, or the folders good/ and bad/; found none"
        )
    return [
        Labelled(
            path=path,
            name=str(path.relative_to(data)),
            surface="parts" if parent == data else parent.name,
            bad=label == "bad",
            hard=False,
            mask=None,
            scratches=(),
            where=str(path),
        )
        for parent in parents
        for label in ("good", "bad")
        if (parent / label).is_dir()
        for path in find_pictures([parent / label])
    ]

"""What the readers share: files as checked data, with errors that name the place."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from training.annotations.values import Points
from training.evaluation.labels import LabelError, explained, told

Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]
Model = TypeVar("Model", bound=BaseModel)


def load_json(path: Path) -> Any:
    """The content of a JSON file in UTF-8.

    Raises:
        LabelError: it cannot be read, or is not JSON.
    """
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{path}: expected JSON, found: {error}") from None


def load_xml(path: Path) -> ET.Element:
    """The root of an XML file in UTF-8.

    Raises:
        LabelError: it cannot be read, is not XML, or declares a document type: entities, which
            only such a declaration can hold, may unpack to gigabytes or name other files.
    """
    text = _text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise LabelError(f"{path}: expected XML without <!DOCTYPE and <!ENTITY, found one")
    try:
        return ET.fromstring(text)  # noqa: S314  what makes XML dangerous is refused above
    except (ET.ParseError, ValueError) as error:
        raise LabelError(f"{path}: expected XML, found: {error}") from None


def checked(model: type[Model], data: Any, where: str) -> Model:
    """The data as a value of the model; raises LabelError with all that is wrong in `where`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise LabelError(
            told([f"{where}: {explained(d, 'file')}" for d in error.errors()])
        ) from None


def points(pairs: Sequence[Sequence[float]], least: int, where: str) -> Points:
    """Pairs of a tool as points (n, 2) of the picture; raises LabelError for too few of them."""
    if len(pairs) < least:
        raise LabelError(f"{where}: expected at least {least} points, found {len(pairs)}")
    return np.asarray(pairs, np.float64).reshape(-1, 2) - 0.5


def width(value: Any, where: str) -> float | None:
    """A line's width in px from an attribute; None for none or an empty one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 < found < math.inf:
        raise LabelError(f"{where}: width: expected pixels above 0, found {value!r}")
    return found


def locate(folder: Path, name: str) -> Path:
    """Where the picture `name` lies: in the folder, or in its `images/` as tools export it.

    Backslashes of Windows are slashes. Of a path from the root of a disk, where no such file is,
    the name alone counts: it was true where the annotator sat. A picture that is nowhere is
    reported when it is opened.
    """
    name = name.replace("\\", "/")
    if PureWindowsPath(name).anchor and not is_file(Path(name)):
        name = name.rpartition("/")[2]
    direct, below = folder / name, folder / "images" / name
    return below if not is_file(direct) and is_file(below) else direct


def listed(folder: Path, pattern: str) -> list[Path]:
    """What of a folder matches, in order, without names that start with a dot: macOS writes one
    beside each file on a share, and archives carry them on.
    """
    return [
        path
        for path in sorted(folder.glob(pattern))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def is_file(path: Path) -> bool:
    """Whether a file is there; False too for what can be no file's name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: expected UTF-8 text, found: {error}") from None
    except OSError as error:
        found = error.strerror or error
        raise LabelError(f"{path}: expected an annotation file, found: {found}") from None

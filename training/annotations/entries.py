"""From what an annotation tells to what is imported: marks by label, names, parts and splits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from inspector.errors import NoInputError
from inspector.files import sha256_of
from training.annotations import reading, split
from training.annotations.values import IGNORE, Mark, Picture
from training.evaluation.labels import LabelError, told

SPLITS = ("train", "val")


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture with its place in the data set: file name without suffix, part, split."""

    picture: Picture
    name: str
    part: str
    split: str


def wanted(pictures: Sequence[Picture], labels: tuple[str, ...]) -> tuple[list[Picture], str]:
    """The pictures with the marks that are scratches or ignored, and which labels were left out.

    Raises:
        LabelError: several labels to choose from, or one chosen that no mark has.
    """
    pictures = [replace(p, marks=tuple(map(_told_to_ignore, p.marks))) for p in pictures]
    counts = Counter(mark.label for picture in pictures for mark in picture.marks)
    there = sorted({*counts} - {IGNORE})
    told = ", ".join(f"{label} ({counts[label]} marks)" for label in there) or "none"
    if not labels and len(there) > 1:
        raise LabelError(
            f"{pictures[0].where}: expected --label for those that are scratches, found {told}"
        )
    for label in labels:
        if label not in there:
            raise LabelError(f"{pictures[0].where}: expected marks labelled {label}, found {told}")
    chosen = {*(labels or there), IGNORE}
    kept = [replace(p, marks=tuple(m for m in p.marks if m.label in chosen)) for p in pictures]
    return kept, ", ".join(f"{k} ({counts[k]} marks)" for k in there if k not in chosen)


def _told_to_ignore(mark: Mark) -> Mark:
    """A mark as it is: «Ignore» is no label of its own, or what it marks would pass for sound."""
    return replace(mark, label=IGNORE) if mark.label.casefold() == IGNORE else mark


def placed(
    pictures: Sequence[Picture], pattern: re.Pattern[str] | None, val_share: float, seed: int
) -> list[Entry]:
    """Each picture with its name, part and split; every defect is told at once.

    Raises:
        LabelError: equal names, names in which the pattern is not, parts that cannot be split.
        NoInputError: pictures that are not there.
    """
    wrong, missing, contents = [], [], []
    names: dict[str, Picture] = {}
    for picture in pictures:
        where = f"{picture.where}: {picture.name}"
        if not _is_text(picture.name):
            wrong.append(
                f"{where}: expected a name in UTF-8, found {picture.name!a}: rename the file"
            )
        other = names.setdefault(_name(picture), picture)
        if other is not picture:
            wrong.append(
                f"{where}: expected a name of its own, its suffix aside; found {other.name} "
                f"in {other.where} too"
            )
        if pattern is not None and _part(picture, pattern) is None:
            wrong.append(
                f"{where}: expected the part in its name by --part-pattern {pattern.pattern}, "
                "found none"
            )
        if reading.is_file(picture.path):
            contents.append(sha256_of(picture.path))
        else:
            missing.append(
                f"{where}: expected the picture at {picture.path}, or --pictures FOLDER; found none"
            )
    if wrong:
        raise LabelError(told(wrong + missing))
    if missing:
        raise NoInputError(told(missing))
    groups = split.joined([str(_part(p, pattern)) for p in pictures], contents)
    try:
        held = split.held_out(groups, [not p.outlined for p in pictures], val_share, seed)
    except ValueError as error:
        raise LabelError(
            f"{pictures[0].where}: {error}. The part is what --part-pattern finds in a picture's "
            "name, by default the name without a trailing _N, -N or (N)"
        ) from None
    return [
        Entry(picture, _name(picture), group, SPLITS[group in held])
        for picture, group in zip(pictures, groups, strict=True)
    ]


def _is_text(name: str) -> bool:
    """Whether it can be written down: a file's name may be any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _part(picture: Picture, pattern: re.Pattern[str] | None) -> str | None:
    """What it shows: what the annotation says, unless a pattern is to be looked for in its name."""
    if pattern is None and picture.part is not None:
        return picture.part
    return split.part_of(picture.name, pattern)


def _name(picture: Picture) -> str:
    """The file's name in the data set: folders are joined into it, and it has no suffix."""
    path = PurePosixPath(picture.name.replace("\\", "/").lstrip("/"))
    return "-".join(part for part in path.with_suffix("").parts if part != "..")

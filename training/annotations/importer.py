"""`python -m training import`: annotated pictures become a data set to train and evaluate on.

python -m training import annotations.json --out datasets/mine
python -m training train --data datasets/mine/data.yaml --name mine
python -m training evaluate --data datasets/mine
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspector.segment.tiles import OVERLAP
from training import place
from training.annotations import entries, formats
from training.annotations.cutting import Counts, Cutter
from training.annotations.dataset import Store
from training.annotations.entries import Entry
from training.annotations.formats import Format

LEAST_CROP = 2 * OVERLAP
"""Neighbouring crops share `OVERLAP` px: smaller ones would show little else."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to import and how. `pictures`: where they lie, if not beside the annotation.

    `labels`: which marks are scratches; () takes the only label there is. `crop`: side of a crop
    in px; 0 leaves pictures whole.
    """

    path: Path
    out: Path
    pictures: Path | None = None
    form: Format | None = None
    labels: tuple[str, ...] = ()
    crop: int = 320
    line_width_px: float = 3.0
    part_pattern: re.Pattern[str] | None = None
    val_share: float = 0.2
    seed: int = 1
    replace: bool = False

    def __post_init__(self) -> None:
        if self.crop and (self.crop % 32 or self.crop < LEAST_CROP):
            raise ValueError(
                f"crop: expected 0 or a multiple of 32 from {LEAST_CROP} on, found {self.crop}"
            )
        if not 0 < self.val_share < 1:
            raise ValueError(f"val_share: expected between 0 and 1, found {self.val_share}")
        if not 0 < self.line_width_px <= LEAST_CROP:
            raise ValueError(
                f"line_width_px: expected above 0, at most {LEAST_CROP}; found {self.line_width_px}"
            )
        if self.part_pattern is not None and not self.part_pattern.groups:
            raise ValueError(
                f"part_pattern: expected a group (…) in it, found {self.part_pattern.pattern}"
            )


@dataclass(frozen=True, slots=True)
class Summary:
    """What was imported: the data.yaml, the format, each split's counts and count of parts.

    `notes`: sentences on what was left out or is worth a second look.
    """

    data: Path
    form: Format
    counts: dict[str, Counts]
    parts: dict[str, int]
    notes: tuple[str, ...]


def run(settings: Settings) -> Summary:
    """Write the data set; it appears at `out` when it is complete, and not at all otherwise.

    Raises:
        LabelError: annotations that cannot be true, parts that cannot be split, an `out` that may
            not be written.
        NoInputError: no such input, or pictures of it that are not there.
        InspectorError: the data set could not be written.
    """
    out = settings.out
    place.refuse(out, settings.replace, (settings.path, settings.pictures))
    form, told, gone = formats.read(settings.path, settings.form, settings.pictures)
    pictures, left_out = entries.wanted(told, settings.labels)
    placed = entries.placed(pictures, settings.part_pattern, settings.val_share, settings.seed)
    with place.filled(out) as root:
        store = Store(root, out)
        cutter = Cutter(store, settings.crop, settings.line_width_px, settings.seed)
        counts = cutter.write(placed)
        store.close()
    parts = {name: len({e.part for e in placed if e.split == name}) for name in counts}
    return Summary(
        out / "data.yaml", form, counts, parts, (*gone, *_notes(placed, counts, left_out))
    )


def _notes(placed: Sequence[Entry], counts: dict[str, Counts], left_out: str) -> Iterator[str]:
    if left_out:
        yield f"left out by label: {left_out}"
    blind = sum(not entry.picture.outlined for entry in placed)
    if blind:
        yield (
            f"{blind} bad pictures without an outline cannot be trained on: they are in "
            "truth-val.jsonl only, with all pictures of the same parts"
        )
    unsure = sum(count.unsure for count in counts.values())
    if unsure:
        yield (
            f"{unsure} pictures show only what is to be ignored: they are neither good nor bad, "
            "and no parts to judge in truth-val.jsonl"
        )
    noise = sum(count.noise for count in counts.values())
    if noise:
        yield f"in {noise} pictures marks are too small to be a scratch: they are ignored"
    for name, count in counts.items():
        if not count.crops:
            yield f"{name} has no outlined scratch: it cannot teach or prove one by itself"

"""What a line has kept, and what its operators said of it: «was it right?» on the operator's page.

A wrong reject is a good part, and the most useful one: it shows what only looks like a scratch. Of
a right reject the outlines that were measured are taken over. A wrong pass is a bad part of which
nobody said where it is scratched: it can be evaluated with, and trained on once it is outlined.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inspector.errors import InspectorError, NoInputError
from inspector.page import marks
from inspector.page.marks import MARKS
from inspector.page.marks import Mark as Word
from inspector.record.evidence import FOLDER, Reader
from inspector.record.evidence.reader import Stored
from inspector.types import Verdict
from training.annotations.values import SCRATCH, Mark, Picture, Runs
from training.evaluation.labels import LabelError


def is_state(folder: Path) -> bool:
    """Whether it is the `state_dir` of a line with words of its operators."""
    return (folder / MARKS).is_file()


def read(path: Path) -> tuple[list[Picture], list[str]]:
    """The parts that operators spoke of, each a part of its own, and what was left out.

    Args:
        path: the `state_dir` of a line.

    Raises:
        NoInputError: nobody said anything.
        LabelError: a record that cannot be read.
    """
    words = {word.id: word for word in marks.read(path / MARKS)}  # the last one of an id counts
    if not words:
        raise NoInputError(
            f"{path / MARKS}: expected what operators said of verdicts on the page, found nothing"
        )
    reader, pictures, left_out = Reader(path / FOLDER), [], Counter[str]()
    for word in words.values():
        if word.verdict is Verdict.UNKNOWN:
            left_out["unknown: neither good nor bad"] += 1
            continue
        try:
            kept = reader.find(word.id)
            picture = kept and kept.picture
            if kept is None or picture is None:
                left_out["whose pictures are no longer kept"] += 1
                continue
            pictures.append(_picture(word, kept, picture))
        except InspectorError as error:
            raise LabelError(str(error)) from None
    return pictures, [f"left out: {count} parts {why}" for why, count in left_out.items()]


def _picture(word: Word, kept: Stored, path: Path) -> Picture:
    bad = (word.verdict is Verdict.FAIL) is word.right
    found = kept.result()["scratches"] if bad else []
    drawn = tuple(
        Mark(f"scratches.{k}", SCRATCH, _inside(scratch["polygon"]))
        for k, scratch in enumerate(found)
    )
    outlined = not bad or (word.verdict is Verdict.FAIL and bool(drawn))
    name = f"{word.id}{path.suffix}"
    return Picture(
        name, path, drawn if outlined else (), str(kept.record), outlined=outlined, part=word.id
    )


def _inside(polygon: list[Any]) -> Runs:
    """The pixels of an outline that goes through the centres of the outermost ones."""
    ring = np.asarray(polygon, np.int32)
    x, y, width, height = cv2.boundingRect(ring)
    mask = cv2.fillPoly(np.zeros((height, width), np.uint8), [ring - (x, y)], 1).ravel()
    turns = np.flatnonzero(np.diff(mask, prepend=0, append=0))
    runs = np.diff(turns, prepend=0, append=mask.size)
    return Runs(tuple(runs.tolist()), x, y, width, height)

"""A bench as a picture: a bar for each way to run the model, its stages one after the other."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import typer

from inspector.bench.values import Row
from inspector.cameras.pictures import write_picture
from inspector.errors import InspectorError

COLOURS = {
    "look": (233, 180, 86), "segment": (178, 114, 0), "measure": (0, 94, 213),
    "decide": (115, 158, 0),
}  # fmt: skip
"""Okabe and Ito's palette, BGR."""
WIDTH, LEFT, BAR, GAP = 900, 210, 30, 26
INK, PAPER = (40, 40, 40), 255


def refuse(path: Path) -> None:
    """Raises: BadParameter: there is no place for a drawing of this name."""
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise typer.BadParameter(
            f"--png: expected a name that ends in .png, in a folder that is there; found {path}"
        )


def save(path: Path, rows: Sequence[Row]) -> None:
    """Write a PNG of the medians, with the 95th percentile of the total as a line.

    Raises:
        InspectorError: it cannot be written.
    """
    height = 60 + len(rows) * (BAR + GAP)
    picture = np.full((height, WIDTH, 3), PAPER, np.uint8)
    scale = (WIDTH - LEFT - 90) / max(r.stages["total"].p95 for r in rows)
    x = LEFT
    for stage, colour in COLOURS.items():
        cv2.rectangle(picture, (x, 12), (x + 14, 26), colour, -1)
        _text(picture, stage, (x + 20, 25))
        x += 110
    for k, row in enumerate(rows):
        y = 45 + k * (BAR + GAP)
        _text(picture, row.runtime, (8, y + 20))
        at = float(LEFT)
        for stage, colour in COLOURS.items():
            to = at + row.stages[stage].p50 * scale
            cv2.rectangle(picture, (round(at), y), (round(to), y + BAR), colour, -1)
            at = to
        worst = round(LEFT + row.stages["total"].p95 * scale)
        cv2.line(picture, (round(at), y + BAR // 2), (worst, y + BAR // 2), INK, 1)
        cv2.line(picture, (worst, y + 6), (worst, y + BAR - 6), INK, 1)
        _text(picture, f"{row.stages['total'].p50:.1f} ms", (worst + 8, y + 20))
    try:
        write_picture(path, picture)
    except OSError as error:
        found = error.strerror
        raise InspectorError(f"{path}: expected to write the picture, found: {found}") from None


def _text(picture: np.ndarray, words: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)

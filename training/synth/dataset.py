"""Data sets on disk: pictures, YOLO segmentation labels, and the exact truth beside them.

    DIR/images/{train,val}/000123.jpg     DIR/labels/{train,val}/000123.txt
    DIR/masks/{train,val}/000123.png      DIR/truth-{train,val}.jsonl      DIR/data.yaml

Picture number i of a seed is the same whatever the count of worker processes.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.cameras.pictures import write_picture
from inspector.progress import tracked
from inspector.segment.tiles import GRAY
from training.marks import IGNORE, SCRATCH, write_yaml
from training.synth import fonts
from training.synth.scene import Picture, picture
from training.synth.surfaces import OwnPart

JPEG_QUALITY = 96
"""High, because the camera's own compression is part of the picture already."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a data set is made of. Shares are exact over any run of consecutive pictures."""

    seed: int = 1
    size: int = 320
    good_share: float = 0.45
    surfaces: tuple[tuple[str, float], ...] = (
        ("text", 0.31),
        ("plate", 0.28),
        ("phone", 0.31),
        ("metal", 0.1),
    )
    pad_share: float = 0.2
    own: OwnPart | None = None
    """A user's part, which takes the place of `surfaces` in `own_share` of the pictures."""
    own_share: float = 0.7
    held_out: bool = False
    """Whether print is set in the typefaces of the hold-out."""

    def __post_init__(self) -> None:
        if not 0 <= self.good_share <= 0.5:
            raise ValueError(
                f"good_share: expected 0..0.5 (more teaches silence), found {self.good_share}"
            )
        if not 0 <= self.own_share <= 1:
            raise ValueError(f"own_share: expected 0..1, found {self.own_share}")
        if self.size % 32 or self.size < 64:
            raise ValueError(f"size: expected a multiple of 32, at least 64; found {self.size}")


def is_good(recipe: Recipe, index: int) -> bool:
    """Whether picture `index` is a good one: spread evenly, so the share holds everywhere."""
    return int((index + 1) * recipe.good_share) > int(index * recipe.good_share)


def draw(recipe: Recipe, index: int) -> Picture:
    """Picture number `index` of the recipe; depends on nothing else."""
    rng = np.random.default_rng([recipe.seed, index])
    surface = _surface(recipe, rng)
    h = w = recipe.size
    if surface == "plate" and rng.random() < 0.5:
        w = int(rng.uniform(0.45, 1) * recipe.size)
        h = int(w * rng.uniform(0.46, 0.56))
    elif rng.random() < recipe.pad_share:
        h = int(rng.uniform(0.35, 1) * recipe.size)
        w = recipe.size if rng.random() < 0.6 else int(rng.uniform(0.5, 1) * recipe.size)
    with fonts.pool(recipe.held_out):
        made = picture(rng, surface, (max(64, h), max(64, w)), not is_good(recipe, index))
    return _padded(made, recipe.size)


def _surface(recipe: Recipe, rng: np.random.Generator) -> str | OwnPart:
    if recipe.own and rng.random() < recipe.own_share:
        return recipe.own
    names, weights = zip(*recipe.surfaces, strict=True)
    return str(rng.choice(names, p=np.array(weights) / sum(weights)))


def _padded(made: Picture, size: int) -> Picture:
    """The picture in the upper left of a grey square, as the edge pads small frames: the net meets
    the seam in training.
    """
    h, w = made.image.shape[:2]
    if (h, w) == (size, size):
        return made
    image = np.full((size, size, 3), GRAY, np.uint8)
    image[:h, :w] = made.image
    unsure = np.zeros((size, size), bool)
    unsure[:h, :w] = made.unsure
    return Picture(image, made.surface, made.hard, made.truths, unsure)


def write(recipe: Recipe, folder: Path, split: str, index: int) -> dict[str, Any]:
    """Draw one picture, write its files, return its line of the truth file."""
    made = draw(recipe, index)
    name = f"{index:06d}"
    write_picture(folder / "images" / split / f"{name}.jpg", made.image, JPEG_QUALITY)
    size = np.float32(made.image.shape[1::-1])
    lines = [
        "0 " + " ".join(f"{v:.5f}" for v in (np.clip((t.polygon + 0.5) / size, 0, 1)).ravel())
        for t in made.truths
    ]
    (folder / "labels" / split / f"{name}.txt").write_text("\n".join(lines))
    mask = f"masks/{split}/{name}.png"
    write_picture(folder / mask, marks_of(made))
    return {
        "image": f"images/{split}/{name}.jpg", "surface": made.surface, "hard": made.hard,
        "label": "bad" if made.truths else "good", "mask": mask if made.truths else None,
        "scratches": [
            {
                "length_px": round(t.length_px, 2), "width_px": round(t.width_px, 2),
                "contrast": round(t.contrast, 1),
                "centre": np.round(t.centre[:: max(1, len(t.centre) // 60)], 1).tolist(),
                "polygon": t.polygon.astype(int).tolist(),
            }
            for t in made.truths
        ],
    }  # fmt: skip


def marks_of(made: Picture) -> NDArray[np.uint8]:
    """(h, w): `SCRATCH` on scratches, `IGNORE` where nobody could say, 0 elsewhere."""
    marks = np.where(made.unsure, np.uint8(IGNORE), np.uint8(0))
    for truth in made.truths:
        h, w = truth.mask.shape
        marks[:h, :w][truth.mask] = SCRATCH
    return marks


class _Job:
    """A picklable task for the worker processes."""

    def __init__(self, recipe: Recipe, folder: Path, split: str) -> None:
        self.recipe, self.folder, self.split = recipe, folder, split

    def __call__(self, index: int) -> dict[str, Any]:
        return write(self.recipe, self.folder, self.split, index)


def _single_thread() -> None:
    cv2.setNumThreads(1)


def generate(
    recipe: Recipe, folder: Path, split: str, count: int, workers: int,
    home: Path | None = None,
) -> Path:  # fmt: skip
    """Write `count` pictures of a split into `folder`, which will live at `home` if that is
    elsewhere; returns the path of its data.yaml.
    """
    for kind in ("images", "labels", "masks"):
        (folder / kind / split).mkdir(parents=True, exist_ok=True)
    job: Callable[[int], dict[str, Any]] = _Job(recipe, folder, split)
    with (
        multiprocessing.get_context("spawn").Pool(workers, _single_thread) as pool,
        (folder / f"truth-{split}.jsonl").open("w", encoding="utf-8") as out,
    ):
        rows = pool.imap(job, range(count), chunksize=16)
        for row in tracked(rows, f"{split} pictures", count):
            out.write(json.dumps(row) + "\n")
    return write_yaml(folder, home)

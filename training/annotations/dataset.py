"""A data set on the disk, laid out as `training/synth/dataset.py` does, from pictures with truth.

    DIR/images/{train,val}/NAME-X-Y.png   DIR/labels/{train,val}/NAME-X-Y.txt
    DIR/masks/{train,val}/NAME-X-Y.png    DIR/truth-train.jsonl   DIR/data.yaml
    DIR/whole/images/NAME.jpg             DIR/whole/masks/NAME.png   DIR/truth-val.jsonl

Training looks at crops, also for its own validation, because ultralytics would shrink a whole
picture to the size of a crop, and hairlines with it. An evaluation asks whether the part is
rejected, for which the length of a scratch must not end at the border of a crop: truth-val.jsonl
therefore lists the held-out pictures as a whole, byte for byte as they were given.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from inspector.cameras.pictures import write_picture
from inspector.types import Image
from training.annotations.entries import SPLITS
from training.annotations.truth import Truth
from training.annotations.values import Picture
from training.marks import write_yaml

WHOLE = "whole"


class Store:
    """Writes a new data set into `root`, a new folder, that will live at `home`.

    All that writes raises OSError where the disk does not take it.
    """

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        for split in SPLITS:
            for kind in ("images", "labels", "masks"):
                (root / kind / split).mkdir(parents=True)
        for kind in ("images", "masks"):
            (root / WHOLE / kind).mkdir(parents=True)
        write_yaml(root, home)
        self._rows: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}

    def add_crop(
        self, split: str, name: str, image: Image, truth: Truth, of: Picture, part: str
    ) -> None:
        """Write a picture to train on, or to validate on while training, as PNG.

        JPEG would blur hairlines a second time: the camera's own compression is in them already.
        """
        path = f"images/{split}/{name}.png"
        write_picture(self.root / path, image)
        size = np.array(image.shape[1::-1])
        lines = [
            "0 " + " ".join(f"{v:.5f}" for v in ((s.polygon + 0.5) / size).ravel())
            for s in truth.scratches
        ]
        (self.root / "labels" / split / f"{name}.txt").write_text("\n".join(lines))
        mask = self._mask(f"masks/{split}/{name}.png", truth, image.shape[:2])
        if split == "train":
            self._rows[split].append(_row(path, mask, truth, of, part))

    def add_whole(self, name: str, truth: Truth, of: Picture, part: str) -> None:
        """Copy a picture to evaluate with."""
        path = f"{WHOLE}/images/{name}{of.path.suffix.lower()}"
        shutil.copyfile(of.path, self.root / path)
        mask = self._mask(f"{WHOLE}/masks/{name}.png", truth, truth.marks.shape)
        self._rows["val"].append(_row(path, mask, truth, of, part))

    def close(self) -> None:
        """Write the truth files, in the order of the pictures' names."""
        for split, rows in self._rows.items():
            lines = [json.dumps(row) + "\n" for row in sorted(rows, key=lambda r: r["image"])]
            (self.root / f"truth-{split}.jsonl").write_text("".join(lines), encoding="utf-8")

    def _mask(self, path: str, truth: Truth, shape: tuple[int, ...]) -> str | None:
        """Write a mask, also of nothing, for training; says where it is if it shows anything."""
        marks = np.zeros(shape, np.uint8)
        marks[: truth.marks.shape[0], : truth.marks.shape[1]] = truth.marks
        write_picture(self.root / path, marks)
        return path if marks.any() else None


def _row(path: str, mask: str | None, truth: Truth, of: Picture, part: str) -> dict[str, Any]:
    bad = bool(truth.scratches) or not of.outlined
    return {
        "image": path, "surface": of.surface, "hard": False,
        "label": "bad" if bad else "good", "mask": mask,
        "picture": of.name, "part": part,
        "scratches": [
            {"length_px": s.length_px, "width_px": s.width_px, "polygon": s.polygon.tolist()}
            for s in truth.scratches
        ],
    }  # fmt: skip

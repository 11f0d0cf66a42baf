"""Grey levels of masks, and what a folder of pictures is called in its data.yaml."""

from __future__ import annotations

from pathlib import Path

import yaml

SCRATCH, IGNORE = 255, 128
"""Grey levels of a mask: a scratch, and what is neither scratch nor sound. All else is 0."""


def write_yaml(root: Path, home: Path | None = None) -> Path:
    """Tell ultralytics where pictures, outlines and masks are; returns root/data.yaml.

    Outlines serve a net of instances, masks a dense one: 1 is a scratch, 255 is left out. `home` is
    where the folder will live, if it is written elsewhere.
    """
    about = {
        "path": str((home or root).resolve()), "train": "images/train", "val": "images/val",
        "names": {0: "scratch"}, "masks_dir": "masks", "label_mapping": {SCRATCH: 1, IGNORE: 255},
    }  # fmt: skip
    (root / "data.yaml").write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")
    return root / "data.yaml"

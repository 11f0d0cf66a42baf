"""Whole parts for demonstrations: six pictures of each of the three main surfaces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.synth.scene import picture

SIZES = {"text": (560, 760), "plate": (380, 760), "phone": (520, 960)}
PER_SURFACE = 6
JPEG_QUALITY = 88


def write_samples(folder: Path, seed: int) -> list[Path]:
    """Write `folder/<surface>/<number>-<good|scratched>.jpg`, half of them scratched."""
    written = []
    for k, (surface, size) in enumerate(SIZES.items()):
        (folder / surface).mkdir(parents=True, exist_ok=True)
        for number in range(PER_SURFACE):
            rng = np.random.default_rng([seed, k, number])
            scratched = number % 2 == 1
            made = picture(rng, surface, size, scratched, whole=True)
            path = folder / surface / f"{number + 1}-{'scratched' if scratched else 'good'}.jpg"
            cv2.imwrite(str(path), made.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            written.append(path)
    return written

"""Whole parts for demonstrations: six pictures of each of the three main surfaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inspector.cameras.pictures import write_picture
from training.synth.scene import Picture, picture

SIZES = {"text": (560, 760), "plate": (380, 760), "phone": (520, 960)}
PER_SURFACE = 6
JPEG_QUALITY = 88
PLAIN_LENGTH_PX = 90
PLAIN_CONTRAST = 60
TRIES = 60


def write_samples(folder: Path, seed: int) -> list[Path]:
    """Write `folder/<surface>/<number>-<good|scratched>.jpg`, half of them scratched."""
    written = []
    for k, (surface, size) in enumerate(SIZES.items()):
        (folder / surface).mkdir(parents=True, exist_ok=True)
        for number in range(PER_SURFACE):
            scratched = number % 2 == 1
            made = _plain([seed, k, number], surface, size, scratched)
            path = folder / surface / f"{number + 1}-{'scratched' if scratched else 'good'}.jpg"
            write_picture(path, made.image, JPEG_QUALITY)
            written.append(path)
    return written


def _plain(seed: list[int], surface: str, size: tuple[int, int], scratched: bool) -> Picture:
    """The first picture whose scratch, if it has one, anybody would see.

    Raises RuntimeError when there is none among `TRIES`.
    """
    for attempt in range(TRIES):
        made = picture(
            np.random.default_rng([*seed, attempt]), surface, size, scratched, whole=True
        )
        plain = any(
            t.length_px > PLAIN_LENGTH_PX and t.contrast > PLAIN_CONTRAST for t in made.truths
        )
        if plain or not scratched:
            return made
    raise RuntimeError(f"expected a plain scratch on {surface} within {TRIES} tries")

"""A model in 8 bits: what OpenVINO multiplies several times faster, if it still judges alike.

Whether it does, the gate says (`gate.py`); nothing here is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import nncf
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.cameras.pictures import load_picture
from inspector.segment.manifest import INT8, MODEL
from inspector.segment.tiles import GRAY
from inspector.types import Unseen

CALIBRATED_ON = 240
"""Tiles that show the ranges of every layer."""


def to_int8(root: Path, pictures: Sequence[Path]) -> None:
    """Write `model.int8.xml` and `.bin` beside the ONNX file in the bundle's folder `root`."""
    core = ov.Core()
    model = core.read_model(root / MODEL)
    side = model.input(0).shape[2]
    tiles = list(_tiles(pictures, side))[:CALIBRATED_ON]
    made = nncf.quantize(
        model, nncf.Dataset(tiles, _input), preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(tiles), fast_bias_correction=False,
    )  # fmt: skip
    ov.save_model(made, root / INT8, compress_to_fp16=False)


def _tiles(pictures: Sequence[Path], side: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures put together to fill the model's input, so that no layer learns mostly padding."""
    canvas, x, y, tall = np.full((side, side, 3), GRAY, np.uint8), 0, 0, 0
    for path in pictures:
        part = load_picture(path)
        if isinstance(part, Unseen):
            continue
        image = part.image[:side, :side]
        height, width = image.shape[:2]
        if x + width > side:
            x, y, tall = 0, y + tall, 0
        if y + height > side:
            yield canvas
            canvas, x, y, tall = np.full((side, side, 3), GRAY, np.uint8), 0, 0, 0
        canvas[y : y + height, x : x + width] = image
        x, tall = x + width, max(tall, height)
    yield canvas


def _input(tile: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(tile[..., ::-1].transpose(2, 0, 1)[None], np.float32) / 255

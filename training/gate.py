"""The gate of an export: does what the edge runs judge as the net that was trained?

The same hold-out pictures go through the same pipeline, once with the net in PyTorch and once with
each runtime and precision of the bundle. What differs beyond the bounds is not shipped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.table import Table

from inspector.cameras.pictures import load_picture
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.progress import tracked
from inspector.segment.manifest import Manifest
from inspector.segment.runtime import Outputs, Runtime
from inspector.segment.segmenter import Segmenter
from inspector.types import Image, Mask, Result
from training import nets
from training.evaluation import labels
from training.threshold import LIMIT_PX

MOST_FLIPS = 0.005
"""Share of pictures whose verdict may differ."""
MOST_LENGTH_PX = 0.5
"""Mean difference of the longest scratch's length."""
LEAST_IOU = 0.95
"""Of all scratch pixels together, over all pictures."""
LEAST_PICTURES = 200
DIGITS = {"mask_iou": 4, "length_px": 3, "worst_length_px": 2, "ms": 1}
"""Decimals of the figures in the manifest."""


class TorchRuntime:
    """The net as it was trained, as a runtime of the edge's pipeline: the reference."""

    name = "torch/cpu/f32"

    def __init__(self, weights: Path, manifest: Manifest) -> None:
        self._divisor = float(manifest.input.divisor)
        self._net: Any = nets.opened(weights).model.eval().float().cpu()
        for module in self._net.modules():
            # The head then answers as the ONNX graph does; a dense one does so anyway.
            if hasattr(module, "export") and manifest.head != "dense":
                module.export, module.format = True, "onnx"

    def infer(self, tile: Image) -> Outputs:
        """As the `Runtime` protocol says."""
        rgb = np.ascontiguousarray(tile[..., ::-1].transpose(2, 0, 1)[None])
        with torch.inference_mode():
            answer = self._net(torch.from_numpy(rgb).float() / self._divisor)
        if isinstance(answer, torch.Tensor):
            return (answer.numpy(),)
        flat = [a for part in answer for a in (part if isinstance(part, (tuple, list)) else [part])]
        return tuple(tensor.numpy() for tensor in flat)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One runtime against the reference, over `pictures`; lengths in px, times in ms."""

    runtime: str
    pictures: int
    mask_iou: float
    length_px: float
    worst_length_px: float
    flips: int
    ms: float

    @property
    def passes(self) -> bool:
        """Whether it may judge in the reference's place."""
        return (
            self.flips <= MOST_FLIPS * self.pictures
            and self.length_px <= MOST_LENGTH_PX
            and self.mask_iou >= LEAST_IOU
        )


def compare(
    reference: Runtime, candidates: Sequence[Runtime], manifest: Manifest, pictures: Sequence[Path]
) -> list[Comparison]:
    """Judge every picture with each; the first row is the reference against itself.

    Raises:
        ValueError: fewer than `LEAST_PICTURES` pictures; nothing could be said of 0.5 %.
    """
    if len(pictures) < LEAST_PICTURES:
        raise ValueError(f"expected at least {LEAST_PICTURES} pictures, found {len(pictures)}")
    limits = Limits(min_scratch_px=LIMIT_PX)
    inspectors = [Inspector(Segmenter(manifest, r), limits) for r in (reference, *candidates)]
    judged: list[list[Result]] = [[] for _ in inspectors]
    for path in tracked(pictures, "Comparing runtimes"):
        part = load_picture(path)
        # Interleaved, so that whatever else the machine does slows all alike.
        for inspector, results in zip(inspectors, judged, strict=True):
            results.append(inspector.inspect(part))
    return [
        _compare(inspector.segmenter.runtime.name, judged[0], results)
        for inspector, results in zip(inspectors, judged, strict=True)
    ]


def _compare(name: str, reference: Sequence[Result], found: Sequence[Result]) -> Comparison:
    pairs = list(zip(reference, found, strict=True))
    lengths = [abs(_longest(a) - _longest(b)) for a, b in pairs]
    both = either = 0
    for a, b in pairs:
        ours, theirs = _mask(a), _mask(b)
        both += int(np.count_nonzero(ours & theirs))
        either += int(np.count_nonzero(ours | theirs))
    return Comparison(
        runtime=name,
        pictures=len(pairs),
        mask_iou=both / either if either else 1.0,
        length_px=float(np.mean(lengths)),
        worst_length_px=max(lengths),
        flips=sum(a.verdict is not b.verdict for a, b in pairs),
        ms=float(np.median([r.timing.segment for r in found])),
    )


def _longest(result: Result) -> float:
    return max((s.length_px for s in result.scratches), default=0.0)


def _mask(result: Result) -> Mask:
    width, height = result.size or (0, 0)
    canvas = np.zeros((height, width), np.uint8)
    for scratch in result.scratches:
        cv2.fillPoly(canvas, [np.array(scratch.polygon, np.int32)], 1)
    return canvas > 0


def pictures_of(data: Path) -> list[Path]:
    """The pictures of a data set's hold-out.

    Raises:
        LabelError: labels that cannot be true.
        NoInputError: no hold-out, or pictures of it that are not there.
    """
    return [row.path for row in labels.read(data / "truth-val.jsonl")]


def table(rows: Sequence[Comparison]) -> Table:
    """The comparison as it is shown on a terminal."""
    shown = Table(title=f"{rows[0].pictures} pictures against {rows[0].runtime}")
    for head in ("runtime", "mask IoU", "length Δ mean px", "Δ worst px", "flips", "ms", ""):
        # On a narrow terminal the heads take more lines; of a runtime each letter counts.
        text = head in ("runtime", "")
        shown.add_column(head, justify="left" if text else "right", no_wrap=text)
    for row in rows:
        shown.add_row(
            row.runtime, f"{row.mask_iou:.3f}", f"{row.length_px:.2f}",
            f"{row.worst_length_px:.1f}", str(row.flips), f"{row.ms:.1f}",
            "passes" if row.passes else "differs",
        )  # fmt: skip
    return shown


def facts(rows: Sequence[Comparison]) -> list[Mapping[str, Any]]:
    """The comparison as it stands in the manifest; what is rounded there decides nothing."""
    return [
        {k: round(v, DIGITS[k]) if k in DIGITS else v for k, v in dataclasses.asdict(row).items()}
        for row in rows
    ]

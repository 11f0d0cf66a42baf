"""Weights → bundle: a static ONNX file, its manifest, golden pictures, the edge's self-test.

    python -m training export --weights runs/first/weights/best.pt --out bundle

The bundle is written beside its final place and moved there only if the edge loads it and both of
its runtimes pass the self-test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_OFFLINE", "true")

import cv2
import numpy as np
import onnx
import yaml
from ultralytics import YOLO

from inspector.config import ModelConfig
from inspector.segment import bundle as bundles
from inspector.segment.bundle import Bundle
from inspector.segment.manifest import GOLDEN_INPUT, GOLDEN_LABELS, MODEL
from inspector.segment.segmenter import Segmenter
from inspector.types import Detection
from training import threshold
from training.synth.dataset import Recipe, draw

SIDE = 640
OPSET = 17
OVERLAP = 0.5
"""Boxes that share more than this are one scratch; crossing scratches share less."""
GOLDEN_SEED = 20_260
GOLDEN_TRIES = 60
CLEAR = 0.15
"""Golden detections must lie this far from the threshold, or a rounding could lose one."""


class ExportRefused(Exception):
    """The bundle would not be fit for the edge; says what was expected and what was found."""


def export(
    weights: Path, out: Path, data: Path, name: str, version: str,
    confidence: float | None = None, facts: dict[str, Any] | None = None, progress: bool = False,
) -> Bundle:  # fmt: skip
    """Write the bundle `out` from `weights`; `data` is a generated data set with a hold-out.

    Raises:
        ExportRefused: a runtime does not reproduce the golden detections, or finds none at all.
        BundleError: the edge cannot load what was written.
    """
    with tempfile.TemporaryDirectory(dir=out.parent if out.parent.is_dir() else None) as scratchpad:
        root = Path(scratchpad) / "bundle"
        root.mkdir()
        head = to_onnx(weights, root / MODEL)
        fields: dict[str, Any] = {
            "name": name, "version": version, "classes": ("scratch",),
            "input": {"width": SIDE, "height": SIDE, "pad": "gray"},
            "head": head, "confidence": confidence or 0.25, "overlap": OVERLAP,
            "golden": {"confidences": ()},
            "training": {**_recipe(weights), **(facts or {})}, "evaluation": {},
        }  # fmt: skip
        _blank_golden(root)
        draft = bundles.write(root, **fields)
        segmenter = Segmenter(
            draft.manifest, bundles.open_runtime(draft, ModelConfig(precision="f32"))
        )
        if (data / "truth-val.jsonl").is_file():
            choice = threshold.choose(segmenter, data, progress=progress)
            fields["confidence"] = confidence or choice.confidence
            fields["evaluation"]["generated_hold_out"] = {
                "pictures": choice.pictures, "limit_px": threshold.LIMIT_PX,
                "confidence": choice.confidence,
                "recall_of_bad": choice.recall, "false_reject_of_good": choice.false_reject,
            }  # fmt: skip
        segmenter = Segmenter(draft.manifest, segmenter.runtime, fields["confidence"])
        fields["golden"] = {"confidences": tuple(d.confidence for d in _golden(root, segmenter))}
        made = bundles.write(root, **fields)
        for runtime in ("openvino", "onnxruntime"):
            bundles.self_test(made, bundles.open_runtime(made, ModelConfig(runtime=runtime)))
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(root, out)
    return bundles.load(out)


def to_onnx(weights: Path, target: Path) -> str:
    """Write a static (1, 3, 640, 640) float32 graph; returns its head, `raw` or `end2end`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.pt"
        shutil.copy(weights, copy)
        net = YOLO(str(copy))
        written = net.export(
            format="onnx", imgsz=SIDE, opset=OPSET, simplify=True, dynamic=False, batch=1
        )
        shutil.move(str(written), target)
    graph = onnx.load(str(target)).graph
    shape = [d.dim_value for d in graph.output[0].type.tensor_type.shape.dim]
    heads = {(1, 37): "raw", (300, 38): "end2end"}
    for (rows, columns), head in heads.items():
        if (head == "raw" and shape[1] == columns) or (
            head == "end2end" and shape[1:] == [rows, columns]
        ):
            return head
    raise ExportRefused(f"{weights}: expected a head (1, 37, N) or (1, 300, 38), found {shape}")


def _recipe(weights: Path) -> dict[str, Any]:
    """What is known of the training: the run's settings, as far as they say something."""
    args = weights.parent.parent / "args.yaml"
    known = yaml.safe_load(args.read_text()) if args.is_file() else {}
    keys = ("imgsz", "batch", "optimizer", "lr0", "seed", "mask_ratio")
    return {"architecture": _architecture(weights), **{k: known[k] for k in keys if k in known}}


def _architecture(weights: Path) -> str:
    return Path(str(YOLO(str(weights)).model.yaml.get("yaml_file", "unknown"))).stem


def _blank_golden(root: Path) -> None:
    for name in (GOLDEN_INPUT, GOLDEN_LABELS):
        cv2.imwrite(str(root / name), np.zeros((SIDE, SIDE), np.uint8))


def _golden(root: Path, segmenter: Segmenter) -> list[Detection]:
    """Find a generated picture with a few clear, separate detections; store it and its labels."""
    recipe = Recipe(
        seed=GOLDEN_SEED, size=SIDE, good_share=0, surfaces=(("phone", 1.0),), pad_share=0
    )
    for index in range(GOLDEN_TRIES):
        image = draw(recipe, index).image
        found = segmenter.segment(image)
        labels = bundles.golden_labels(image, found)
        whole = all((labels == k + 1).sum() == d.mask.sum() for k, d in enumerate(found))
        clear = all(d.confidence > segmenter.confidence + CLEAR for d in found)
        if 1 <= len(found) <= 4 and whole and clear:
            cv2.imwrite(str(root / GOLDEN_INPUT), image)
            cv2.imwrite(str(root / GOLDEN_LABELS), labels)
            return found
    raise ExportRefused(
        f"expected a clear detection on one of {GOLDEN_TRIES} generated phones, found none"
    )

"""Weights → bundle: a static ONNX file, its manifest, golden pictures, the edge's self-test.

    python -m training export --weights runs/first/weights/best.pt --out bundle

The bundle is written beside its final place and moved there only if the edge loads it, its runtimes
pass the self-test, and the gate (`gate.py`) finds that they judge as the net that was trained.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_OFFLINE", "true")

import numpy as np
import onnx
import onnxslim
import torch
import yaml
from rich.console import Console

from inspector.cameras.pictures import write_picture
from inspector.config import ModelConfig
from inspector.errors import ConfigError
from inspector.segment import bundle as bundles
from inspector.segment.bundle import MANIFEST, Bundle
from inspector.segment.manifest import (
    GOLDEN_INPUT,
    GOLDEN_LABELS,
    INT8,
    INT8_WEIGHTS,
    MODEL,
    Head,
)
from inspector.segment.segmenter import Segmenter
from inspector.types import Detection
from training import gate, nets, place, quantize, threshold
from training.synth.dataset import Recipe, draw

SIDE = 640
OPSET = 17
PRECISIONS = ("f32", "bf16", "int8")
FASTER = 1.5
"""By which 8 bits have to be faster than f32, or they are not worth a second model."""
GATE_PICTURES = 1000
"""At most. Of 300 the bound lets one verdict flip: chance alone then decides about a precision."""
OVERLAP = 0.5
"""Boxes that share more than this are one scratch; crossing scratches share less."""
GOLDEN_SEED = 20_260
GOLDEN_TRIES = 200
CLEAR = 0.4
"""Golden detections must lie this far on the way from the threshold to certainty, or a rounding
could lose one."""


class ExportRefused(Exception):
    """The bundle would not be fit for the edge; says what was expected and what was found."""


def export(
    weights: Path, out: Path, data: Path, name: str, version: str,
    confidence: float | None = None, facts: dict[str, Any] | None = None,
) -> Bundle:  # fmt: skip
    """Write the bundle `out` from `weights`; `data` is a data set with a hold-out.

    Raises:
        ExportRefused: what is at `out` is no bundle; a runtime does not reproduce the golden
            detections, finds none at all, or judges the hold-out otherwise than the net does.
        NoInputError: weights that are not there, or are none; pictures that are not there.
        LabelError: labels of the hold-out that cannot be true.
        BundleError: the edge cannot load what was written.
        InspectorError: the disk does not take it.
    """
    _refuse_place(out)
    hold_out = _hold_out(data)
    nets.opened(weights)  # before the work, so that it is not in vain
    with place.filled(out, "bundle") as root:
        root.mkdir()
        head = to_onnx(weights, root / MODEL)
        fields: dict[str, Any] = {
            "name": name, "version": version, "classes": ("scratch",),
            "input": {"width": SIDE, "height": SIDE, "pad": "gray"},
            "head": head, "task": "semantic" if head == "dense" else "segment",
            "confidence": confidence or 0.25, "overlap": OVERLAP,
            "golden": {"confidences": ()},
            "training": {**_recipe(weights), **(facts or {})}, "evaluation": {},
        }  # fmt: skip
        _blank_golden(root)
        draft = bundles.write(root, **fields)
        segmenter = Segmenter(
            draft.manifest, bundles.open_runtime(draft, ModelConfig(precision="f32"))
        )
        choice = threshold.choose(segmenter, data)
        fields["confidence"] = confidence or choice.confidence
        fields["evaluation"]["generated_hold_out"] = {
            "pictures": choice.pictures, "limit_px": threshold.LIMIT_PX,
            "confidence": choice.confidence,
            "recall_of_bad": choice.recall, "false_reject_of_good": choice.false_reject,
        }  # fmt: skip
        segmenter = Segmenter(draft.manifest, segmenter.runtime, fields["confidence"])
        quantize.to_int8(root, hold_out)
        fields["golden"] = {"confidences": tuple(d.confidence for d in _golden(root, segmenter))}
        # Until the gate has judged, all of them are to be tried.
        made = bundles.write(root, **{**fields, "precisions": PRECISIONS})
        rows = _gate(weights, made, hold_out)
        fields["precisions"] = proved(rows)
        if "int8" not in fields["precisions"]:
            for file in (INT8, INT8_WEIGHTS):
                (root / file).unlink()
        fields["evaluation"]["gate"] = gate.facts(rows)
        bundles.write(root, **fields)
    return bundles.load(out)


def _refuse_place(out: Path) -> None:
    """Raise ExportRefused for a place where something else than a bundle is."""
    if not out.exists() or (out / MANIFEST).is_file() or (out.is_dir() and not any(out.iterdir())):
        return
    raise ExportRefused(f"{out}: expected nothing there, or a bundle to replace; found neither")


def facts_of(file: Path) -> dict[str, Any]:
    """What is to stand under `training:` in the manifest, from a YAML file.

    Raises:
        ExportRefused: the file cannot be read, or holds no keys with values.
    """
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        found = getattr(error, "strerror", None) or error
        raise ExportRefused(f"{file}: expected a YAML file of facts, found: {found}") from None
    if not isinstance(told, dict):
        raise ExportRefused(f"{file}: expected keys with values, found {told!r:.60}")
    return told


def _hold_out(data: Path) -> list[Path]:
    """The pictures on which the gate judges, before any work is done without them."""
    pictures = gate.pictures_of(data) if (data / "truth-val.jsonl").is_file() else []
    if len(pictures) < gate.LEAST_PICTURES:
        raise ExportRefused(
            f"{data}: expected a hold-out of at least {gate.LEAST_PICTURES} pictures "
            f"(python -m training synth --val {gate.LEAST_PICTURES}), found {len(pictures)}"
        )
    return pictures[:GATE_PICTURES]


def _gate(weights: Path, made: Bundle, pictures: list[Path]) -> list[gate.Comparison]:
    """Rows for OpenVINO in each of `PRECISIONS` that this machine has, then ONNX Runtime.

    What every machine can run must pass; a faster precision that differs is not used by `auto`.
    """
    runtimes = []
    for config in (
        *(ModelConfig(runtime="openvino", precision=p) for p in PRECISIONS),
        ModelConfig(runtime="onnxruntime"),
    ):
        try:
            runtime = bundles.open_runtime(made, config)
        except ConfigError:  # a precision that this CPU does not have
            continue
        if config.precision in {"auto", "f32"}:  # the gate says what the faster ones are worth
            bundles.self_test(made, runtime)
        runtimes.append(runtime)
    reference = gate.TorchRuntime(weights, made.manifest)
    rows = gate.compare(reference, runtimes, made.manifest, pictures)
    Console(stderr=True).print(gate.table(rows))
    must = [row for row in rows if row.runtime.endswith("/f32")]
    if not all(row.passes for row in must):
        raise ExportRefused(
            "expected each runtime to judge as the net does, found the differences above"
        )
    return rows


def proved(rows: list[gate.Comparison]) -> tuple[str, ...]:
    """The precisions in which OpenVINO judges as the net does; 8 bits must also be faster."""
    ours = {r.runtime.rpartition("/")[2]: r for r in rows if "openvino" in r.runtime}
    worth = {
        precision
        for precision, row in ours.items()
        if row.passes and (precision != "int8" or ours["f32"].ms >= FASTER * row.ms)
    }
    return tuple(p for p in PRECISIONS if p in worth)


def to_onnx(weights: Path, target: Path) -> Head:
    """Write a static (1, 3, 640, 640) float32 graph; returns its head."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.pt"
        shutil.copy(weights, copy)
        net = nets.opened(copy)
        if net.task == "semantic":
            written = _dense_onnx(net.model, Path(folder) / "model.onnx")
        else:
            written = net.export(
                format="onnx", imgsz=SIDE, opset=OPSET, simplify=True, dynamic=False, batch=1
            )
        model = onnx.load(str(written))
    del model.metadata_props[:]  # the manifest says it, without paths of the machine that trained
    onnx.save(model, str(target))
    shape = [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    if len(shape) == 4:
        return "dense"
    if len(shape) == 3 and shape[1] == 37:
        return "raw"
    if shape[1:] == [300, 38]:
        return "end2end"
    raise ExportRefused(
        f"{weights}: expected a head (1, 1, H, W), (1, 37, N) or (1, 300, 38), found {shape}"
    )


def _dense_onnx(net: torch.nn.Module, target: Path) -> Path:
    """Logits as the net gives them: ultralytics' own export would round them to 0 and 1."""
    fused = net.float().eval().fuse(verbose=False)
    torch.onnx.export(
        fused, (torch.zeros(1, 3, SIDE, SIDE),), str(target), opset_version=OPSET,
        input_names=["images"], output_names=["logits"], dynamo=False,
    )  # fmt: skip
    onnx.save(onnxslim.slim(str(target)), str(target))
    return target


def _recipe(weights: Path) -> dict[str, Any]:
    """What is known of the training: the run's settings, as far as they say something."""
    args = weights.parent.parent / "args.yaml"
    known = yaml.safe_load(args.read_text()) if args.is_file() else {}
    keys = ("imgsz", "batch", "optimizer", "lr0", "seed", "mask_ratio")
    return {"architecture": _architecture(weights), **{k: known[k] for k in keys if k in known}}


def _architecture(weights: Path) -> str:
    return Path(str(nets.opened(weights).model.yaml.get("yaml_file", "unknown"))).stem


def _blank_golden(root: Path) -> None:
    for name in (GOLDEN_INPUT, GOLDEN_LABELS):
        write_picture(root / name, np.zeros((SIDE, SIDE), np.uint8))


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
        sure = segmenter.confidence + CLEAR * (1 - segmenter.confidence)
        clear = all(d.confidence > sure for d in found)
        if 1 <= len(found) <= 4 and whole and clear:
            write_picture(root / GOLDEN_INPUT, image)
            write_picture(root / GOLDEN_LABELS, labels)
            return found
    raise ExportRefused(
        f"expected a clear detection on one of {GOLDEN_TRIES} generated phones, found none"
    )

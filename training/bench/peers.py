"""The same weights and pictures through bare runtimes, through other libraries and through us.

Everything at 640 × 640, batch 1, on all cores. What each one answers is not the same: the bare
runtimes a tensor, ultralytics a class map, the Model API a map and its outlines, we a verdict with
every scratch measured.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("YOLO_OFFLINE", "true")

import numpy as np
import onnxruntime
import openvino as ov
import openvino.properties as props
import openvino.properties.hint as hints
import torch
from openvino import opset13 as opset
from ultralytics import YOLO

from inspector.config import ModelConfig
from inspector.errors import ConfigError
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.segment import bundle as bundles
from inspector.segment.bundle import Bundle
from inspector.segment.manifest import DENSE_STRIDE
from inspector.segment.segmenter import Segmenter
from inspector.types import Frame, Image
from training.bench.pictures import in_a_grid
from training.bench.values import Spread, in_turn, ratio

SIDE = 640
SCRATCHES = (0, 3, 20)
SEED = 7
BARE = {"f32": "OpenVINO alone, f32", "bf16": "OpenVINO alone, bf16"}
PREDICT = "ultralytics predict() on OpenVINO"
REFERENCES = (*BARE.values(), PREDICT)


@dataclass(frozen=True, slots=True)
class Row:
    """One way on pictures with so many scratches: ms, and as a multiple of each way in
    `REFERENCES` that runs here. `found`: scratches that it told, None where it tells none.
    """

    way: str
    scratches: int
    ms: Spread
    multiples: dict[str, Spread]
    found: int | None


def run(bundle: Bundle, weights: Path, folder: Path, rounds: int) -> tuple[list[Row], list[str]]:
    """Rows for each number of scratches, and what could not be run; `folder` takes exports."""
    refused: list[str] = []
    rows: list[Row] = []
    makers = _makers(bundle, weights, folder, refused)
    images = {n: in_a_grid(np.random.default_rng(SEED), SIDE, n).image for n in SCRATCHES}
    ways = {(n, name): make(images[n]) for n in SCRATCHES for name, make in makers.items()}
    took = in_turn(ways, rounds)
    for (count, name), ms in took.items():
        told = ways[count, name]()
        multiples = {r: ratio(ms, took[count, r]) for r in REFERENCES if (count, r) in took}
        found = told if isinstance(told, int) else None
        rows.append(Row(name, count, Spread.of(ms), multiples, found))
    return rows, refused


Maker = Callable[[Image], Callable[[], object]]


def _makers(bundle: Bundle, weights: Path, folder: Path, refused: list[str]) -> dict[str, Maker]:
    makers: dict[str, Maker] = {}
    for precision, name in BARE.items():
        with _noted(refused, name):
            makers[name] = _openvino(bundle, precision)
    makers["ONNX Runtime alone, f32"] = _onnxruntime(bundle)
    with _noted(refused, PREDICT):
        makers[PREDICT] = _ultralytics(weights, folder)
    with _noted(refused, "OpenVINO Model API"):
        makers["OpenVINO Model API"] = _model_api(bundle, folder)
    for library, precision in (("openvino", "f32"), ("openvino", "bf16"), ("onnxruntime", "f32")):
        config = ModelConfig(runtime=library, precision=precision)  # type: ignore[arg-type]
        name = f"inspector, {'OpenVINO' if library == 'openvino' else 'ONNX Runtime'}, {precision}"
        with _noted(refused, name):
            makers[name] = _inspector(bundle, config)
    return makers


@contextlib.contextmanager
def _noted(refused: list[str], name: str) -> Iterator[None]:
    try:
        yield
    except (ConfigError, ImportError, RuntimeError, ValueError, TypeError) as error:
        refused.append(f"{name}: {str(error).splitlines()[0]}")


def _tensor(image: Image) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)[None], np.float32) / 255


def _openvino(bundle: Bundle, precision: str) -> Maker:
    core = ov.Core()
    if precision.upper() not in {
        "F32",
        "FP32",
        *core.get_property("CPU", props.device.capabilities()),
    }:
        raise ConfigError(f"the CPU has no {precision}")
    options = {
        hints.performance_mode(): hints.PerformanceMode.LATENCY,
        hints.inference_precision(): getattr(ov.Type, precision),
        props.inference_num_threads(): os.cpu_count(),
    }
    request = core.compile_model(
        core.read_model(bundle.model), "CPU", options
    ).create_infer_request()

    def make(image: Image) -> Callable[[], object]:
        tensor = _tensor(image)
        return lambda: request.infer([tensor], share_inputs=True) and None

    return make


def _onnxruntime(bundle: Bundle) -> Maker:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(
        str(bundle.model), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name

    def make(image: Image) -> Callable[[], object]:
        tensor = _tensor(image)
        return lambda: session.run(None, {name: tensor}) and None

    return make


def _ultralytics(weights: Path, folder: Path) -> Maker:
    copy = folder / "weights.pt"  # it exports beside the weights
    copy.write_bytes(weights.read_bytes())

    def to_frame(x: torch.Tensor, scale_factor: int, **rest: Any) -> torch.Tensor:
        del scale_factor  # 8, as if every net answered at that stride: 16 times the pixels of ours
        return torch.nn.functional.interpolate(x, scale_factor=DENSE_STRIDE, **rest)

    head = mock.Mock(wraps=torch.nn.functional, interpolate=to_frame)
    with mock.patch("ultralytics.nn.modules.head.F", head):
        exported = YOLO(str(copy)).export(format="openvino", imgsz=SIDE, verbose=False)
    net = YOLO(str(exported), task=YOLO(str(copy)).task)

    def make(image: Image) -> Callable[[], object]:
        return lambda: net.predict(image, imgsz=SIDE, verbose=False, device="cpu") and None

    return make


def _model_api(bundle: Bundle, folder: Path) -> Maker:
    from model_api.models import SegmentationModel

    # It wants a channel for each class: a logit of 0 for «sound», of which the other is the odds.
    model = ov.Core().read_model(bundle.model)
    logits = model.outputs[0].get_node().input_value(0)
    sound = opset.multiply(logits, opset.constant(np.float32(0)))
    classes = opset.concat([sound, logits], axis=1)
    path = folder / "api.xml"
    ov.save_model(ov.Model([classes], model.get_parameters()), path, compress_to_fp16=False)
    net = SegmentationModel.create_model(
        str(path), model_type="Segmentation", configuration={"soft_threshold": 0.0}, preload=True,
        nthreads=os.cpu_count(),
    )  # fmt: skip

    def make(image: Image) -> Callable[[], object]:
        return lambda: net(image) and None

    return make


def _inspector(bundle: Bundle, config: ModelConfig) -> Maker:
    runtime = bundles.open_runtime(bundle, config)
    inspector = Inspector(Segmenter(bundle.manifest, runtime), Limits(min_scratch_px=40))

    def make(image: Image) -> Callable[[], object]:
        def judge() -> int:
            result = inspector.inspect(Frame(image, "picture", time.monotonic()))
            return len(result.scratches)

        return judge

    return make

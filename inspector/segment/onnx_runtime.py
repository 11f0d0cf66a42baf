"""ONNX Runtime on the CPU."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from inspector.config import ModelConfig
from inspector.errors import BundleError, ConfigError, InferenceError
from inspector.segment.manifest import Manifest
from inspector.segment.runtime import Outputs, check_shapes
from inspector.segment.threads import default_threads
from inspector.types import Image


class OnnxRuntime:
    """One session with its own threads; float32 only."""

    name = "onnxruntime/CPU/f32"

    def __init__(self, path: Path, manifest: Manifest, config: ModelConfig) -> None:
        if config.device != "CPU" or config.precision not in {"auto", "f32"}:
            raise ConfigError(
                "model: expected device CPU and precision f32 for onnxruntime, "
                f"found {config.device} and {config.precision}"
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = config.threads or default_threads()
        options.inter_op_num_threads = 1
        # A spinning pool takes a whole core from the camera and the publisher between two parts.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise BundleError(f"{path}: ONNX Runtime cannot read it: {error}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        check_shapes(manifest, [i.shape for i in inputs], [o.shape for o in outputs])
        self._input = inputs[0].name
        self._scale = np.float32(1 / manifest.input.divisor)

    def infer(self, tile: Image) -> Outputs:
        blob = cv2.dnn.blobFromImage(tile, float(self._scale), swapRB=True)
        try:
            return tuple(self._session.run(None, {self._input: blob}))
        except Exception as error:
            raise InferenceError(f"ONNX Runtime failed: {error}") from error

"""Tiny ONNX models with the inputs and outputs of a YOLO-seg export."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def tiny(
    candidates: np.ndarray,
    *,
    side: int = 64,
    batch: int | str = 1,
    prototypes: int = 32,
    first_output: list[int | str] | None = None,
) -> bytes:
    """A model that answers `candidates`, and prototypes made of the input's red, green and blue.

    The first prototype is the red channel, the second green, the third blue, in averages of 4 × 4.
    """
    kernel = np.zeros((prototypes, 3, 4, 4), np.float32)
    for channel in range(min(3, prototypes)):
        kernel[channel, channel] = 1 / 16
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["prototypes"], strides=[4, 4]),
        helper.make_node("ReduceMax", ["images"], ["peak"], keepdims=0),
        helper.make_node("Mul", ["peak", "zero"], ["nothing"]),
        helper.make_node("Add", ["candidates", "nothing"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, side, side])],
        [
            helper.make_tensor_value_info(
                "output0", TensorProto.FLOAT, first_output or list(candidates.shape)
            ),
            helper.make_tensor_value_info(
                "prototypes", TensorProto.FLOAT, [batch, prototypes, side // 4, side // 4]
            ),
        ],
        [
            numpy_helper.from_array(kernel, "kernel"),
            numpy_helper.from_array(np.zeros((), np.float32), "zero"),
            numpy_helper.from_array(candidates.astype(np.float32), "candidates"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()

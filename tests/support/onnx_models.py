"""Tiny ONNX models with the inputs and outputs of a YOLO-seg export."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inspector.segment.decode import BOX_MARGIN


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
    A candidate of which no mask is to be seen in its box has the confidence 0.
    """
    columns = candidates.shape[1] != 38 and candidates.shape[2] != 38  # the raw head
    rows = candidates[0].T if columns else candidates[0]
    scores = np.zeros((1, rows.shape[1]), np.float32)
    scores[0, 4] = 1
    told = np.flatnonzero(rows.any(axis=1))[:16]  # the others are sure of nothing anyway
    told = told if len(told) else np.zeros(1, np.intp)
    places = np.zeros((len(rows), len(told)), np.float32)
    places[told, np.arange(len(told))] = 1
    coefficients = np.zeros((len(told), prototypes), np.float32)
    coefficients[:, :32] = rows[told, -32:][:, :prototypes]
    kernel = np.zeros((prototypes, 3, 4, 4), np.float32)
    for channel in range(min(3, prototypes)):
        kernel[channel, channel] = 1 / 16
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["prototypes"], strides=[4, 4]),
        helper.make_node("Reshape", ["prototypes", "flat"], ["cells"]),
        helper.make_node("MatMul", ["coefficients", "cells"], ["logits"]),
        helper.make_node("Mul", ["logits", "in_box"], ["own"]),
        helper.make_node("ReduceMax", ["own"], ["peaks"], axes=[1], keepdims=1),
        helper.make_node("Greater", ["peaks", "zero"], ["seen"]),
        helper.make_node("Cast", ["seen"], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["places", "weight"], ["weights"]),
        helper.make_node("Mul", ["weights", "of_scores"], ["kept"]),
        helper.make_node("Add", ["kept", "of_others"], ["factors"]),
        *(
            [helper.make_node("Transpose", ["factors"], ["turned"], perm=[1, 0])]
            if columns
            else [helper.make_node("Identity", ["factors"], ["turned"])]
        ),
        helper.make_node("Mul", ["candidates", "turned"], ["output0"]),
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
            numpy_helper.from_array(coefficients, "coefficients"),
            numpy_helper.from_array(np.array([prototypes, -1]), "flat"),
            numpy_helper.from_array(_in_box(rows[told], side, centred=columns), "in_box"),
            numpy_helper.from_array(places, "places"),
            numpy_helper.from_array(scores, "of_scores"),
            numpy_helper.from_array(1 - scores, "of_others"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _in_box(rows: np.ndarray, side: int, *, centred: bool) -> np.ndarray:
    """(n, cells): 1 where a candidate's mask may lie, as the decode cuts it."""
    first, second = rows[:, :2].astype(float), rows[:, 2:4].astype(float)
    low, high = (first - second / 2, first + second / 2) if centred else (first, second)
    at = np.arange(side // 4)
    low, high = np.floor((low - BOX_MARGIN) / 4), np.ceil((high + BOX_MARGIN) / 4)
    x, y = ((low[:, k, None] <= at) & (at < high[:, k, None]) for k in (0, 1))
    return (y[:, :, None] & x[:, None, :]).reshape(len(rows), -1).astype(np.float32)

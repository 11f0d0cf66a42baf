"""The seam between a model and the library that runs it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from inspector.errors import BundleError
from inspector.segment.decode import MAX_DETECTIONS, Outputs
from inspector.segment.manifest import Manifest
from inspector.types import Image


class Runtime(Protocol):
    """Runs a bundle's model on one input at a time."""

    @property
    def name(self) -> str:
        """Library, device and precision, as `openvino/CPU/f32`."""

    def infer(self, tile: Image) -> Outputs:
        """Run the model on a BGR picture (H, W, 3) uint8 of exactly the manifest's input size.

        Raises:
            InferenceError: the library failed.
        """


class FakeRuntime:
    """Answers every tile with the same outputs; `none` builds those that find nothing."""

    name = "fake/none/f32"

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.tiles: list[Image] = []

    @staticmethod
    def none(manifest: Manifest) -> Outputs:
        """Outputs of the right shape in which no candidate has any confidence."""
        shape = [1, MAX_DETECTIONS, MAX_DETECTIONS]
        shape[manifest.candidates_axis] = manifest.columns
        return Outputs(np.zeros(shape, np.float32), np.zeros(manifest.prototypes_shape, np.float32))

    def infer(self, tile: Image) -> Outputs:
        self.tiles.append(tile)
        return self.outputs


def check_shapes(
    manifest: Manifest, inputs: Sequence[Sequence[object]], outputs: Sequence[Sequence[object]]
) -> None:
    """Refuse a model whose tensors are not what its manifest says; a dynamic axis is no number.

    Raises:
        BundleError: naming the tensor, the expected and the found shape.
    """
    wanted = [1, 3, manifest.input.height, manifest.input.width]
    if [list(shape) for shape in inputs] != [wanted]:
        raise BundleError(f"model: expected one static input {wanted}, found {list(inputs)}")
    if len(outputs) != 2 or not all(isinstance(n, int) for shape in outputs for n in shape):
        raise BundleError(f"model: expected two static outputs, found {list(outputs)}")
    axis = manifest.candidates_axis
    if len(outputs[0]) != 3 or outputs[0][axis] != manifest.columns:
        raise BundleError(
            f"model: expected a {manifest.head} head with {manifest.columns} numbers "
            f"on axis {axis} of its first output, found {list(outputs[0])}"
        )
    if tuple(outputs[1]) != manifest.prototypes_shape:
        raise BundleError(
            f"model: expected prototypes {manifest.prototypes_shape}, found {list(outputs[1])}"
        )

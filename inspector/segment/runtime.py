"""The seam between a model and the library that runs it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inspector.errors import BundleError, InferenceError
from inspector.segment.manifest import Manifest
from inspector.types import Image

Floats = NDArray[np.float32]
Outputs = tuple[Floats, ...]
"""A model's answer to one input, in the order of its outputs: candidates and prototypes of a head
of instances, logits of a dense one. `Manifest.disagreement` knows the shapes."""


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
        """Outputs of the right shape in which nothing has any confidence."""
        if manifest.head == "dense":
            return (np.full(manifest.dense_shape, -20, np.float32),)
        shape = [1, 300, 300]
        shape[manifest.candidates_axis] = manifest.columns
        return np.zeros(shape, np.float32), np.zeros(manifest.prototypes_shape, np.float32)

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
    wrong = manifest.disagreement(outputs)
    if wrong:
        raise BundleError(f"model: {wrong}")


def check_outputs(outputs: Outputs, manifest: Manifest) -> None:
    """Refuse an answer from which nothing can be concluded.

    Raises:
        InferenceError: another shape than the manifest promises, or not finite.
    """
    wrong = manifest.disagreement([output.shape for output in outputs])
    if wrong:
        raise InferenceError(wrong)
    # A sum is finite only if every term is, and costs one pass without a temporary.
    if not all(np.isfinite(output.sum()) for output in outputs):
        raise InferenceError("expected finite outputs, found NaN or infinity")

"""What a model bundle says of itself: the manifest, as validated values. Pure."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MODEL = "model.onnx"
INT8, INT8_WEIGHTS = "model.int8.xml", "model.int8.bin"
"""The same model in 8 bits, which only OpenVINO reads; a bundle may do without."""
GOLDEN_INPUT = "golden.png"
GOLDEN_LABELS = "golden-labels.png"
MASK_COEFFICIENTS = 32
"""Prototype masks of every YOLO-seg head that we read."""
STRIDE = 4
"""Input pixels per prototype cell."""
DENSE_STRIDE = 2
"""Input pixels per cell of a dense answer."""

Head = Literal["end2end", "raw", "dense"]
Precision = Literal["f32", "bf16", "int8"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Input(_Section):
    """The static input: RGB / 255, NCHW. `pad` fills up frames smaller than the input."""

    width: Annotated[int, Field(gt=0, multiple_of=32)]
    height: Annotated[int, Field(gt=0, multiple_of=32)]
    channels: Literal["rgb"] = "rgb"
    divisor: Literal[255] = 255
    pad: Literal["reflect", "gray"] = "reflect"


class Golden(_Section):
    """Confidences of what is expected in golden.png; golden-labels.png has k + 1 on the k-th."""

    confidences: tuple[Annotated[float, Field(gt=0, le=1)], ...]


class Manifest(_Section):
    """What a bundle says of itself; `training` and `evaluation` are for people.

    `precisions` are those in which it was seen to judge as the net that was trained.
    """

    format: Literal["inspector.bundle/1"] = "inspector.bundle/1"
    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    task: Literal["segment", "semantic"] = "segment"
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    input: Input
    head: Head
    confidence: Annotated[float, Field(gt=0, lt=1)]
    overlap: Annotated[float, Field(gt=0, le=1)]
    golden: Golden
    precisions: Annotated[tuple[Precision, ...], Field(min_length=1)] = ("f32",)
    files: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*\.(onnx|xml|bin|png)$")], Sha256]
    training: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}

    @model_validator(mode="after")
    def _names_its_files(self) -> Self:
        missing = {MODEL, GOLDEN_INPUT, GOLDEN_LABELS} - self.files.keys()
        if missing:
            raise ValueError(f"expected files to name {', '.join(sorted(missing))}")
        return self

    @model_validator(mode="after")
    def _int8_has_a_model(self) -> Self:
        if "int8" in self.precisions and not {INT8, INT8_WEIGHTS} <= self.files.keys():
            raise ValueError(f"precisions: expected files {INT8} and {INT8_WEIGHTS} for int8")
        return self

    @model_validator(mode="after")
    def _int8_is_whole(self) -> Self:
        if len({INT8, INT8_WEIGHTS} & self.files.keys()) == 1:
            raise ValueError(f"expected files to name both of {INT8} and {INT8_WEIGHTS}, or none")
        return self

    @model_validator(mode="after")
    def _head_serves_the_task(self) -> Self:
        if (self.head == "dense") != (self.task == "semantic"):
            raise ValueError(
                "expected the head dense for the task semantic, raw or end2end for segment; "
                f"found {self.head} for {self.task}"
            )
        if self.head == "dense" and len(self.classes) != 1:
            raise ValueError(f"expected one class of a dense head, found {len(self.classes)}")
        return self

    @property
    def columns(self) -> int:
        """Numbers per candidate in the head's output."""
        scores = 2 if self.head == "end2end" else len(self.classes)
        return 4 + scores + MASK_COEFFICIENTS

    @property
    def candidates_axis(self) -> int:
        """Axis of the head's output on which `columns` numbers describe one candidate."""
        return 2 if self.head == "end2end" else 1

    @property
    def prototypes_shape(self) -> tuple[int, int, int, int]:
        """Shape of the prototypes, (1, 32, H/4, W/4)."""
        return (1, MASK_COEFFICIENTS, self.input.height // STRIDE, self.input.width // STRIDE)

    @property
    def dense_shape(self) -> tuple[int, int, int, int]:
        """Shape of a dense answer, (1, 1, H/2, W/2)."""
        return (1, 1, self.input.height // DENSE_STRIDE, self.input.width // DENSE_STRIDE)

    def disagreement(self, shapes: Sequence[Sequence[object]]) -> str | None:
        """What is wrong with the shapes of a model's outputs, None if they are this head's."""
        found = f"found {[list(shape) for shape in shapes]}"
        if self.head == "dense":
            wanted = [list(self.dense_shape)]
            return (
                None
                if [list(shape) for shape in shapes] == wanted
                else f"expected a dense head's output {wanted}, {found}"
            )
        if len(shapes) != 2 or not all(isinstance(n, int) for shape in shapes for n in shape):
            return f"expected two static outputs, {found}"
        candidates, prototypes = shapes
        axis = self.candidates_axis
        if len(candidates) != 3 or candidates[0] != 1 or candidates[axis] != self.columns:
            return (
                f"expected a {self.head} head with {self.columns} numbers per candidate "
                f"on axis {axis} of its first output, {found}"
            )
        if tuple(prototypes) != self.prototypes_shape:
            return f"expected prototypes {self.prototypes_shape}, {found}"
        return None

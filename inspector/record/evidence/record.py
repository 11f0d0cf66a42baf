"""The record of one part that is kept: its pictures by their hashes, its result, and what it was
judged by. Pure.

Records form a chain: each one names the hash of the file of the one before it, so none can be
altered, put in or left out later without all that follow being written anew.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inspector.config import LineConfig, ModelConfig
from inspector.errors import EvidenceError
from inspector.keeping import Kept
from inspector.limits import Limits, Scale
from inspector.strictyaml import list_to_tuple
from inspector.types import Result
from inspector.windows import Sight

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,128}$", description="it names files")]
Box = Annotated[tuple[int, int, int, int] | None, BeforeValidator(list_to_tuple)]
Extent = Annotated[tuple[int, int] | None, BeforeValidator(list_to_tuple)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


class Attached(_Strict):
    """A file beside the record: its name, hash and size."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,128}\.[a-z]{3,4}$")]
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]

    @classmethod
    def of(cls, file: str, data: bytes) -> Self:
        """As it describes `data`."""
        return cls(file=file, sha256=fingerprint(data), size_bytes=len(data))


class Exact(_Strict):
    """The measures of one scratch to the last bit; in the message they are rounded."""

    length_px: float
    width_px: float
    max_width_px: float
    area_px: int
    length_mm: float | None
    width_mm: float | None
    branches_px: float | None = None
    """None: it was not told then."""


def _none_was_null(limits: Any) -> Any:
    """Limits as records hold them, whose zones had null for `none` once."""
    zones = limits.get("zones") if isinstance(limits, dict) else None
    if not isinstance(zones, list):
        return limits
    return {**limits, "zones": [_with_none(zone) for zone in zones]}


def _with_none(zone: Any) -> Any:
    was_null = isinstance(zone, dict) and zone.get("limits", ...) is None
    return {**zone, "limits": "none"} if was_null else zone


class Judging(_Strict):
    """What a part was judged by, enough to judge its picture again.

    `mark`: the reference that had to be in view, a PNG in base64. `versions`: of what computes.
    """

    roi: Box
    size: Extent
    scale: Scale | None
    sight: Sight
    mark: str | None
    limits: Annotated[Limits, BeforeValidator(_none_was_null)]
    model: ModelConfig
    versions: dict[str, str]

    @classmethod
    def of(
        cls,
        config: LineConfig,
        size: tuple[int, int] | None,
        mark: NDArray[np.uint8] | None,
        versions: dict[str, str],
    ) -> Self:
        """As the line's configuration says, with the size that its frames have to have, be it only
        of the first one, and the mark (H, W) that was loaded for it.
        """
        return cls(
            roi=config.camera.roi,
            size=size,
            scale=config.scale,
            sight=config.sight,
            mark=None if mark is None else base64.b64encode(to_png(mark)).decode(),
            limits=config.limits,
            model=config.model,
            versions=versions,
        )

    def with_size(self, size: tuple[int, int] | None) -> Self:
        """The same for frames that have to be of this size: itself, unless that is news."""
        return self if size == self.size else self.model_copy(update={"size": size})

    def mark_picture(self) -> NDArray[np.uint8] | None:
        """The mark (H, W), if there was one.

        Raises:
            EvidenceError: it is not a picture.
        """
        return None if self.mark is None else to_image(base64.b64decode(self.mark))


class Record(_Strict):
    """What is written of one part. `number` and `previous`, the hash of the record before it, are
    None for one that is held among the last parts only: it is not of the chain.
    """

    schema_id: Literal["inspector.evidence/1"] = Field(
        default="inspector.evidence/1", alias="schema"
    )
    id: Id
    number: Annotated[int, Field(ge=1)] | None
    previous: Sha256 | None
    kept: Kept
    picture: Attached | None
    overlay: Attached | None
    result: dict[str, Any]
    exact: tuple[Exact, ...]
    judging: Judging

    @classmethod
    def parse(cls, data: bytes, *, name: str) -> Self:
        """Read a record's file; `name` stands in errors.

        Raises:
            EvidenceError: it is none.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            defect = error.errors()[0]
            place = ".".join(map(str, defect["loc"])) or "the file"
            raise EvidenceError(
                f"{name}: {place}: expected a record, found: {defect['msg']}"
            ) from None

    def encode(self) -> bytes:
        """The bytes of its file."""
        tree = self.model_dump(mode="json", by_alias=True)
        return (json.dumps(tree, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Files:
    """The attached files of one record, in memory."""

    picture: bytes | None
    overlay: bytes | None


def fingerprint(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def exact(result: Result) -> tuple[Exact, ...]:
    """The measures of a result as they were computed."""
    return tuple(
        Exact(
            length_px=scratch.length_px,
            width_px=scratch.width_px,
            max_width_px=scratch.max_width_px,
            area_px=scratch.area_px,
            length_mm=scratch.length_mm,
            width_mm=scratch.width_mm,
            branches_px=scratch.branches_px,
        )
        for scratch in result.scratches
    )


def to_png(image: NDArray[Any]) -> bytes:
    """The picture without loss. OpenCV's own settings: of all that it offers they are the fastest,
    36 to 55 ms for 1920 × 1080 px, 1 to 3 MiB; a higher level takes four times as long.

    Raises:
        EvidenceError: no picture that a PNG can hold.
    """
    return _encode(".png", image)


def to_jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """The picture for people.

    Raises:
        EvidenceError: no picture that a JPEG can hold.
    """
    return _encode(".jpg", image, cv2.IMWRITE_JPEG_QUALITY, quality)


def _encode(suffix: str, image: NDArray[Any], *settings: int) -> bytes:
    try:
        done, data = cv2.imencode(suffix, image, settings)
    except cv2.error as error:
        raise EvidenceError(f"expected a picture, found {image.shape} {image.dtype}") from error
    if not done:
        raise EvidenceError(f"expected a picture, found {image.shape} {image.dtype}")
    return data.tobytes()


def to_image(data: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG, as they were.

    Raises:
        EvidenceError: it is none.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise EvidenceError("expected a picture, found bytes that are none")
    return np.asarray(image)

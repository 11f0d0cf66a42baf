"""The result message, as validated values, and its JSON. Pure.

One schema for `--json`, MQTT, the outbox and the page. Within `/1` a field never changes its
meaning. Neither NaN nor infinity can be written, and a `pass` needs a picture and no reason.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
    with_config,
)
from typing_extensions import TypedDict  # pydantic cannot read typing's before Python 3.12

from inspector.limits import Limits
from inspector.types import Result, Rule, Verdict

DECIMALS = 3  # finer than any measure is true, and coarser than a float's noise
FINE_DECIMALS = 6  # a measure in mm or mm² may be small in its unit


def _write_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    AwareDatetime,
    PlainSerializer(_write_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant: on the wire RFC 3339, UTC, milliseconds."""

_ROUND = AfterValidator(lambda number: round(number, DECIMALS))
_ROUND_FINE = AfterValidator(lambda number: round(number, FINE_DECIMALS))
Number = Annotated[float, _ROUND]
Fine = Annotated[float, _ROUND_FINE]
Measure = Annotated[float, Field(ge=0), _ROUND]
FineMeasure = Annotated[float, Field(ge=0), _ROUND_FINE]
Share = Annotated[float, Field(ge=0, le=1), _ROUND]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="hash of the model file")]

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Message(BaseModel):
    """Base of every object in a message: strict, frozen, without unknown fields or NaN."""

    model_config = _STRICT | ConfigDict(
        frozen=True,
        from_attributes=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


class ImageSize(Message):
    """Size of the camera frame, px."""

    width: Annotated[int, Field(gt=0, description="px")]
    height: Annotated[int, Field(gt=0, description="px")]


class ReasonMessage(Message):
    """One condition for passing that was not met, or could not be checked."""

    rule: Rule = Field(description="the limit that was reached, or what prevented judging")
    value: Fine | None = Field(description="what was found, in `unit`")
    limit: float | None = Field(
        description="the smallest value that does not pass, of a distance the largest, in `unit`"
    )
    unit: str | None = Field(description="unit of `value` and `limit`: px, px2, mm, ms, …")
    zone: str | None = Field(description="name of the zone whose limit it is, null: the line's own")
    margin: Fine | None = Field(
        default=None, description="room that is left to the limit, in `unit`; negative: beyond it"
    )
    marginal: bool = Field(default=False, description="it is within the guard band of its limit")
    kind: str | None = Field(
        default=None, alias="class", description="name of the class whose limit it is, null: any"
    )


class ScratchMessage(Message):
    """One physical defect. Lengths are px of the camera frame; `*_mm` is null without a scale."""

    length_px: Measure = Field(description="px along the curve, from tip to tip")
    width_px: Measure = Field(description="px, median of the local width")
    max_width_px: Measure = Field(description="px, maximum of the local width")
    area_px: Count = Field(description="px², number of pixels")
    length_mm: FineMeasure | None = Field(description="mm along the curve")
    width_mm: FineMeasure | None = Field(description="mm, median of the local width")
    confidence: Share = Field(description="of the model, 0 … 1")
    fragments: Annotated[int, Field(ge=1)] = Field(description="detections joined to this scratch")
    zone: str | None = Field(description="name of the zone of the part that it lies in")
    polygon: tuple[tuple[int, int], ...] = Field(
        description="outer contour as [x, y], px of the camera frame, origin at its top left"
    )
    branches_px: Measure | None = Field(
        default=None, description="px of all branches together, beside the longest way `length_px`"
    )
    refined: bool | None = Field(
        default=None,
        description="most of it was measured where the picture shows it; false: width and outline "
        "are the model's",
    )
    kind: str | None = Field(default=None, alias="class", description="the model's class")


@with_config(_STRICT)
class RulesInForce(TypedDict, total=False):
    """Limits of scratches; one that is not set is left out."""

    min_scratch_px: Annotated[float, Field(gt=0, description="px, shortest length that fails")]
    min_scratch_mm: Annotated[float, Field(gt=0, description="mm, shortest length that fails")]
    min_scratch_width_px: Annotated[float, Field(gt=0, description="px, smallest width that fails")]
    min_scratch_width_mm: Annotated[float, Field(gt=0, description="mm, smallest width that fails")]
    min_scratch_area_px: Annotated[float, Field(gt=0, description="px², smallest area that fails")]
    min_scratch_area_mm: Annotated[float, Field(gt=0, description="mm², smallest area that fails")]
    min_scratch_count: Annotated[int, Field(ge=1, description="smallest number that fails")]
    min_scratch_density_px: Annotated[
        float,
        Field(
            gt=0, description="px of lengths and branches per 1000 × 1000 px, smallest that fails"
        ),
    ]
    min_scratch_density_mm: Annotated[
        float, Field(gt=0, description="mm of lengths and branches per cm², smallest that fails")
    ]
    min_scratch_distance_px: Annotated[
        float, Field(gt=0, description="px between two scratches, largest that fails")
    ]
    min_scratch_distance_mm: Annotated[
        float, Field(gt=0, description="mm between two scratches, largest that fails")
    ]


@with_config(_STRICT)
class ZoneInForce(TypedDict):
    """A part of the frame with limits of its own."""

    name: str
    polygon: Annotated[
        tuple[tuple[int, int], ...], Field(description="corners as [x, y], px of the camera frame")
    ]
    limits: Annotated[
        RulesInForce | None,
        Field(
            description="in place of the line's own on the same measures; null: nothing that lies "
            "wholly in it is judged"
        ),
    ]


@with_config(_STRICT)
class ClassInForce(TypedDict):
    """A class of the model with limits of its own."""

    name: str
    limits: Annotated[
        RulesInForce | None,
        Field(
            description="in place of all others on the same measures; null: nothing of this class "
            "is judged"
        ),
    ]


@with_config(_STRICT)
class GuardInForce(TypedDict):
    """The guard band, in which a result is marginal."""

    px: Annotated[float, Field(gt=0, description="px, uncertainty of a length")]
    policy: Literal["fail", "pass", "recheck"]


@with_config(_STRICT)
class LimitsInForce(RulesInForce, total=False):
    """The limits that were judged by; one that is not set is left out."""

    zones: tuple[ZoneInForce, ...]
    classes: tuple[ClassInForce, ...]
    guard: GuardInForce


class ModelInfo(Message):
    """The model that judged, and what ran it."""

    name: str = Field(description="name of the model bundle")
    sha256: Sha256
    runtime: str = Field(description="runtime/device/precision, such as openvino/CPU/int8")


class TimingMs(Message):
    """Milliseconds that each step took; `total` is from frame in to verdict out."""

    grab: Measure = Field(description="ms")
    look: Measure = Field(description="ms")
    segment: Measure = Field(description="ms")
    measure: Measure = Field(description="ms")
    decide: Measure = Field(description="ms")
    total: Measure = Field(description="ms")


class ResultMessage(Message):
    """The judgement of one part. `unknown` could not be judged and is physically a reject."""

    schema_: Literal["inspector.result/1"] = Field(default="inspector.result/1", alias="schema")
    id: str = Field(description="unique; a second message with the same id is the same result")
    seq: Count = Field(description="counts up by one per result of this device; shows gaps")
    time: Time = Field(description="when the part was judged, by the clock of the line PC")
    site: str = Field(description="the factory")
    line: str = Field(description="the line in it")
    source: str = Field(description="path of the file as given, or the camera's frame id")
    image: ImageSize | None = Field(description="null when no picture of the part was seen")
    verdict: Verdict = Field(description="pass: every condition for passing was proved")
    reasons: tuple[ReasonMessage, ...] = Field(description="empty exactly when the verdict is pass")
    scratches: tuple[ScratchMessage, ...]
    limits: LimitsInForce
    model: ModelInfo
    timing_ms: TimingMs
    historical: bool = Field(description="it waited in the outbox for a connection to the broker")
    evidence: str | None = Field(description="name of the stored picture of this result: its id")
    marginal: bool = Field(
        default=False,
        description="the verdict is what the policy of the guard band says: no limit was reached "
        "beyond doubt, and a value is that near to its limit",
    )

    @model_validator(mode="after")
    def _passes_only_what_was_seen(self) -> Self:
        if (self.verdict is Verdict.PASS) is not (not self.reasons):
            raise ValueError(
                "expected reasons exactly when the verdict is not pass, "
                f"found {self.verdict.value} with {len(self.reasons)} reasons"
            )
        if self.verdict is not Verdict.UNKNOWN and self.image is None:
            raise ValueError(f"expected an image, found {self.verdict.value} without one")
        return self


def result_message(
    result: Result,
    *,
    id: str,  # noqa: A002 - the field's name
    seq: int,
    time: datetime,
    site: str,
    line: str,
    limits: Limits,
    model: ModelInfo,
    historical: bool = False,
    evidence: str | None = None,
) -> ResultMessage:
    """The message of one judged part.

    Raises:
        ValueError: a number is not finite, or a pass has a reason or no picture.
    """
    size = result.size
    return ResultMessage(
        id=id,
        seq=seq,
        time=time,
        site=site,
        line=line,
        # A file name that is no UTF-8 arrives with lone surrogates, which JSON cannot carry.
        source=result.source.encode(errors="backslashreplace").decode(),
        image=None if size is None else ImageSize(width=size[0], height=size[1]),
        verdict=result.verdict,
        reasons=tuple(map(ReasonMessage.model_validate, result.reasons)),
        scratches=tuple(map(ScratchMessage.model_validate, result.scratches)),
        limits=limits_in_force(limits),
        model=model,
        timing_ms=TimingMs.model_validate(result.timing),
        historical=historical,
        evidence=evidence,
        marginal=result.marginal,
    )


def limits_in_force(limits: Limits) -> LimitsInForce:
    """The limits that are set."""
    told: dict[str, object] = dict(limits.given())
    if limits.zones:
        told["zones"] = tuple(
            {"name": z.name, "polygon": z.polygon, "limits": z.limits and dict(z.limits.given())}
            for z in limits.zones
        )
    if limits.classes:
        told["classes"] = tuple(
            {"name": c.name, "limits": c.limits and dict(c.limits.given())} for c in limits.classes
        )
    if limits.guard:
        told["guard"] = limits.guard.model_dump()
    return cast("LimitsInForce", told)


def encode(message: BaseModel) -> str:
    """Compact JSON."""
    return message.model_dump_json()

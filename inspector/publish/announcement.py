"""What the line says of itself beside its results: status, birth, count, alarm, stats. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from inspector.publish.message import (
    Count,
    LimitsInForce,
    Measure,
    Message,
    ModelInfo,
    Number,
    Time,
)

Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


class Online(Message):
    """What `status` says while the inspector is connected."""

    online: Literal[True] = True
    session: Count = Field(description="counts the starts of the inspector")
    state: str = Field(
        description="what the line does: starting, running, camera_lost, stopping; finished: all "
        "files are judged, and it waits until they are delivered"
    )
    delivery: Literal["confirmed", "assumed"] = Field(
        description="assumed: over MQTT 3.1.1 the broker cannot say that it refused a result"
    )


class Offline(Message):
    """What `status` says otherwise."""

    online: Literal[False] = False
    session: Count = Field(description="counts the starts of the inspector")
    reason: Literal["lost", "stopped"] = Field(
        description="lost: written by the broker as last will; stopped: a clean stop"
    )


class BirthMessage(Message):
    """What is running, sent at each connection."""

    time: Time = Field(description="when the inspector connected")
    session: Count = Field(description="counts the starts of the inspector")
    device: str = Field(description="random name of this installation, first part of each id")
    versions: dict[str, str] = Field(description="of the inspector and what it runs on, by name")
    model: ModelInfo
    limits: LimitsInForce
    schemas: dict[str, str] = Field(description="id of each topic's schema, by topic")


class Totals(Message):
    """Numbers of judged parts."""

    parts: Count = 0
    passed: Count = Field(default=0, alias="pass")
    failed: Count = Field(default=0, alias="fail")
    unknown: Count = 0


class CountMessage(Message):
    """How many parts were judged."""

    session: Count = Field(description="counts the starts of the inspector")
    since_start: Totals = Field(description="since this session began")
    since_midnight: Totals = Field(description="since midnight in the time zone of the line PC")


class AlarmMessage(Message):
    """A trouble that lasts; an empty retained payload on the same topic says that it is over."""

    code: Code
    text: str
    since: Time


class LatencyMs(Message):
    """From frame in to verdict out, over the reported interval."""

    p50: Measure | None = Field(description="ms, null when no part was judged")
    p95: Measure | None = Field(description="ms, null when no part was judged")
    p99: Measure | None = Field(description="ms, null when no part was judged")


class EvidenceStats(Message):
    """Pictures that are kept. The hash is of the newest record, and through it of all before it:
    who has heard it can tell later whether any of them was altered (`inspector evidence verify`).
    """

    records: Count = Field(description="whose pictures are on the disk")
    size_bytes: Count
    dropped: Count = Field(description="parts since the start that should have been kept")
    number: Count = Field(description="of the newest record, 0 before the first")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None


class StatsMessage(Message):
    """How the line PC is doing."""

    time: Time
    rate_per_s: Measure = Field(description="judged parts per second")
    latency_ms: LatencyMs
    outbox_depth: Count = Field(description="results that the broker has not acknowledged yet")
    disk_free_bytes: Count
    temperature_c: Number | None = Field(description="°C of the processor, null if not readable")
    evidence: EvidenceStats | None = Field(
        default=None, description="null where the line keeps none"
    )


SCHEMAS = {
    name: f"inspector.{name}/1" for name in ("result", "status", "birth", "count", "alarm", "stats")
}
"""Schema id of each topic's messages, by topic."""

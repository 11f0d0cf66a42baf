"""What a bench says of the ways to run the model. Times are in ms, unless the name says s."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inspector.types import Timing

STAGES = ("look", "segment", "measure", "decide", "total")
WORTH = 1.1
"""By so much another way has to be faster before it is worth to leave what `auto` takes."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(*(round(v, 3) for v in np.percentile(values, [50, 95, 99]).tolist()))


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture, judged once. `infer`: the model alone on the same tiles."""

    timing: Timing
    infer: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: CPU and wall clock in s since its first verdict, memory in MB."""

    cpu_s: float
    wall_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Row:
    """One way to run the model.

    `overhead`: the whole inspection as a multiple of the model alone, median over the pictures.
    `cpu`: cores that it kept busy. `proved`: the bundle was seen to judge alike in it.
    """

    runtime: str
    proved: bool
    stages: dict[str, Spread]
    infer: Spread
    overhead: float
    parts_per_minute: float
    cpu: float
    rss_mb: float
    first_verdict_s: float


def row(
    runtime: str, proved: bool, judged: Sequence[Judged], usage: Usage, first_verdict_s: float
) -> Row:
    """The figures of at least one judged picture."""
    total = [j.timing.total for j in judged]
    return Row(
        runtime=runtime,
        proved=proved,
        stages={s: Spread.of([getattr(j.timing, s) for j in judged]) for s in STAGES},
        infer=Spread.of([j.infer for j in judged]),
        overhead=round(float(np.median([j.timing.total / j.infer for j in judged])), 3),
        parts_per_minute=round(60_000 / float(np.mean(total)), 1),
        cpu=round(usage.cpu_s / max(usage.wall_s, 1e-9), 2),
        rss_mb=round(usage.rss_mb, 1),
        first_verdict_s=round(first_verdict_s, 2),
    )


def fastest(rows: Sequence[Row]) -> Row:
    """Of those that were proved to judge alike, the one with the shortest 95th percentile."""
    return min((r for r in rows if r.proved), key=lambda r: r.stages["total"].p95)


def advice(rows: Sequence[Row], auto: str) -> str:
    """What to set, if `auto`'s choice is not the one to take."""
    best, mine = fastest(rows), next(r for r in rows if r.runtime == auto)
    gain = mine.stages["total"].p95 / best.stages["total"].p95
    if best.runtime == auto or gain < WORTH:
        return f"auto takes {auto}: keep it"
    library, _, precision = best.runtime.split("/")
    return (
        f"auto takes {auto}; {best.runtime} is {gain:.2f} times faster here: "
        f"set model: {{runtime: {library}, precision: {precision}}}"
    )

"""What is counted of a line's parts for a Prometheus; `moment` says how the line is.

Names have the unit in them and end in `_total` where they only grow; labels have few values, never
an id.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

import inspector
from inspector.publish.message import ModelInfo
from inspector.types import Result, Rule, Verdict

# Else each counter brings a second series, with the time of its start.
disable_created_metrics()  # type: ignore[no-untyped-call]

LINE = ("site", "line")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
PIXELS = (5, 10, 20, 30, 40, 60, 80, 120, 160, 240, 480, 960, 1920)
METRES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
STAGES = ("grab", "look", "segment", "measure", "decide")


class Metrics:
    """The metrics of one line, in a registry of its own. Any thread may ask while one counts."""

    def __init__(self, site: str, line: str, model: ModelInfo) -> None:
        self.registry = CollectorRegistry()
        self._at = (site, line)
        ProcessCollector(registry=self.registry)
        build = Info("inspector_build", "What runs.", LINE, registry=self.registry)
        build.labels(*self._at).info(
            {
                "version": inspector.__version__,
                "model": model.name,
                "model_hash": model.sha256,
                "runtime": model.runtime,
            }
        )
        self._parts = self._counter("parts", "Parts that were judged.", "verdict")
        self._rules = self._counter("rule_failures", "Why parts did not pass.", "rule")
        self._scratches = self._counter("defects", "Defects that were found.", "class", "zone")
        self._stages = self._histogram(
            "stage_duration_seconds", "What each step of judging took.", SECONDS, "stage"
        )
        self._total = self._histogram(
            "trigger_to_verdict_seconds", "From frame in to verdict out.", SECONDS
        )
        self._pixels = self._histogram(
            "scratch_length_pixels", "Along the curve, in pixels of the frame.", PIXELS
        )
        self._metres = self._histogram(
            "scratch_length_meters", "Along the curve, on a line with a scale.", METRES
        )
        for verdict in Verdict:  # so that the first one is seen as an increase
            self._parts.labels(*self._at, verdict)
        for rule in Rule:
            self._rules.labels(*self._at, rule)
        self._unrecorded = self._counter("unrecorded", "Parts rejected as they were not recorded.")
        self._unrecorded.labels(*self._at)

    def add(self, result: Result) -> None:
        """One part was judged and recorded."""
        self._parts.labels(*self._at, result.verdict).inc()
        for rule in {reason.rule for reason in result.reasons}:
            self._rules.labels(*self._at, rule).inc()
        for scratch in result.scratches:
            self._scratches.labels(*self._at, scratch.kind, scratch.zone or "").inc()
            self._pixels.labels(*self._at).observe(scratch.length_px)
            if scratch.length_mm is not None:
                self._metres.labels(*self._at).observe(scratch.length_mm / 1000)
        for stage in STAGES:
            self._stages.labels(*self._at, stage).observe(getattr(result.timing, stage) / 1000)
        self._total.labels(*self._at).observe(result.timing.total / 1000)

    def add_unrecorded(self) -> None:
        """One part was judged and could not be recorded: it does not pass."""
        self._unrecorded.labels(*self._at).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"inspector_{name}", text, (*LINE, *labels), registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"inspector_{name}", text, (*LINE, *labels), buckets=buckets, registry=self.registry
        )

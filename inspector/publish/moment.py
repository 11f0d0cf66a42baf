"""How a line is, as a Prometheus reads it: looked up when somebody asks, beside the judge.

What cannot be looked up is left out, so that it is missed rather than wrong.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from inspector import lines
from inspector.cameras.grabber import CameraState
from inspector.errors import ConfigError, OutboxError
from inspector.publish.metrics import LINE
from inspector.publish.publisher import Publisher
from inspector.record.evidence.writer import Evidence
from inspector.record.room import Room
from inspector.record.schema import OUTBOX
from inspector.record.survey import backlog


class Moment(Collector):
    """Of the line `told`; `camera` says how its camera is."""

    def __init__(
        self,
        told: lines.Line,
        camera: Callable[[], CameraState],
        publisher: Publisher,
        evidence: Evidence,
    ) -> None:
        config = told.config
        self._at = (config.site, config.line)
        self._path = told.path
        self._state_dir: Path = config.state_dir
        self._period_s = config.camera.every_ms / 1000
        self._keeps = config.evidence is not None
        self._camera = camera
        self._publisher = publisher
        self._evidence = evidence

    def describe(self) -> list[Metric]:
        """Nothing beforehand: it would look everything up."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of it, now."""
        yield from self._of_the_camera()
        yield from self._of_the_publisher()
        with suppress(OutboxError):
            yield from self._of_the_outbox()
        with suppress(OSError):
            room = Room.at(self._state_dir)
            yield self._gauge("disk_free_bytes", "Of the disk that results go to.", room.free)
            yield self._gauge("disk_size_bytes", "Of the same.", room.total)
        if self._keeps:
            yield from self._of_the_evidence()
        with suppress(ConfigError):
            records = lines.read_history(self._path).records
            if records:
                age_s = (datetime.now(UTC) - records[-1].time).total_seconds()
                yield self._gauge("calibration_age_seconds", "Since it last changed.", age_s)

    def _of_the_camera(self) -> Iterator[Metric]:
        camera = self._camera()
        yield self._gauge("camera_up", "Whether its last read gave a part.", camera.online)
        yield self._counter("frames", "Parts that the camera gave.", camera.frames)
        lost = "Parts of the camera that nobody judged: newer ones came before."
        yield self._counter("frames_lost", lost, camera.dropped, reason="overwritten")
        period = "One part per so many; 0: every frame is one, or as many as can be judged."
        yield self._gauge("part_period_seconds", period, self._period_s)
        yield self._counter("camera_reconnects", "How often it came back.", camera.reconnects)

    def _of_the_publisher(self) -> Iterator[Metric]:
        publisher = self._publisher
        yield self._gauge("state", "What the line does: its value is 1.", 1, state=publisher.state)
        yield self._gauge(
            "mqtt_connected", "Whether the broker is there and answers.", publisher.connected
        )
        delivered = "Results that the broker acknowledged."
        yield self._counter("results_delivered", delivered, publisher.delivered)
        alarms = GaugeMetricFamily(
            "inspector_alarm", "Alarms that stand: their value is 1.", labels=(*LINE, "code")
        )
        for alarm in publisher.alarms:
            alarms.add_metric((*self._at, alarm.code), 1)
        yield alarms

    def _of_the_outbox(self) -> Iterator[Metric]:
        waiting, since = backlog(self._state_dir / OUTBOX)
        age_s = max(0.0, (datetime.now(UTC) - since).total_seconds()) if since else 0.0
        yield self._gauge("outbox_messages", "Results that wait for the broker.", waiting)
        yield self._gauge("outbox_oldest_seconds", "For how long the oldest has waited.", age_s)

    def _of_the_evidence(self) -> Iterator[Metric]:
        state = self._evidence.state
        dropped = "Parts that should have been kept."
        yield self._gauge("evidence_records", "Parts that are kept.", state.records)
        yield self._gauge("evidence_bytes", "All that is kept of parts.", state.size_bytes)
        yield self._counter("evidence_dropped", dropped, state.dropped)

    def _gauge(self, name: str, text: str, value: float, **labels: str) -> Metric:
        family = GaugeMetricFamily(f"inspector_{name}", text, labels=(*LINE, *labels))
        family.add_metric((*self._at, *labels.values()), value)
        return family

    def _counter(self, name: str, text: str, value: float, **labels: str) -> Metric:
        family = CounterMetricFamily(f"inspector_{name}", text, labels=(*LINE, *labels))
        family.add_metric((*self._at, *labels.values()), value)
        return family

"""What a Prometheus reads of a line, over real HTTP, and that nobody who reads can disturb it."""

import contextlib
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from inspector import lines
from inspector.broker import free_port
from inspector.calibrate import record
from inspector.calibration import Calibrated
from inspector.cameras.grabber import CameraState
from inspector.config import MetricsConfig
from inspector.limits import Limits
from inspector.publish import scrape as scrape_module
from inspector.publish.message import ModelInfo
from inspector.publish.metrics import Metrics
from inspector.publish.moment import Moment
from inspector.publish.publisher import Publisher
from inspector.publish.scrape import Scrape
from inspector.publish.topics import Topics
from inspector.record.evidence.writer import Evidence
from inspector.record.outbox import Outbox
from inspector.types import Reason, Result, Rule, Scratch, Timing, Verdict
from tests.support.evidence import JUDGING

MODEL = ModelInfo(name="default", sha256="ab" * 32, runtime="openvino/CPU/f32")
SCRATCH = Scratch(57.0, 2.4, 3.9, 131, 0.87, ((1, 1),), length_mm=2.85, zone="display")
TOO_LONG = Reason(Rule.MIN_SCRATCH_PX, 57.0, 40.0, "px")
TIMING = Timing(grab=1, look=2, segment=14, measure=3, decide=0, total=20)
FAILED = Result("a", Verdict.FAIL, (TOO_LONG, TOO_LONG), (SCRATCH,), (9, 9), TIMING)
PASSED = Result("a", Verdict.PASS, (), (), (9, 9), TIMING)
CAMERA = CameraState(True, 0.0, "", 120, 3, 1, False, 0.0)
AT = {"site": "plant-a", "line": "line1"}

Values = Callable[..., float | None]


def read(text: str) -> Values:
    """A function that gives the value of a series by its name and labels."""
    families = list(text_string_to_metric_families(text))
    series = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    return lambda name, **labels: series.get((name, frozenset((AT | labels).items())))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("plant-a", "line1", MODEL)


def told(metrics: Metrics) -> Values:
    return read(generate_latest(metrics.registry).decode())


def test_parts_are_counted(metrics: Metrics) -> None:
    """By verdict, by rule once per part, by zone; lengths in metres, times in seconds."""
    for result in (FAILED, PASSED, PASSED):
        metrics.add(result)
    metrics.add_unrecorded()
    value = told(metrics)

    assert value("inspector_parts_total", verdict="fail") == 1
    assert value("inspector_parts_total", verdict="pass") == 2
    assert value("inspector_parts_total", verdict="unknown") == 0
    assert value("inspector_rule_failures_total", rule="min_scratch_px") == 1
    assert value("inspector_rule_failures_total", rule="too_dark") == 0
    assert value("inspector_defects_total", zone="display", **{"class": "scratch"}) == 1
    assert value("inspector_scratch_length_meters_sum") == pytest.approx(0.00285)
    assert value("inspector_scratch_length_meters_bucket", le="0.002") == 0
    assert value("inspector_scratch_length_meters_bucket", le="0.005") == 1
    assert value("inspector_scratch_length_pixels_bucket", le="60.0") == 1
    assert value("inspector_trigger_to_verdict_seconds_sum") == pytest.approx(0.06)
    assert value("inspector_stage_duration_seconds_sum", stage="segment") == pytest.approx(0.042)
    assert value("inspector_stage_duration_seconds_count", stage="look") == 3
    assert value("inspector_unrecorded_total") == 1
    assert "_created" not in generate_latest(metrics.registry).decode()


def test_it_says_what_runs(metrics: Metrics) -> None:
    """Version, model and runtime, as labels of a 1."""
    build = {"model": "default", "model_hash": "ab" * 32, "runtime": "openvino/CPU/f32"}
    text = generate_latest(metrics.registry).decode()
    (line,) = [row for row in text.splitlines() if row.startswith("inspector_build_info{")]
    for name, value in build.items():
        assert f'{name}="{value}"' in line
    assert line.endswith(" 1.0")


def test_counting_holds_nobody_up(metrics: Metrics) -> None:
    """It is a fraction of a millisecond per part."""
    metrics.add(FAILED)
    began_s = time.process_time()
    for _ in range(1000):
        metrics.add(FAILED)
    assert time.process_time() - began_s < 0.5


class Line:
    """What stands around the metrics in the daemon."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        path = folder / "line.yaml"
        path.write_text(
            "site: plant-a\nline: line1\nstate_dir: state\n"
            "camera: {source: 'folder:x', every_ms: 500}\n"
        )
        self.told = lines.read(path)
        self.camera = CAMERA
        self.outbox = Outbox(self.told.config.state_dir / "outbox.db")
        topics = Topics("plant-a", "line1")
        self.publisher = Publisher(
            self.told.config.mqtt,
            topics,
            self.outbox,
            model=MODEL,
            limits=Limits(),
            stats=lambda: None,
        )
        root = self.told.config.state_dir / "evidence"
        self.evidence = Evidence(self.told.config.evidence, root, JUDGING, self.publisher.alarm)
        moment = Moment(self.told, lambda: self.camera, self.publisher, self.evidence)
        metrics.registry.register(moment)


@pytest.fixture
def line(tmp_path: Path, metrics: Metrics) -> Iterator[Line]:
    line = Line(tmp_path, metrics)
    yield line
    line.publisher._bell.close()
    line.outbox.close()


def test_how_the_line_is(line: Line, metrics: Metrics) -> None:
    """Camera, broker, outbox, alarms, disk, evidence: as they are when somebody asks."""
    value = told(metrics)
    assert value("inspector_state", state="starting") == 1
    assert value("inspector_camera_up") == 1
    assert value("inspector_frames_total") == 120
    assert value("inspector_frames_lost_total", reason="overwritten") == 3
    assert value("inspector_part_period_seconds") == 0.5
    assert value("inspector_mqtt_connected") == 0
    assert value("inspector_outbox_messages") == 0
    assert value("inspector_outbox_oldest_seconds") == 0
    assert value("inspector_alarm", code="disk_low") is None
    assert 0 < value("inspector_disk_free_bytes") < value("inspector_disk_size_bytes")
    assert value("inspector_evidence_records") == 0
    assert value("inspector_calibration_age_seconds") is None

    line.camera = replace(CAMERA, online=False)
    line.publisher.connected = True
    line.publisher.set_state("camera_lost")
    line.publisher.alarm("disk_low", "9 % free")
    line.outbox.record("results", lambda _: "{}")
    record.add(line.told.path, Calibrated(min_scratch_px=50), by="test", dry_run=False)
    value = told(metrics)

    assert value("inspector_state", state="camera_lost") == 1
    assert value("inspector_state", state="starting") is None
    assert value("inspector_camera_up") == 0
    assert value("inspector_mqtt_connected") == 1
    assert value("inspector_outbox_messages") == 1
    assert 0 <= value("inspector_outbox_oldest_seconds") < 60
    assert value("inspector_alarm", code="disk_low") == 1
    assert 0 <= value("inspector_calibration_age_seconds") < 60


def test_what_cannot_be_read_is_left_out(line: Line, metrics: Metrics) -> None:
    """The rest is told all the same."""
    line.outbox.close()
    line.outbox.path.write_bytes(b"\x01" * 8192)
    lines.history_of(line.told.path).write_text("{}")
    value = told(metrics)

    assert value("inspector_outbox_messages") is None
    assert value("inspector_calibration_age_seconds") is None
    assert value("inspector_camera_up") == 1


class Served:
    """Metrics at a port, and the alarms that were raised."""

    def __init__(self, metrics: Metrics, port: int) -> None:
        self.alarms: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{port}/metrics"
        config = MetricsConfig(listen=f"127.0.0.1:{port}")
        self.scrape = Scrape(config, metrics.registry, lambda *told: self.alarms.append(told))

    def get(self) -> str:
        deadline = time.monotonic() + 15
        while True:
            try:
                with urllib.request.urlopen(self.url, timeout=15) as answer:
                    assert answer.headers["Content-Type"].startswith("text/plain")
                    return answer.read().decode()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.fixture
def served(metrics: Metrics) -> Iterator[Served]:
    served = Served(metrics, free_port())
    served.scrape.start()
    yield served
    served.scrape.stop()


def test_they_are_read_over_http(served: Served, metrics: Metrics) -> None:
    """As a Prometheus does."""
    metrics.add(PASSED)

    assert read(served.get())("inspector_parts_total", verdict="pass") == 1
    assert {text for _, text in served.alarms} == {None}


def test_who_is_slow_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one waits no longer than that, whether it says nothing or a little at a time."""
    monkeypatch.setattr(scrape_module, "SLOW_S", 0.3)
    served.get()
    address = ("127.0.0.1", int(served.url.split(":")[2].split("/")[0]))
    with socket.create_connection(address) as slow, socket.create_connection(address) as silent:
        slow.sendall(b"GET /metrics HTT")
        assert "inspector_parts_total" in served.get()
        assert silent.fileno() >= 0
    with socket.create_connection(address) as dripping:
        ended = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not ended.wait(0.05):
                    dripping.sendall(b"G")

        thread = threading.Thread(target=drip)
        thread.start()
        time.sleep(0.1)  # so that it is the first
        began_s = time.monotonic()
        assert "inspector_parts_total" in served.get()
        assert time.monotonic() - began_s < 2.0
        ended.set()
        thread.join()


def test_a_port_that_is_taken_is_an_alarm(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And healed without a start once it is free."""
    monkeypatch.setattr(scrape_module, "AGAIN_S", 0.1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        served = Served(metrics, taken.getsockname()[1])
        served.scrape.start()
        deadline = time.monotonic() + 15
        while served.alarms[-1][1] is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert served.alarms[-1][0] == "metrics"
        assert "in use" in served.alarms[-1][1]
    assert "inspector_build_info" in served.get()
    assert served.alarms[-1] == ("metrics", None)
    served.scrape.stop()


def test_without_the_key_nothing_listens(metrics: Metrics) -> None:
    """It is off unless the line says otherwise."""
    scrape = Scrape(None, metrics.registry, lambda *_: None)
    before = set(threading.enumerate())
    scrape.start()
    assert set(threading.enumerate()) <= before
    scrape.stop()

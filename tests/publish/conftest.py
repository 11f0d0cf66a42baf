"""A line with an outbox and a publisher, and brokers to publish to."""

import time
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest

from inspector.broker import Broker, find_mosquitto
from inspector.config import MqttConfig
from inspector.limits import Limits
from inspector.publish.announcement import LatencyMs, StatsMessage
from inspector.publish.message import ModelInfo, encode, result_message
from inspector.publish.publisher import Publisher
from inspector.publish.topics import Topics
from inspector.record.outbox import Outbox
from inspector.types import Reason, Result, Rule, Timing, Verdict
from tests.support.listener import Listener

TOPICS = Topics("plant-a", "line1")
MODEL = ModelInfo(name="default", sha256="ab" * 32, runtime="openvino/CPU/f32")
RESULT = Result("1.png", Verdict.UNKNOWN, (Reason(Rule.NO_FRAME),), (), None, Timing())
PATIENCE_S = 15.0


def until(condition, timeout_s=PATIENCE_S):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def stats():
    latency = LatencyMs(p50=None, p95=None, p99=None)
    return StatsMessage(
        time=datetime.now(UTC),
        rate_per_s=0.0,
        latency_ms=latency,
        outbox_depth=0,
        disk_free_bytes=0,
        temperature_c=None,
    )


class Line:
    """A line that records; its publisher is made when its broker is known."""

    def __init__(self, folder):
        self.outbox = Outbox(folder / "outbox.db")
        self.publisher = None

    def record(self, count=1, topic=TOPICS.result):
        return [self.outbox.record(topic, self._payload).id for _ in range(count)]

    def _payload(self, ticket):
        message = result_message(
            RESULT,
            id=ticket.id,
            seq=ticket.seq,
            time=datetime.now(UTC),
            site=TOPICS.site,
            line=TOPICS.line,
            limits=Limits(),
            model=MODEL,
        )
        return encode(message)

    def publish(self, stats=stats, **config):
        self.publisher = Publisher(
            MqttConfig(**config), TOPICS, self.outbox, model=MODEL, limits=Limits(), stats=stats
        )
        self.publisher.start()
        return self.publisher


@pytest.fixture
def line(tmp_path):
    line = Line(tmp_path)
    with closing(line.outbox):
        yield line
        if line.publisher is not None:
            line.publisher.stop(0.0)


@pytest.fixture
def mosquitto():
    """Starts Mosquittos that speak MQTT 5, with more lines of configuration."""
    if find_mosquitto() is None:
        pytest.skip("needs MQTT 5: no mosquitto is installed")
    brokers = []

    def start(*extra, port=None):
        brokers.append(Broker.start("mosquitto", port=port, extra=extra))
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.stop()


@pytest.fixture(params=[("mosquitto", 5), ("mosquitto", "3.1.1"), ("amqtt", "3.1.1")], ids=str)
def dialect(request):
    """A broker and a version that it speaks, as the publisher's configuration."""
    kind, version = request.param
    if kind == "mosquitto" and find_mosquitto() is None:
        pytest.skip("needs mosquitto, which is not installed")
    with Broker.start(kind) as broker:
        yield {"port": broker.port, "version": version}


@pytest.fixture
def listen():
    """Starts listeners."""
    listeners = []

    def start(port):
        listeners.append(Listener(port))
        return listeners[-1]

    yield start
    for listener in listeners:
        with suppress(OSError):
            listener.close()


def results(listener):
    return listener.on("result")


def ids(listener):
    return [message["id"] for message in results(listener)]

"""A cable is pulled somewhere behind a switch: both ends believe in their connection for ever."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inspector.broker import find_mosquitto
from inspector.cameras import Grabber, RtspCamera
from inspector.config import MqttConfig
from inspector.limits import Limits
from inspector.publish import publisher
from inspector.publish.publisher import Publisher
from inspector.publish.suspicion import ENOUGH
from tests.publish.conftest import MODEL, TOPICS, Line, stats, until
from tests.support import rtsp
from tests.support.cable import THERE, Cable, missing
from tests.support.rtsp import RtspServer

NOTICED_S, HEALED_S = 2.0, 10.0
SLACK_S = 1.0  # for a machine that runs other tests beside this one


@pytest.fixture
def cable() -> Iterator[Cable]:
    needed = missing()
    if needed:
        pytest.skip(f"needs {needed}")
    with Cable() as laid:
        yield laid


@pytest.fixture
def far_broker(cable: Cable, tmp_path: Path) -> Iterator[int]:
    """A Mosquitto at the other end; yields its port."""
    program = find_mosquitto()
    if program is None:
        pytest.skip("needs mosquitto")
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener 1883 {THERE}\nallow_anonymous true\nuser root\n")
    with subprocess.Popen([*cable.at_the_far_end, program, "-c", str(config)]) as broker:
        yield 1883
        broker.kill()


def started(line: Line, port: int) -> Publisher:
    """What publishes to the far broker, without TLS."""
    config = MqttConfig(port=port).model_copy(update={"host": THERE})
    publishing = Publisher(config, TOPICS, line.outbox, model=MODEL, limits=Limits(), stats=stats)
    publishing.start()
    return publishing


def test_a_broker_behind_a_pulled_cable_is_noticed_and_gets_all(
    cable: Cable, far_broker: int, tmp_path: Path
) -> None:
    """Within 2 s of a result; what was recorded meanwhile leaves once the cable is plugged in."""
    line = Line(tmp_path)
    with closing(line.outbox):
        publishing = started(line, far_broker)
        line.record(3)
        publishing.notify()
        until(lambda: publishing.connected and line.outbox.depth() == 0)

        cable.pull(True)
        line.record(3)
        publishing.notify()
        pulled_s = time.monotonic()
        until(lambda: not publishing.connected)
        assert time.monotonic() - pulled_s < NOTICED_S + SLACK_S
        line.record(3)
        assert line.outbox.depth() == 6

        cable.pull(False)
        plugged_s = time.monotonic()
        until(lambda: publishing.connected and line.outbox.depth() == 0)
        assert time.monotonic() - plugged_s < HEALED_S + SLACK_S
        assert publishing.delivered == 9
        publishing.stop(0.0)


def test_a_cable_that_is_pulled_again_and_again_refuses_nothing(
    cable: Cable, far_broker: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it takes the connection with the same result under way."""
    monkeypatch.setattr(publisher, "RETRY_MAX_S", 0.5)
    line = Line(tmp_path)
    with closing(line.outbox):
        publishing = started(line, far_broker)
        for number in range(ENOUGH + 1):
            until(lambda: publishing.connected and line.outbox.depth() == 0)
            cable.pull(True)
            line.record(1 if number % 2 else 3)
            publishing.notify()
            until(lambda: not publishing.connected)
            assert line.outbox.depth()
            cable.pull(False)
        until(lambda: publishing.connected and line.outbox.depth() == 0)
        assert line.outbox.refused() == 0
        publishing.stop(0.0)


def test_a_camera_behind_a_pulled_cable_is_noticed_and_heals(cable: Cable) -> None:
    """Twice, with the same grabber."""
    needed = rtsp.missing()
    if needed:
        pytest.skip(f"needs {needed}")
    server = RtspServer(THERE, cable.at_the_far_end)
    server.start()
    grabber = Grabber(RtspCamera(server.url, timeout_s=1.5))
    grabber.start()
    try:
        for _ in range(2):
            until(lambda: grabber.state.online)
            cable.pull(True)
            pulled_s = time.monotonic()
            until(lambda: not grabber.state.online)
            assert time.monotonic() - pulled_s < NOTICED_S + SLACK_S
            assert grabber.take(0) is None
            cable.pull(False)
            plugged_s = time.monotonic()
            until(lambda: grabber.state.online)
            assert time.monotonic() - plugged_s < HEALED_S + SLACK_S
    finally:
        assert grabber.stop(5)
        server.kill()

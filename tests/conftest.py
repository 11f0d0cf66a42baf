"""What all tests share."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import settings

from inspector.broker import Broker
from inspector.segment.runtime import FakeRuntime
from tests.support.bundles import manifest_of, write_bundle
from tests.support.daemon import Start
from tests.support.disk import SmallDisk
from tests.support.listener import Listener
from tests.support.machine import NO_RIGHT
from tests.support.onnx_models import tiny
from tests.support.rtsp import RtspServer, missing

SIDE = 640

# How long an example takes says something of the machine, not of the code.
settings.register_profile("inspector", deadline=None)
settings.load_profile("inspector")

# A shell has what it starts in the background ignore it, and what tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

SKIP_NOTHING = "INSPECTOR_TESTS_SKIP_NOTHING"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything that tests need was installed, a skipped test is a failed run.

    But for what cannot be installed: the right to make a machine of one's own in this one.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get(SKIP_NOTHING) and any(NO_RIGHT not in str(s.longrepr) for s in skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that calls what is red between (100, 100) and (300, 108) a scratch."""
    candidates = FakeRuntime.none(manifest_of("end2end", SIDE))[0]
    candidates[0, 0, :7] = 100, 100, 300, 108, 0.9, 0, 1
    return write_bundle(
        tmp_path_factory.mktemp("model"), tiny(candidates, side=SIDE), side=SIDE
    ).root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A scratched part, a good one, and a file that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    bad = np.zeros((400, 400, 3), np.uint8)
    bad[:, :, 0] = np.arange(400) % 200
    good = bad.copy()
    bad[100:108, 100:300, 2] = 255
    cv2.imwrite(str(folder / "bad.png"), bad)
    cv2.imwrite(str(folder / "good.png"), good)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mounted where the state of the line goes."""
    try:
        disk = SmallDisk(tmp_path / "state")
    except PermissionError as refused:
        pytest.skip(str(refused))
    yield disk
    disk.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A Mosquitto if there is one, else amqtt."""
    with Broker.start() as started:
        yield started


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    """What a dashboard sees."""
    listening = Listener(broker.port)
    yield listening
    listening.close()


@pytest.fixture(scope="session")
def _rtsp_works() -> None:
    needed = missing()
    if needed:
        pytest.skip(f"needs {needed}")


@pytest.fixture
def rtsp_server(_rtsp_works: None) -> Iterator[RtspServer]:
    """A network camera at `rtsp_server.url`."""
    server = RtspServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def start(tmp_path: Path, pictures: Path, model: Path, broker: Broker) -> Iterator[Start]:
    """Starts the daemon over the folder of pictures; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(mqtt: dict[str, object] | None = None, **camera: object) -> subprocess.Popen[str]:
        line = {
            "site": "plant-a",
            "line": "line1",
            "camera": {"source": f"folder:{pictures}", **camera},
            "model": {"bundle": str(model)},
            "mqtt": {"port": broker.port, "version": broker.mqtt_version} | (mqtt or {}),
            "evidence": {"pass_one_in": 0},  # no part is kept by chance
        }
        path = tmp_path / "line.yaml"
        path.write_text(yaml.safe_dump(line))
        command = [sys.executable, "-m", "inspector", "run", "--config", str(path)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()

"""Pictures, a clock and a real RTSP server for the tests of cameras."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from inspector.types import Frame, Image

SERVER = Path(__file__).parent.parent / "support" / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert Gst.ElementFactory.find('x264enc') or Gst.ElementFactory.find('jpegenc')"
)


def eventually(condition: Callable[[], object], within_s: float = 5.0) -> float:
    """Poll until the condition holds; how many seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, "expected this to come true in time"
        time.sleep(0.005)
    return time.monotonic() - started


def frame(gray: int = 0, source: str = "test") -> Frame:
    return Frame(np.full((4, 4, 3), gray, np.uint8), source, 0.0)


def checker(width: int = 64, height: int = 48) -> Image:
    """A picture in which each corner has a colour of its own."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    return image


class RtspServer:
    """The process that plays the network camera."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self, *login: str) -> None:
        """Start, on the same port as before."""
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER), str(self.port), *login],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "expected the RTSP server to print its port"
        self.port = int(line)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/line1"

    def freeze(self) -> None:
        """Keep the connection and send nothing more, as a camera whose cable was pulled."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def _rtsp_works() -> None:
    probe = [SYSTEM_PYTHON, "-c", PROBE]
    if not Path(SYSTEM_PYTHON).exists() or not _succeeds(probe):
        pytest.skip(
            "needs apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-ugly"
        )


@pytest.fixture
def rtsp_server(_rtsp_works: None) -> Iterator[RtspServer]:
    server = RtspServer()
    server.start()
    yield server
    server.kill()

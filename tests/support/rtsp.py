"""The process that plays a network camera, and whether it can run here."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

SERVER = Path(__file__).parent / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert Gst.ElementFactory.find('x264enc') or Gst.ElementFactory.find('jpegenc')"
)


def missing() -> str | None:
    """What to install before the server can run; None if it can."""
    probe = [SYSTEM_PYTHON, "-c", PROBE]
    if (
        Path(SYSTEM_PYTHON).exists()
        and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    ):
        return None
    return "apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-ugly"


class RtspServer:
    """The process that plays the network camera."""

    def __init__(self, host: str = "127.0.0.1", prefix: Sequence[str] = ()) -> None:
        """`prefix`: what to write before the command, where it runs elsewhere."""
        self.port = 0
        self._host, self._prefix = host, prefix
        self._process: subprocess.Popen[str] | None = None

    def start(self, *login: str) -> None:
        """Start, on the same port as before."""
        self._process = subprocess.Popen(
            [*self._prefix, SYSTEM_PYTHON, str(SERVER), self._host, str(self.port), *login],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "expected the RTSP server to print its port"
        self.port = int(line)

    @property
    def url(self) -> str:
        return f"rtsp://{self._host}:{self.port}/line1"

    def freeze(self) -> None:
        """Keep the connection and send nothing more, as a camera whose cable was pulled."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

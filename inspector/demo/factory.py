"""The line of the demo: its broker, its conveyor, and the real daemon as a process."""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from inspector.broker import Broker
from inspector.config import MqttConfig
from inspector.demo.conveyor import MIN_SHARPNESS, Conveyor
from inspector.secret import hashed

SITE, LINE = "demo", "conveyor"
EVERY_MS = 700  # slow enough to read along
PIN = "1234"
STOP_S = 15.0


class Factory:
    """All of it below `folder`; `page` is where the operator's page listens, HOST:PORT, and it may
    be shown in a frame of the addresses `framed_by`.
    """

    def __init__(self, folder: Path, broker: Broker, *, page: str, framed_by: list[str]) -> None:
        self._broker: Broker | None = broker
        self._kind = broker.kind
        self.mqtt = MqttConfig(host=broker.host, port=broker.port, version=broker.mqtt_version)
        self.conveyor = Conveyor(folder)
        (folder / "pin").write_text(hashed(PIN), encoding="utf-8")
        line = {
            "site": SITE,
            "line": LINE,
            "camera": {"source": "folder:camera", "loop": True, "every_ms": EVERY_MS},
            "sight": {"min_sharpness": MIN_SHARPNESS},
            "mqtt": self.mqtt.model_dump(include={"host", "port", "version"}),
            "page": {"listen": page, "pin_file": "pin", "framed_by": framed_by},
        }
        self.config = folder / "line.yaml"
        self.config.write_text(yaml.safe_dump(line), encoding="utf-8")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inspector", "run", "--config", str(self.config)],
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the daemon
            )

    def stop_broker(self, stopped: bool) -> None:
        """Stop the broker, or start it again at the same port.

        Raises:
            BrokerError: it does not start.
        """
        if stopped and self._broker is not None:
            self._broker.stop()
            self._broker = None
        elif not stopped and self._broker is None:
            self._broker = Broker.start(self._kind, port=self.mqtt.port)

    def fill_disk(self, full: bool) -> None:
        """Let the daemon find no room on the disk, or room again.

        This disk is not touched: the kernel refuses every write of that process to a file, as it
        would on a full disk.
        """
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0 if full else most, most))

    def end(self, then: Callable[[], None]) -> None:
        """Wait until the daemon has ended, and do `then`."""
        self.process.wait()
        then()

    def stop(self) -> None:
        """Ask the daemon to stop, and insist; then the broker."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._broker is not None:
            self._broker.stop()

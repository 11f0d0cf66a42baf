"""`inspector demo`: the whole factory on one machine, without camera, broker or network.

A conveyor of sample pictures is the camera, the real daemon judges them in a process of its own, a
broker of our own carries the results, and the table shows what was read back from the broker.
"""

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from itertools import zip_longest
from pathlib import Path

import yaml
from rich.console import Console
from rich.live import Live

from inspector import report
from inspector.broker import Broker
from inspector.config import MqttConfig
from inspector.errors import InspectorError
from inspector.publish.subscriber import Subscriber
from inspector.publish.topics import Topics

SAMPLES = Path(__file__).parent / "samples"
SITE, LINE = "demo", "conveyor"
EVERY_MS = 700  # slow enough to read along
STOP_S = 15.0


def run(seconds: float | None) -> None:
    """Show the factory until Ctrl-C, or for so many seconds; then say what was seen.

    Raises:
        InspectorError: the daemon ended by itself, or no result arrived.
    """
    started_s = time.monotonic()
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inspector-demo-")))
        broker = stack.enter_context(Broker.start())
        mqtt = MqttConfig(host=broker.host, port=broker.port, version=broker.mqtt_version)
        console.print(f"{broker.kind} listens on {broker.host}:{broker.port}; Ctrl-C ends the demo")
        factory = _Factory(folder, mqtt)
        stack.callback(factory.stop)
        results = Subscriber(mqtt, Topics(SITE, LINE).result)
        if seconds is not None:
            timer = threading.Timer(seconds, results.stop)
            timer.start()
            stack.callback(timer.cancel)
        threading.Thread(target=factory.end, args=(results.stop,), daemon=True).start()
        board, first_s = _show(console, results, started_s)
        if factory.process.poll() is not None:
            said = factory.log.read_text()
            raise InspectorError(f"expected the daemon to run on, found:\n{said}")
    if first_s is None:
        raise InspectorError("expected results from the broker, found none")
    console.print(f"{board.summary()}; first verdict {first_s:.1f} s after the start")


def _show(
    console: Console, results: Subscriber, started_s: float
) -> tuple[report.Board, float | None]:
    """Draw what the broker delivers until the end; the board, and when the first verdict came."""
    board, first_s = report.Board(), None
    title = "Scratch inspector: verdicts as the broker delivers them"
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    with suppress(KeyboardInterrupt), live or nullcontext():
        for received in results:
            if first_s is None:
                first_s = time.monotonic() - started_s
            board.add(received.content)
            if live:
                live.update(board.table(title), refresh=True)
            else:
                console.print(report.line(received.content), soft_wrap=True, highlight=False)
    return board, first_s


class _Factory:
    """The daemon as a process, with its conveyor and its line's file."""

    def __init__(self, folder: Path, mqtt: MqttConfig) -> None:
        _lay_out(folder / "conveyor")
        line = {
            "site": SITE,
            "line": LINE,
            "camera": {"source": "folder:conveyor", "loop": True, "every_ms": EVERY_MS},
            "mqtt": mqtt.model_dump(include={"host", "port", "version"}),
        }
        path = folder / "line.yaml"
        path.write_text(yaml.safe_dump(line), encoding="utf-8")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inspector", "run", "--config", str(path)],
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the daemon
            )

    def end(self, then: Callable[[], None]) -> None:
        """Wait until the daemon has ended, and do `then`."""
        self.process.wait()
        then()

    def stop(self) -> None:
        """Ask the daemon to stop, and insist."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _lay_out(conveyor: Path) -> None:
    """Put the samples on the conveyor, the surfaces in turn."""
    conveyor.mkdir()
    surfaces = [sorted(surface.glob("*.jpg")) for surface in sorted(SAMPLES.iterdir())]
    turns = [picture for turn in zip_longest(*surfaces) for picture in turn if picture]
    for number, picture in enumerate(turns):
        name = f"{number:03}-{picture.parent.name}-{picture.name}"
        (conveyor / name).symlink_to(picture)

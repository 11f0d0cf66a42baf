"""Daemons that start in milliseconds: each is forked from a process that has imported all of it.

What runs is `inspector.daemon.run` with all its threads, its outbox and its publisher. Only the
model is one that finds nothing, and the camera is one of `CAMERAS` where the child is told so.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml

from inspector import daemon, lines
from inspector.publish.message import ModelInfo
from inspector.record.outbox import Outbox
from inspector.segment.runtime import FakeRuntime
from inspector.segment.segmenter import Segmenter
from inspector.types import Frame
from tests.support.bundles import manifest_of

PR_SET_PDEATHSIG = 1  # prctl(2)
LOG = "daemon.log"
ROOT = Path(__file__).parents[2]
PICTURES = np.random.default_rng(0).integers(0, 200, (61, 48, 64, 3), np.uint8)


class Conveyor:
    """Parts without an end, as fast as they are taken, and never two equal ones within 60."""

    live = False

    def __init__(self, parts: float = float("inf")) -> None:
        self._left = parts
        self._number = 0

    def open(self) -> None:
        """It is always there."""

    def read(self) -> Frame | None:
        if self._number >= self._left:
            return None
        self._number += 1
        return Frame(
            PICTURES[self._number % len(PICTURES)], f"part {self._number}", time.monotonic()
        )

    def close(self) -> None:
        """Nothing is held."""


class Live(Conveyor):
    """A camera of 100 frames per second; what was open before does not count any more."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self._opened_at = 0

    def open(self) -> None:
        self._opened_at = self._number

    def read(self) -> Frame | None:
        time.sleep(0.01)
        return super().read()


class Hung(Live):
    """Ten frames, and then a read that never comes back, as in a driver."""

    def read(self) -> Frame | None:
        if self._number == 10:
            os.read(os.pipe()[0], 1)
        return super().read()


class Frozen(Live):
    """Ten frames, and then the last one `again` until it is opened anew."""

    def read(self) -> Frame | None:
        if self._number < self._opened_at + 10:
            return super().read()
        time.sleep(0.01)
        return Frame(
            PICTURES[self._number % len(PICTURES)], f"again {self._number}", time.monotonic()
        )


CAMERAS = {
    "conveyor": Conveyor,
    "three": lambda: Conveyor(3),
    "hung": Hung,
    "frozen": Frozen,
}


class Nursery:
    """Starts one daemon after the other, each over what the one before has left on the disk.

    What they log goes to `log`.
    """

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
        )
        self.pid = 0

    def start(self, line: Path, **told: Any) -> int:
        """Fork a daemon for the line's file; `told` is what `_live` takes. Returns its pid."""
        self._say(json.dumps({"line": str(line), **told}))
        self.pid = int(self._hear())
        return self.pid

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send it the signal, and wait for its end."""
        os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit status, negative for a signal."""
        status, self.pid = int(self._hear()), 0
        return status

    def close(self) -> None:
        """End what still runs."""
        if self.pid:
            self.kill()
        self._process.communicate()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        heard = self._process.stdout.readline()
        assert heard, "expected the nursery to answer, found that it died"
        return heard


def _live(
    line: str,
    camera: str = "conveyor",
    reported: str | None = None,
    clock: str | None = None,
    environ: dict[str, str] | None = None,
    patches: dict[str, Any] | None = None,
) -> None:
    """Be the daemon.

    Ids of results whose commit has returned are appended to the file `reported`; `patches` sets
    constants, as `inspector.watchdog.DRIVER_S`; the file `clock` says how many seconds the wall
    clock is wrong.
    """
    os.environ.update(environ or {})
    for name, value in (patches or {}).items():
        module, _, constant = name.rpartition(".")
        setattr(sys.modules[module], constant, value)
    daemon.make_camera = lambda _: CAMERAS[camera]()
    daemon.bundle.open_segmenter = _no_model
    if reported is not None:
        _report_to(reported)
    if clock is not None:
        _set_clock(Path(clock))
    daemon.run(lines.read(Path(line)))


def _no_model(*_: object) -> tuple[Segmenter, ModelInfo]:
    manifest = manifest_of()
    info = ModelInfo(name="none", sha256="0" * 64, runtime=FakeRuntime.name)
    return Segmenter(manifest, Forgetful(FakeRuntime.none(manifest))), info


class Forgetful(FakeRuntime):
    """One that keeps no tile, and so can run for days."""

    def infer(self, tile):
        return self.outputs


def _set_clock(offset: Path) -> None:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=float(offset.read_text()))

    for name, module in list(sys.modules.items()):
        if name.startswith("inspector") and getattr(module, "datetime", None) is datetime:
            module.datetime = Wrong  # type: ignore[attr-defined]


def _report_to(file: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    record = Outbox.record

    def reporting(self: Outbox, *what: Any) -> Any:
        row = record(self, *what)
        os.write(descriptor, f"{row.id}\n".encode())
        return row

    Outbox.record = reporting  # type: ignore[method-assign]


def write_line(folder: Path, port: int, **camera: Any) -> Path:
    """A line's file in `folder` for a broker on this machine; its state is in `folder/state`."""
    line = {
        "site": "plant-a",
        "line": "line1",
        "camera": {"source": "folder:x", "every_ms": 5, **camera},
        "mqtt": {"port": port},
        "state_dir": "state",
    }
    path = folder / "line.yaml"
    path.write_text(yaml.safe_dump(line))
    return path


def main() -> None:
    """Fork what is asked for, one after the other, and tell the pid and how it ended."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # with whoever injects ends all of it
    for request in sys.stdin:
        told = json.loads(request)
        child = os.fork()
        if not child:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            code = 1
            try:
                _live(**told)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()

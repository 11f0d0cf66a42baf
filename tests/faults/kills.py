"""kill -9 of the whole daemon at random moments, with a real broker and a real subscriber."""

import itertools
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import yaml

from inspector.broker import Broker, find_mosquitto
from inspector.segment.runtime import FakeRuntime
from tests.faults import ledger
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, PICTURES, ROOT, Nursery, write_line
from tests.support.bundles import manifest_of, write_bundle
from tests.support.dashboard import SUBSCRIBER, Dashboard
from tests.support.onnx_models import tiny

BATCH = 100  # kills over one outbox; then it is settled and a new one begins
SOON_S, LATE_S = 0.06, 0.5  # half of the kills hit the start, half what follows
PROGRAM_S = (0.5, 4.0)  # the program comes up within about 2 s
PATIENCE_S = 60.0


def missing() -> str | None:
    """What to install."""
    if find_mosquitto() is None or shutil.which(SUBSCRIBER) is None:
        return "mosquitto and mosquitto-clients"
    return None


def _moment_s(rng: random.Random) -> float:
    """How long a daemon lives."""
    return rng.uniform(0, SOON_S if rng.random() < 0.5 else LATE_S)


class Program:
    """`inspector run` as it is installed, in place of a nursery."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, line: Path, camera: str = "conveyor", **_: object) -> None:
        settings = yaml.safe_load(line.read_text())
        settings["camera"]["loop"] = camera == "conveyor"
        line.write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-m", "inspector", "run", "--config", str(line)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT)

    def kill(self) -> int:
        assert self._process is not None
        self._process.kill()
        return self.wait()

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(PATIENCE_S)


def kill_forked(run: Run) -> Outcome:
    """Daemons of the nursery, one outbox for each batch of kills."""
    outcome, tally = Outcome(), ledger.Tally()
    rng = run.rng
    with Nursery(run.folder / LOG) as nursery:
        for number, kills in itertools.groupby(run.each(), lambda kill: kill // BATCH):
            folder = run.folder / f"batch-{number}"
            folder.mkdir()
            lives_s = (_moment_s(rng) for _ in kills)
            with Broker.start("mosquitto") as broker:
                line = write_line(folder, broker.port)
                tally += _kill(outcome, nursery, line, broker.port, lives_s)
    outcome.measured = str(tally)
    return outcome


def kill_program(run: Run) -> Outcome:
    """The program itself, with a model in OpenVINO: it takes a while to come up."""
    outcome, rng = Outcome(), run.rng
    pictures = run.folder / "pictures"
    pictures.mkdir()
    for number, picture in enumerate(PICTURES[:2]):
        cv2.imwrite(str(pictures / f"{number}.png"), picture)
    manifest = manifest_of()
    model = tiny(FakeRuntime.none(manifest)[0], side=manifest.input.width)
    bundle = write_bundle(run.folder / "model", model).root
    with Broker.start("mosquitto") as broker:
        line = write_line(run.folder, broker.port, source=f"folder:{pictures}")
        line.write_text(f"{line.read_text()}model: {{bundle: {bundle}}}\n")
        lives_s = (rng.uniform(*PROGRAM_S) for _ in run.each())
        outcome.measured = str(_kill(outcome, Program(), line, broker.port, lives_s))
    return outcome


def _kill(
    outcome: Outcome, host: Nursery | Program, line: Path, port: int, lives_s: Iterable[float]
) -> ledger.Tally:
    """One daemon after the other over one outbox, the last one until all is delivered."""
    folder, dashboard = line.parent, Dashboard(port)
    reported = folder / "reported"
    reported.touch()
    begun_s: dict[int, float] = {}
    for life_s in lives_s:
        started_s = time.monotonic()
        host.start(line, reported=str(reported))
        time.sleep(life_s)
        status = host.kill()
        outcome.injected += 1
        outcome.expect(status == -signal.SIGKILL, f"it ended by itself, with {status}")
        found, session = ledger.look(folder)
        outcome.expect(found == "ok", f"integrity_check: {found}")
        begun_s.setdefault(session, started_s)
    host.start(line, camera="three", reported=str(reported))
    outcome.expect(host.wait() == 0, "the last one did not end well")
    recorded = {name for _, name in ledger.recorded(folder)}
    deadline_s = time.monotonic() + PATIENCE_S
    while not dashboard.ids() >= recorded and time.monotonic() < deadline_s:
        time.sleep(0.02)
    dashboard.close()
    for session, started_s in begun_s.items():
        first_s = dashboard.first(session)
        # The first start has nothing to recover from, and some live too short to say anything.
        if first_s is not None and session > 1:
            outcome.recovered_s.append(first_s - started_s)
    heard = [heard.result for heard in dashboard.heard]
    return ledger.settle(outcome, folder, heard, reported.read_text().split())


PROMISE = "0 lost, 0 doubled after dropping equal ids, no gap in seq, integrity_check ok"
FAULTS = (
    Fault("kill -9 of the daemon", PROMISE, kill_forked, 200, 10_000, missing),
    Fault("kill -9 of `inspector run` with a model", PROMISE, kill_program, 3, 200, missing),
)

"""Cameras that are lost, fall silent, freeze and hang: noticed, told, healed, and nothing leaks."""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from inspector.broker import Broker, find_mosquitto
from inspector.cameras import Grabber, RtspCamera, ScriptedCamera
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, PICTURES, Nursery, write_line
from tests.faults.resources import Held, expect_flat
from tests.support.garbling import GarblingNetwork
from tests.support.listener import Listener
from tests.support.rtsp import RtspServer, missing

NOTICED_S, HEALED_S = 2.0, 10.0
SLACK_S = 1.0  # for a machine that runs other tests beside this one
LATE_S = 0.5  # after the deadline of a camera its parts are unknown
WARM_UP = 20  # cycles, after which memory is compared
PATIENCE_S = 30.0


class Holding(ScriptedCamera):
    """Every tenth time it is away; it holds a descriptor while it is open, as a capture does."""

    def __init__(self, cycles: int) -> None:
        super().__init__(self._play(cycles))
        self._descriptor = -1

    @staticmethod
    def _play(cycles: int) -> Iterator[Frame | Exception]:
        for number in range(cycles):
            yield Frame(PICTURES[number % len(PICTURES)], str(number), 0.0)
            yield CameraLost("cable pulled")
            if number % 10 == 0:
                yield CameraUnavailable("no such device")

    def open(self) -> None:
        super().open()
        self._descriptor = os.open("/dev/null", os.O_RDONLY)

    def close(self) -> None:
        super().close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def lose(run: Run) -> Outcome:
    """Open, one frame, lost, open again: without the waits in between."""
    outcome = Outcome(injected=run.count)
    _play(WARM_UP)
    before = Held.by()
    reconnects = _play(run.count)
    gc.collect()
    after = Held.by()
    outcome.expect(reconnects == run.count - 1, f"it came back {reconnects} times")
    outcome.measured = expect_flat(outcome, before, after)
    return outcome


def _play(cycles: int) -> int:
    def at_once(event: threading.Event, _: float) -> bool:
        return event.is_set()

    grabber = Grabber(Holding(cycles), wait=at_once)
    grabber.start()
    while not grabber.state.ended:
        grabber.take(0.05)
    assert grabber.stop(PATIENCE_S)
    return grabber.state.reconnects


def lose_rtsp(run: Run) -> Outcome:
    """A real server that is killed, stands still with its connections open, or sends noise."""
    outcome, rng = Outcome(), run.rng
    noticed_s: list[float] = []
    server = RtspServer()
    server.start()
    network = GarblingNetwork(server.port)
    grabber = Grabber(RtspCamera(f"rtsp://127.0.0.1:{network.port}/line1", timeout_s=1.5))
    grabber.start()
    before = Held.by()
    try:
        for number in run.each():
            _until(lambda: grabber.state.online)
            if number == min(WARM_UP, run.count // 2):
                before = Held.by()
            time.sleep(rng.uniform(0, 0.2))
            kind = ("killed", "silent", "noise")[number % 3]
            if kind == "killed":
                server.kill()
            elif kind == "silent":
                server.freeze()
            network.garbled = kind == "noise"
            noticed_s.append(_until(lambda: not grabber.state.online))
            outcome.injected += 1
            late = f"{kind}: noticed after {noticed_s[-1]} s"
            outcome.expect(noticed_s[-1] < NOTICED_S + SLACK_S, late)
            outcome.expect(grabber.take(0) is None, "a frame from before the loss")
            network.garbled = False
            if kind != "noise":
                server.kill()
                server.start()
            healed_s = _until(lambda: grabber.state.online)
            outcome.recovered_s.append(healed_s)
            outcome.expect(healed_s < HEALED_S + SLACK_S, f"healed after {healed_s} s")
        gc.collect()
        grown = expect_flat(outcome, before, Held.by())
        outcome.measured = f"{grown}; noticed within {max(noticed_s):.2f} s"
    finally:
        outcome.expect(grabber.stop(5), "the grabber does not end")
        network.close()
        server.kill()
    return outcome


def freeze(run: Run) -> Outcome:
    """The whole daemon with a camera that repeats its frame until it is opened again."""
    outcome = Outcome()
    patches = {"inspector.cameras.grabber.STABLE_S": 0.05}  # else the waits grow up to 8 s
    with Broker.start() as broker, Nursery(run.folder / LOG) as nursery:
        listener = Listener(broker.port)
        line = write_line(run.folder, broker.port, source="rtsp://x", frozen_after=2, every_ms=0)
        nursery.start(line, camera="frozen", patches=patches)
        seen = 0
        for _ in run.each():
            seen = _await_part(listener, "again", seen)["seq"]
            frozen_s = time.monotonic()
            seen = _await_part(listener, "part", seen)["seq"]
            outcome.recovered_s.append(time.monotonic() - frozen_s)
            outcome.injected += 1
        outcome.expect(nursery.kill(signal.SIGTERM) == 0, "it did not end well")
        results = listener.on("result")
        again = [r for before, r in pairwise(results) if _repeats(before, r)]
        outcome.expect(all(r["verdict"] == "unknown" for r in again), "a frozen frame passed")
        outcome.expect(len(again) >= run.count, f"{len(again)} frozen parts")
        texts = [alarm["text"] for alarm in listener.on("alarm/camera") if alarm]
        told = sum("expected new frames" in text for text in texts)
        outcome.expect(told >= run.count, f"{told} alarms")
        listener.close()
    outcome.measured = f"{len(again)} frozen parts, all unknown, {told} alarms"
    return outcome


def _repeats(before: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Whether this is the picture of the part before: where the newest frame wins, the first that
    is judged of a frozen camera may be the first of its picture.
    """
    word, _, number = result["source"].partition(" ")
    return word == "again" and before["source"].partition(" ")[2] == number


def hang(run: Run) -> Outcome:
    """A read that never comes back. What systemd does with the process is done here."""
    outcome = Outcome()
    every_s, timeout_s, driver_s, watchdog_s = 0.05, 0.3, 1.0, 0.4
    told_s, asked_s = [0.0], [0.0]
    with (
        Broker.start() as broker,
        Nursery(run.folder / LOG) as nursery,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        listener = Listener(broker.port)
        systemd.bind(str(run.folder / "notify"))
        systemd.settimeout(PATIENCE_S)
        environ = {
            "NOTIFY_SOCKET": str(run.folder / "notify"),
            "WATCHDOG_USEC": str(int(watchdog_s * 1e6)),
        }
        camera = {
            "source": "v4l2:/dev/video9",
            "every_ms": every_s * 1000,
            "timeout_ms": timeout_s * 1000,
        }
        line = write_line(run.folder, broker.port, **camera)
        seen, began_s = 0, 0.0
        for number in run.each():
            nursery.start(
                line,
                camera="hung",
                environ=environ,
                patches={"inspector.watchdog.DRIVER_S": driver_s},  # 10 s in life
            )
            part = _await_part(listener, "part", seen)
            if number:
                outcome.recovered_s.append(time.monotonic() - began_s)
            unknown = _await_part(listener, "v4l2", part["seq"])
            last = _part_before(listener, unknown["seq"])
            told_s.append(_stamp(unknown) - _stamp(last) - every_s - timeout_s)
            asked = ""
            while not asked.startswith("WATCHDOG=trigger"):
                asked = systemd.recv(4096).decode()
            asked_s.append(datetime.now(UTC).timestamp() - _stamp(last))
            outcome.expect("the grabber has not moved" in asked, asked)
            began_s = time.monotonic()
            outcome.expect(nursery.kill(signal.SIGABRT) == -signal.SIGABRT, "it was not there")
            seen = unknown["seq"]
            outcome.injected += 1
        listener.close()
    outcome.expect(max(told_s) < LATE_S, f"unknown {max(told_s)} s after the deadline")
    most_s = 2 * timeout_s + driver_s + watchdog_s
    outcome.expect(max(asked_s) < most_s + SLACK_S, f"asked for a new process after {asked_s} s")
    outcome.measured = (
        f"unknown {max(told_s) * 1000:.0f} ms after the deadline, asked to be replaced within "
        f"{max(asked_s):.1f} s of {most_s:.1f} s"
    )
    return outcome


def _await_part(listener: Listener, source: str, after: int) -> dict[str, Any]:
    """The first result with a number above `after` whose source begins so."""
    found: list[dict[str, Any]] = []

    def come() -> bool:
        for result in listener.on("result"):
            if result["seq"] > after and result["source"].startswith(source):
                found.append(result)
                return True
        return False

    _until(come)
    return found[0]


def _part_before(listener: Listener, seq: int) -> dict[str, Any]:
    return next(result for result in listener.on("result") if result["seq"] == seq - 1)


def _stamp(result: dict[str, Any]) -> float:
    return datetime.fromisoformat(result["time"]).timestamp()


def _until(condition: Callable[[], object]) -> float:
    """Wait for it; how many seconds that took."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < PATIENCE_S, "expected this to come true in time"
        time.sleep(0.005)
    return time.monotonic() - began_s


def _no_broker() -> str | None:
    return None if find_mosquitto() else "mosquitto"


FAULTS = (
    Fault(
        "a camera that is lost",
        "healed each time; memory, descriptors and threads flat",
        lose,
        200,
        10_000,
    ),
    Fault(
        "an RTSP server killed, silent, or sending noise",
        "noticed within 2 s, healed within 10 s; memory, descriptors and threads flat",
        lose_rtsp,
        3,
        1_000,
        missing,
    ),
    Fault(
        "a camera that repeats its frame",
        "0 passed; an alarm; closed and opened again",
        freeze,
        3,
        1_000,
        _no_broker,
    ),
    Fault(
        "a read that never comes back",
        "unknown within 500 ms of the deadline; systemd is asked for a new process",
        hang,
        1,
        100,
        _no_broker,
    ),
)

"""A wall clock that jumps by hours and by years, under a daemon that judges on."""

import signal
import socket
import time
from pathlib import Path

from inspector.broker import Broker, find_mosquitto
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, Nursery, write_line
from tests.support.listener import Listener

HOUR_S, DAY_S, YEAR_S = 3600, 86_400, 31_556_952
JUMPS_S = (HOUR_S, -HOUR_S, DAY_S, -DAY_S, 10 * YEAR_S, -10 * YEAR_S, 30 * YEAR_S, -56 * YEAR_S, 0)
ON_TIME_S = 5.0  # within which results go on, whatever the clock says


def inject(run: Run) -> Outcome:
    """The clock as the daemon reads it, among them 1970; no other clock is touched."""
    outcome, rng = Outcome(), run.rng
    clock, reported = run.folder / "clock", run.folder / "reported"
    clock.write_text(str(-56 * YEAR_S))  # a PC that starts without a battery
    with (
        Broker.start() as broker,
        Nursery(run.folder / LOG) as nursery,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        listener = Listener(broker.port)
        systemd.bind(str(run.folder / "notify"))
        systemd.setblocking(False)
        environ = {"NOTIFY_SOCKET": str(run.folder / "notify"), "WATCHDOG_USEC": "2000000"}
        line = write_line(run.folder, broker.port, every_ms=10)
        nursery.start(line, clock=str(clock), reported=str(reported), environ=environ)
        for _ in run.each():
            before = _count(listener)
            jumped_s = time.monotonic()
            _set(clock, rng.choice(JUMPS_S))
            while _count(listener) < before + 5 and time.monotonic() < jumped_s + ON_TIME_S:
                time.sleep(0.005)
            outcome.injected += 1
            outcome.expect(_count(listener) >= before + 5, "after a jump no result came")
            outcome.recovered_s.append(time.monotonic() - jumped_s)
            asked = _asked(systemd)
            outcome.expect(not asked, f"the watchdog bit: {asked}")
        outcome.expect(nursery.kill(signal.SIGTERM) == 0, "it did not end well")
        names = reported.read_text().split()
        deadline_s = time.monotonic() + ON_TIME_S
        while _count(listener) < len(names) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        listener.close()
    heard = [(result["seq"], result["id"]) for result in listener.on("result")]
    expected = list(enumerate(names, start=1))
    outcome.expect(heard == expected, "what was heard is not what was recorded, in its order")
    outcome.measured = f"{len(names)} results in order, the watchdog at rest"
    return outcome


def _set(clock: Path, offset_s: float) -> None:
    new = clock.with_suffix(".new")
    new.write_text(str(offset_s))
    new.replace(clock)


def _count(listener: Listener) -> int:
    return sum(topic.endswith("/result") for topic, _, _ in listener.messages)


def _asked(systemd: socket.socket) -> str:
    """What the daemon asked systemd for, beside being left alone."""
    while True:
        try:
            told = systemd.recv(4096).decode()
        except BlockingIOError:
            return ""
        if told.startswith("WATCHDOG=trigger"):
            return told


FAULTS = (
    Fault(
        "a wall clock that jumps",
        "results go on, in order, none lost; the watchdog does not bite",
        inject,
        20,
        1_000,
        lambda: None if find_mosquitto() else "mosquitto",
    ),
)

"""A disk that fills up to the last byte and gets room again, under a daemon that judges on."""

import signal
import tempfile
import time
from pathlib import Path

from inspector.broker import Broker, find_mosquitto
from tests.faults import ledger
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, Nursery, write_line
from tests.support.disk import SIZE, SmallDisk
from tests.support.listener import Listener

PATIENCE_S = 60.0
ALARMS = ("disk_full", "outbox")


def inject(run: Run) -> Outcome:
    """Somebody else takes all that is free, until nothing can be recorded, and gives it back."""
    outcome = Outcome()
    disk = SmallDisk(run.folder / "state")
    try:
        with Broker.start() as broker, Nursery(run.folder / LOG) as nursery:
            listener = Listener(broker.port)
            line = write_line(run.folder, broker.port, every_ms=10)
            reported = run.folder / "reported"
            nursery.start(line, reported=str(reported))
            _until(lambda: _results(listener))
            for _ in run.each():
                _until(lambda: _takes_all(disk) and _stand(listener) == ALARMS)
                outcome.recovered_s.append(_make_room(disk, listener))
                _until(lambda: _stand(listener) == ())
                outcome.injected += 1
            outcome.expect(nursery.kill(signal.SIGTERM) == 0, "it did not end well")
            rows = {name for _, name in ledger.recorded(run.folder)}
            _until(lambda: {result["id"] for result in _results(listener)} >= rows)
            listener.close()
            found, _ = ledger.look(run.folder)
            outcome.expect(found == "ok", f"integrity_check: {found}")
            names = reported.read_text().split()
            tally = ledger.settle(outcome, run.folder, _results(listener), names)
            births = {birth["session"] for birth in listener.on("birth")}
            outcome.expect(births == {1}, f"it was started again: {births}")
    finally:
        disk.close()
    outcome.measured = str(tally)
    return outcome


def _results(listener: Listener) -> list[dict[str, object]]:
    return listener.on("result")


def _takes_all(disk: SmallDisk) -> bool:
    disk.leave(0)
    return True


def _make_room(disk: SmallDisk, listener: Listener) -> float:
    """How many seconds it takes until a result is recorded and heard again."""
    before = len(_results(listener))
    disk.leave(SIZE // 2)
    room_s = time.monotonic()
    _until(lambda: len(_results(listener)) > before)
    return time.monotonic() - room_s


def _stand(listener: Listener) -> tuple[str, ...]:
    """The alarms that stand."""
    last = {code: listener.on(f"alarm/{code}")[-1:] for code in ALARMS}
    return tuple(code for code in ALARMS if last[code] not in ([], [None]))


def _until(condition) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "expected this to come true in time"
        time.sleep(0.02)


def _missing() -> str | None:
    if find_mosquitto() is None:
        return "mosquitto"
    with tempfile.TemporaryDirectory() as folder:
        try:
            SmallDisk(Path(folder, "disk")).close()
        except PermissionError as refused:
            return str(refused)
    return None


FAULTS = (
    Fault(
        "a full disk",
        "0 lost, 0 doubled, no gap in seq, integrity_check ok; goes on without a restart",
        inject,
        1,
        100,
        _missing,
    ),
)

"""A broker that goes away, hangs, refuses and comes back, while the daemon judges on."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from inspector.broker import Broker
from inspector.publish.connection import WINDOW
from inspector.record import replay
from tests.faults import kills, ledger
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, Nursery, write_line
from tests.support.dashboard import Dashboard
from tests.support.scripted_broker import WELL, Mood, ScriptedBroker

PATIENCE_S = 60.0
AWAY_S = 1.5
# Deadlines that are shorter than in life, so that outages can follow one another and run into all
# of them: a broker that hangs for 2 s is here what one that hangs for a minute is there.
HASTE = {
    "inspector.publish.publisher.STEADY_S": 0.1,
    "inspector.publish.connection.ACK_TIMEOUT_S": 1.0,
    "inspector.publish.connection.CONNECT_S": 1.0,
}
MOODS = {
    "refuses to connect": Mood(connack=0x88),
    "says nothing to CONNECT": Mood(connack=None),
    "does not answer": Mood(puback=None),
    "reads nothing": Mood(reads=False),
    "is slow": Mood(delay_s=0.1),
    "resets mid-window": Mood(reset_after=7),
    "rejects with 0x87": Mood(puback=0x87),
    "rejects with 0x97": Mood(puback=0x97),
}
HANGS_UP, GONE = "hangs up", "is gone"


def inject_scripted(run: Run) -> Outcome:
    """Every kind of bad answer; each kind once before any comes again."""
    outcome, rng = Outcome(), run.rng
    kinds = (*MOODS, HANGS_UP, GONE)
    with ScriptedBroker() as broker, Nursery(run.folder / LOG) as nursery:
        line = write_line(run.folder, broker.port, every_ms=10)
        nursery.start(line, patches=HASTE)
        _until(outcome, lambda: broker.took, "the first result")
        order: list[str] = []
        for _ in run.each():
            order = order or rng.sample(kinds, len(kinds))
            kind = order.pop()
            with _bad(broker, kind):
                time.sleep(rng.uniform(0.1, AWAY_S))
            _await_recovery(outcome, run.folder, kind, lambda: _newest(broker))
        outcome.expect(nursery.kill(signal.SIGTERM) == 0, "the daemon did not end well")
        # What was rejected is tried again after a start.
        nursery.start(line, camera="three", patches=HASTE)
        outcome.expect(nursery.wait() == 0, "the last daemon did not end well")
        tally = ledger.settle(outcome, run.folder, broker.took, ())
    most = WINDOW * outcome.injected
    outcome.expect(tally.doubled <= most, f"{tally.doubled} doubled, expected {most} at most")
    outcome.measured = f"{len(kinds)} kinds; {tally}"
    return outcome


@contextlib.contextmanager
def _bad(broker: ScriptedBroker, kind: str) -> Iterator[None]:
    if kind == GONE:
        broker.refuse()
        yield
        broker.listen()
        return
    broker.mood = MOODS.get(kind, WELL)
    if kind == HANGS_UP or broker.mood.connack != 0:
        broker.hang_up()
    yield
    broker.mood = WELL


def _newest(broker: ScriptedBroker) -> int:
    return max((result["seq"] for result in broker.took[-50:]), default=0)


def inject_mosquitto(run: Run) -> Outcome:
    """A Mosquitto that is killed, frozen and restarted."""
    outcome, rng = Outcome(), run.rng
    kept = run.folder / "broker"
    kept.mkdir()
    options = ("persistence true", f"persistence_location {kept}/", "autosave_interval 1",
               "autosave_on_changes true")  # fmt: skip
    broker = Broker.start("mosquitto", extra=options)
    port = broker.port
    dashboard = Dashboard(port)
    with Nursery(run.folder / LOG) as nursery:
        line = write_line(run.folder, port, every_ms=10)
        nursery.start(line, patches=HASTE)
        _until(outcome, lambda: dashboard.heard, "the first result")
        for number in run.each():
            kind = ("killed", "frozen", "restarted")[number % 3]
            time.sleep(rng.uniform(0, 0.3))
            away_s = rng.uniform(0, AWAY_S)
            if kind == "frozen":
                broker._process.send_signal(signal.SIGSTOP)
                time.sleep(away_s)
                broker._process.send_signal(signal.SIGCONT)
            else:
                if kind == "killed":
                    broker._process.kill()
                broker.stop()
                time.sleep(away_s)
                broker = Broker.start("mosquitto", port=port, extra=options)
            _await_recovery(outcome, run.folder, kind, lambda: _acknowledged(run.folder))
        outcome.expect(nursery.kill(signal.SIGTERM) == 0, "the daemon did not end well")
        # A broker that is killed forgets what it had acknowledged and not yet passed on.
        time.sleep(0.5)
        forgotten = _put_back_what_was_not_heard(run.folder, dashboard)
        nursery.start(line, camera="three", patches=HASTE)
        outcome.expect(nursery.wait() == 0, "the last daemon did not end well")
        recorded = {name for _, name in ledger.recorded(run.folder)}
        _until(outcome, lambda: dashboard.ids() >= recorded, "all results")
    dashboard.close()
    broker.stop()
    tally = ledger.settle(outcome, run.folder, [heard.result for heard in dashboard.heard], ())
    outcome.measured = f"{tally}; {forgotten} forgotten by killed brokers, heard after a replay"
    return outcome


def _acknowledged(folder: Path) -> int:
    return ledger.ask(folder, "SELECT max(seq) FROM outbox WHERE acked_at IS NOT NULL")


def _put_back_what_was_not_heard(folder: Path, dashboard: Dashboard) -> int:
    heard = dashboard.ids()
    path = folder / ledger.OUTBOX
    missing = {seq for seq, name in ledger.recorded(folder) if name not in heard}
    acknowledged = set(replay.find(path, replay.numbered(1, max(missing, default=1))))
    return len(list(replay.put_back(path, sorted(missing & acknowledged))))


def _await_recovery(outcome: Outcome, folder: Path, kind: str, newest: Callable[[], int]) -> None:
    """Until a result is delivered that was recorded after the fault."""
    outcome.injected += 1
    healed_s = time.monotonic()
    recorded = ledger.ask(folder, "SELECT max(seq) FROM outbox")
    if _until(outcome, lambda: newest() > recorded, f"a result after «{kind}»"):
        outcome.recovered_s.append(time.monotonic() - healed_s)


def _until(outcome: Outcome, condition: Callable[[], object], what: str) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            outcome.broken.append(f"{what} did not come within {PATIENCE_S:g} s")
            return False
        time.sleep(0.01)
    return True


PROMISE = "0 lost, 0 doubled after dropping equal ids, no gap in seq; heals without a restart"
FAULTS = (
    Fault("a broker that misbehaves", PROMISE, inject_scripted, 10, 1_000),
    Fault("a Mosquitto killed, frozen, restarted", PROMISE, inject_mosquitto, 3, 1_000,
          kills.missing),
)  # fmt: skip

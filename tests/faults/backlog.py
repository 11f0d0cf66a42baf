"""A broker that was away for a day: what waited is drained, while new results come."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from inspector.broker import Broker, find_mosquitto
from inspector.limits import Limits
from inspector.publish.message import ModelInfo, encode, result_message
from inspector.record.outbox import Outbox
from inspector.types import Reason, Result, Rule, Scratch, Timing, Verdict
from tests.faults import ledger
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, Nursery, write_line
from tests.faults.resources import Held, expect_flat

EVERY_S = 0.1  # between new results, ten per second
LEAST_RATE = 500  # messages per second
DELAYED_S = 2.0
PATIENCE_S = 3600.0
WATCHED_S = 5.0
"""What it holds is compared over this time at least, from its first new result on: a short backlog
is gone before all of its threads have begun."""
WAITING = "SELECT min(seq) FROM outbox WHERE acked_at IS NULL AND parked IS NULL"
LATEST = "SELECT max(seq) FROM outbox"


def inject(run: Run) -> Outcome:
    """`count` results wait; a line goes on at ten per second."""
    outcome = Outcome()
    _fill(run.folder, run.count)
    with Broker.start() as broker, Nursery(run.folder / LOG) as nursery:
        line = write_line(run.folder, broker.port, every_ms=EVERY_S * 1000)
        pid = nursery.start(line)
        began_s = time.monotonic()
        done, took_s = 0, 0.0
        held: list[Held] = []
        watched_from_s = None
        while time.monotonic() < began_s + PATIENCE_S:
            time.sleep(0.1)
            before, done = done, ledger.ask(run.folder, WAITING) - 1
            done = run.count if done < 0 else min(done, run.count)
            for _ in range(done - before):
                run.tick()
            now_s = time.monotonic()
            took_s = took_s if before == run.count else now_s - began_s
            if watched_from_s is None and ledger.ask(run.folder, LATEST) > run.count:
                watched_from_s = now_s
            if watched_from_s is not None:
                held.append(Held.by(pid))
                if done == run.count and now_s > watched_from_s + WATCHED_S:
                    break
        outcome.expect(nursery.kill(signal.SIGTERM) == 0, "it did not end well")
    outcome.injected = done
    rate = run.count / took_s
    outcome.expect(rate >= LEAST_RATE, f"{rate:.0f} messages/s")
    late_s = _late_s(run.folder, run.count)
    outcome.expect(max(late_s) < DELAYED_S, f"a new result was recorded {max(late_s)} s late")
    warm = held[len(held) // 4]
    grown = expect_flat(outcome, warm, held[-1])
    late_ms = np.percentile(late_s, 95) * 1000
    outcome.measured = (
        f"{rate:.0f} messages/s; new results recorded {late_ms:.0f} ms late (p95), "
        f"{max(late_s) * 1000:.0f} ms at most; {grown}"
    )
    return outcome


def _fill(folder: Path, count: int) -> None:
    """Rows as the line itself would have recorded them, in one go."""
    scratch = Scratch(57.3, 2.4, 3.9, 131, 0.87, tuple((n, 2 * n) for n in range(20)))
    reason = Reason(Rule.MIN_SCRATCH_PX, 57.3, 40, "px")
    result = Result("part", Verdict.FAIL, (reason,), (scratch,), (1920, 1080), Timing())
    now = datetime.now(UTC)
    payload = encode(
        result_message(
            result,
            id="ID",
            seq=0,
            time=now,
            site="plant-a",
            line="line1",
            limits=Limits(),
            model=ModelInfo(name="none", sha256="0" * 64, runtime="none"),
        )
    )
    head, tail = payload.replace('"seq":0', '"seq":SEQ').split("SEQ")
    assert json.loads(f"{head}1{tail}")["seq"] == 1
    with closing(Outbox(folder / ledger.OUTBOX)) as outbox:
        rows = (
            (
                seq,
                name,
                "inspector/v1/plant-a/line1/result",
                f"{head}{seq}{tail}".replace("ID", name),
            )
            for seq in range(1, count + 1)
            for name in [f"{outbox.device}-1-{seq}"]
        )
        outbox._database.execute("BEGIN")
        outbox._database.executemany(
            "INSERT INTO outbox (seq, id, topic, payload, recorded_at, session)"
            f" VALUES (?, ?, ?, ?, '{now.isoformat(timespec='milliseconds')}', 1)",
            rows,
        )
        outbox._database.execute("COMMIT")


def _late_s(folder: Path, count: int) -> list[float]:
    """By how much each new result was recorded later after the one before than it should be."""
    with closing(sqlite3.connect(folder / ledger.OUTBOX)) as database:
        query = "SELECT recorded_at FROM outbox WHERE seq > ? ORDER BY seq"
        stamps = [datetime.fromisoformat(at) for (at,) in database.execute(query, (count,))]
    gaps = zip(stamps[1:], stamps[:-1], strict=True)
    return [max(0.0, (a - b).total_seconds() - EVERY_S) for a, b in gaps] or [0.0]


FAULTS = (
    Fault(
        "a backlog of 24 h at 10 results/s",
        "500 messages/s at least; new results recorded within 2 s; memory flat",
        inject,
        3_000,
        864_000,
        lambda: None if find_mosquitto() else "mosquitto",
    ),
)

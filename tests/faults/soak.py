"""Days of work in minutes: what the daemon holds stays what it was."""

import signal
import time
from pathlib import Path

import numpy as np

from inspector.broker import Broker, find_mosquitto
from tests.faults import ledger
from tests.faults.fault import Fault, Outcome, Run
from tests.faults.nursery import LOG, Nursery, write_line
from tests.faults.resources import Held, expect_flat

WARM_UP = 0.3  # share of the parts after which memory is compared
EVERY_S = 0.5
NEAR = 3  # looks at either end; a file may be open at one of them, and not at the others
PER = 100_000  # parts, to which the slope refers
STEEP_MIB = 0.5  # a slope per `PER` that would take days to show


def inject(run: Run) -> Outcome:
    """Parts as fast as they are judged, recorded and delivered, by the whole daemon."""
    outcome = Outcome()
    seen: list[tuple[int, Held]] = []
    log = run.folder / LOG
    with Broker.start() as broker, Nursery(log) as nursery:
        line = write_line(run.folder, broker.port, every_ms=0)
        pid = nursery.start(line)
        began_s = time.monotonic()
        parts, logged = 0, 0
        while parts < run.count:
            time.sleep(EVERY_S)
            before, parts = parts, _recorded(run.folder)
            for _ in range(parts - before):
                run.tick()
            if parts >= WARM_UP * run.count:
                logged = logged or log.stat().st_size
                seen.append((parts, Held.by(pid)))
        rate = parts / (time.monotonic() - began_s)
        wal = Path(f"{run.folder / ledger.OUTBOX}-wal").stat().st_size
        written = log.stat().st_size - logged
        outcome.expect(nursery.kill(signal.SIGTERM) == 0, "it did not end well")
    outcome.injected = parts
    _, first = max(seen[:NEAR], key=lambda one: one[1].descriptors)
    _, last = min(seen[-NEAR:], key=lambda one: one[1].descriptors)
    expect_flat(outcome, first, last)
    outcome.expect(wal < 2 << 20, f"the log of the outbox has {wal} bytes")
    outcome.expect(written == 0, f"{written} bytes were logged while all was well")
    slope = np.polyfit([n for n, _ in seen], [held.rss_mib for _, held in seen], 1)[0]
    if parts >= PER:  # in fewer it is within what a process takes and gives
        outcome.expect(slope * PER < STEEP_MIB, f"memory grows by {slope * PER:.2f} MiB per {PER}")
    outcome.measured = (
        f"{rate:.0f} parts/s; {last}; slope {slope * PER:+.2f} MiB per 100,000 parts "
        f"from {first.rss_mib:.0f} MiB"
    )
    return outcome


def _recorded(folder: Path) -> int:
    if not (folder / ledger.OUTBOX).exists():
        return 0
    return ledger.ask(folder, "SELECT max(seq) FROM outbox")


FAULTS = (
    Fault(
        "a soak with a fake model",
        "memory +5 % and 5 MiB at most; descriptors, threads, outbox log and log flat",
        inject,
        3_000,
        864_000,
        lambda: None if find_mosquitto() else "mosquitto",
    ),
)

"""What fifty viewers of the page cost the line: its rate with them and without, in turns.

    python -m tests.load.viewers [--viewers 50] [--turns 10] [--seconds 2.5]

The daemon judges sample pictures as fast as it can. The viewers, each with the live picture and the
changes, run on the same machine and read all they get, so their own work is in the figure too.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import yaml

from inspector.broker import free_port
from inspector.demo.conveyor import Conveyor
from inspector.record.database import look

SETTLE_S = 0.7  # after viewers have come or gone


def main() -> None:
    """Print the rates of each turn, and what the viewers cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.5)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        daemon, outbox, port = start(Path(folder))
        try:
            asyncio.run(measure(outbox, port, told))
        finally:
            daemon.terminate()
            daemon.wait()


def start(folder: Path) -> tuple[subprocess.Popen[bytes], Path, int]:
    """The daemon, once it has judged some parts."""
    Conveyor(folder)
    port = free_port()
    line = {
        "site": "load",
        "line": "viewers",
        "camera": {"source": "folder:camera", "loop": True},
        "mqtt": {"port": free_port()},  # nobody is there
        "evidence": None,
        "page": {"listen": f"127.0.0.1:{port}"},
    }
    path = folder / "line.yaml"
    path.write_text(yaml.safe_dump(line))
    command = [sys.executable, "-m", "inspector", "run", "--config", str(path)]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    outbox = folder / "state" / "viewers" / "outbox.db"
    while not outbox.exists() or judged(outbox) < 20:
        assert daemon.poll() is None, "the daemon has ended"
        time.sleep(0.2)
    return daemon, outbox, port


def judged(outbox: Path) -> int:
    """Number of the newest result; 0 while the outbox is being made."""
    with (
        contextlib.closing(look(outbox)) as database,
        contextlib.suppress(sqlite3.OperationalError),
    ):
        row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        return row[0] if row else 0
    return 0


async def measure(outbox: Path, port: int, told: argparse.Namespace) -> None:
    """In turns, without viewers first."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    received, sent = [0], 0
    for turn in range(told.turns):
        for watched in (False, True) if turn % 2 == 0 else (True, False):
            viewers = [
                asyncio.create_task(view(port, path, received))
                for path in ("live.mjpg", "events") * (told.viewers if watched else 0)
            ]
            await asyncio.sleep(SETTLE_S)
            before, had, start_s = judged(outbox), received[0], time.monotonic()
            await asyncio.sleep(told.seconds)
            seconds = time.monotonic() - start_s
            rates[watched].append((judged(outbox) - before) / seconds)
            sent += received[0] - had
            for viewer in viewers:
                viewer.cancel()
            await asyncio.gather(*viewers, return_exceptions=True)
        print(
            f"turn {turn + 1}: {rates[False][-1]:.1f} parts/s without, "
            f"{rates[True][-1]:.1f} with {told.viewers} viewers",
            flush=True,
        )
    ratios = sorted(w / wo for w, wo in zip(rates[True], rates[False], strict=True))
    total = sum(rates[True]) / sum(rates[False])
    watched_s = told.turns * told.seconds
    print(
        f"rate with viewers / without: {total:.3f} over all turns, median of the turns "
        f"{median(ratios):.3f} ({ratios[0]:.3f} … {ratios[-1]:.3f}); "
        f"{sent / watched_s / 1e6:.1f} MB/s sent"
    )


async def view(port: int, path: str, received: list[int]) -> None:
    """One viewer's stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        while data := await reader.read(1 << 18):
            received[0] += len(data)
    finally:
        writer.close()


if __name__ == "__main__":
    main()

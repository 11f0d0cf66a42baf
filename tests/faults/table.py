"""The table of faults in `docs/reliability.md`: one row for each, of the run that was made last."""

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from inspector.broker import find_mosquitto
from inspector.versions import processor
from tests.faults.fault import Fault, Outcome

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- by `make faults` -->\n", "<!-- end -->\n"
HEAD = (
    "| fault | what must hold | injected | broken | recovery p50 / p95 | measured | run |\n"
    "|---|---|---|---|---|---|---|\n"
)


def row(fault: Fault, outcome: Outcome | None, run: str) -> str:
    """A line of the table; without an outcome it says that the fault was not injected."""
    if outcome is None:
        return _line(fault.name, fault.promise, "not run", "", "", fault.missing() or "", run)
    injected = f"{outcome.injected:,}"
    if outcome.injected < fault.long:
        injected += f" of {fault.long:,}"
    recovery = ""
    if outcome.recovered_s:
        p50_s, p95_s = np.percentile(outcome.recovered_s, [50, 95])
        recovery = f"{p50_s:.2f} / {p95_s:.2f} s"
    broken = f"**{len(outcome.broken)}**" if outcome.broken else "0"
    return _line(fault.name, fault.promise, injected, broken, recovery, outcome.measured, run)


def run_of(seed: int) -> str:
    """When, of which commit and with which seed a row was made, and what else kept the machine
    busy: the load when it begins.
    """
    commit = _say("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    load = f"{os.getloadavg()[0]:.1f}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {commit}, seed {seed}, load {load}"


def machine() -> str:
    """On what the table was made."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    mosquitto = find_mosquitto()
    broker = _say(mosquitto, "-h").split("\n")[0] if mosquitto else "no mosquitto"
    return (
        f"Machine: {os.cpu_count()} × {processor()}, {memory} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {broker}.\n"
    )


def write(faults: tuple[Fault, ...], rows: dict[str, str], document: Path = DOCUMENT) -> None:
    """Put new rows, by the name of the fault, into the table.

    The others stay if they were made on this machine; a fault that has no row was not run.
    """
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    here = machine()
    known = {_name(line): line for line in old.splitlines(keepends=True)} if here in old else {}
    lines = (rows.get(f.name) or known.get(f.name) or row(f, None, "") for f in faults)
    table = f"{here}\n{HEAD}{''.join(lines)}"
    document.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


def _name(line: str) -> str:
    return line.removeprefix("| ").partition(" | ")[0]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _say(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()

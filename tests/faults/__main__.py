"""`make faults`: every fault in its long form, and the table of what became of them.

    python -m tests.faults [--seed N] [--share 0.03] [--only WORD] [--no-write]

A fault that broke a promise is told with its seed; the same seed and share repeat it.
"""

import logging
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.faults import table
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault, Outcome, Run

console = Console(soft_wrap=True)


def main(
    seed: Annotated[
        int | None, typer.Option(help="Draws every moment; printed if left out")
    ] = None,
    share: Annotated[float, typer.Option(help="Of the long counts, for less time")] = 1.0,
    only: Annotated[str, typer.Option(help="Faults whose name has this word")] = "",
    write: Annotated[bool, typer.Option(help="Put the rows into docs/reliability.md")] = True,
) -> None:
    """Inject, one after the other; exit code 1 if a promise was broken."""
    logging.disable(logging.CRITICAL)  # of what is injected here; daemons log to files of their own
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    console.print(f"seed {seed}, share {share:g}")
    rows, broken = {}, False
    for fault in (fault for fault in FAULTS if only in fault.name):
        run = table.run_of(seed)
        outcome = None if fault.missing() else _inject(fault, seed, share)
        rows[fault.name] = table.row(fault, outcome, run)
        console.print(rows[fault.name].strip())
        for text in outcome.broken if outcome else ():
            broken = True
            console.print(f"  broken: {text}")
        if write:
            table.write(FAULTS, rows)
    sys.exit(broken)


def _inject(fault: Fault, seed: int, share: float) -> Outcome:
    count = max(fault.short, round(share * fault.long))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        tempfile.TemporaryDirectory() as folder,
        Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress,
    ):
        task = progress.add_task(fault.name, total=count)
        return fault.inject(Run(count, seed, Path(folder), lambda: progress.advance(task)))


if __name__ == "__main__":
    typer.run(main)

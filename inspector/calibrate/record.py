"""Dated records of what a scratch may not reach: set, show, take back."""

import getpass
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from inspector import lines
from inspector.calibration import LONGEST_NAME, Calibrated, History, outdated, tell
from inspector.errors import ConfigError


def add(path: Path, found: Calibrated, *, by: str | None, dry_run: bool) -> None:
    """Add a dated record that puts in force what was `found` for the line at `path`.

    Raises:
        ConfigError: the line does not validate with it, or the record cannot be written.
    """
    _change(path, lambda h: h.set(found, by=_who(by), time=_now()), dry_run=dry_run)


def undo(path: Path, *, by: str | None, dry_run: bool) -> None:
    """Take back the last calibration that is in force, as a record of its own.

    Raises:
        ConfigError: there is none, or the record cannot be written.
    """
    _change(path, lambda h: h.undo(by=_who(by), time=_now()), dry_run=dry_run)


def show(path: Path) -> None:
    """Print what is in force, and every record.

    Raises:
        ConfigError: the records contradict the line's file, or one of them cannot be read.
    """
    line = lines.read(path)
    with _records_after(line):
        in_force = line.config
        if in_force.scale is not None:
            sys.stdout.write(f"scale: {in_force.scale}\n")
        for key, value in in_force.sight:
            if value is not None:
                sys.stdout.write(f"{key}: {value}\n")
        for of, key, value in in_force.limits.everywhere():
            where = f" {of.told}" if of else ""
            sys.stdout.write(f"{key}: {value:g}{where}\n")
        for text in outdated(line.history, lines.setup(in_force)):
            sys.stdout.write(f"calibrate again? {text}\n")


@contextmanager
def _records_after(line: lines.Line) -> Iterator[None]:
    """Also where they contradict the line's file: to see that is why they are asked for."""
    try:
        yield
    finally:
        for record in line.history.records:
            sys.stdout.write(tell(record) + "\n")
        if not line.history.records:
            sys.stdout.write(f"never calibrated; the limits are those of {line.path}\n")


def _change(path: Path, change: Callable[[History], History], *, dry_run: bool) -> None:
    before, after = lines.recalibrate(path, change, dry_run=dry_run)
    if before is None:
        sys.stdout.write(f"what was calibrated before contradicted {path}\n")
        before = lines.read_file(path)[1]
    told = [("scale", before.scale, after.scale)]
    for was_all, now_all in ((before.sight, after.sight), (before.limits, after.limits)):
        both = zip(was_all, now_all, strict=True)
        told += [(key, was, now) for (key, was), (_, now) in both]
    for key, was, now in told:
        if was != now:
            sys.stdout.write(f"{key}: {was} → {now}\n")
    if before == after:
        sys.stdout.write("no value changes, only what says it: this record or the file\n")
    if dry_run:
        sys.stdout.write("dry run: nothing was written\n")
    else:
        sys.stdout.write(
            f"recorded in {lines.history_of(path)}; a running inspector takes it over by itself\n"
        )


def _who(by: str | None) -> str:
    """Who types this, also behind sudo, and where; `by` if it is said.

    Raises:
        ConfigError: what is said is no name.
    """
    if by is not None:
        if not (by.isprintable() and 1 <= len(by) <= LONGEST_NAME):
            raise ConfigError(
                f"--by: expected 1 to {LONGEST_NAME} printable characters, found {by[:60]!r}"
            )
        return by
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # an account that the system has no name for
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"[:LONGEST_NAME]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)

"""Dated records of what a scratch may not reach: set, show, take back."""

import getpass
import os
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from inspector import lines
from inspector.calibration import Calibrated, History, tell


def set_limits(path: Path, limits: Calibrated, *, by: str | None, dry_run: bool) -> None:
    """Add a dated record that sets the limits of the line at `path`.

    Raises:
        ConfigError: the line does not validate, with or without the new limits, or the record
            cannot be written.
    """
    _change(path, lambda h: h.set(limits, by=by or _who(), time=_now()), dry_run=dry_run)


def undo(path: Path, *, by: str | None, dry_run: bool) -> None:
    """Take back the last calibration that is in force, as a record of its own.

    Raises:
        ConfigError: there is none, or the record cannot be written.
    """
    _change(path, lambda h: h.undo(by=by or _who(), time=_now()), dry_run=dry_run)


def show(path: Path) -> None:
    """Print what is in force, and every record."""
    line = lines.read(path)
    if line.config.scale is not None:
        sys.stdout.write(f"scale: {line.config.scale}\n")
    for key, value in line.config.sight:
        if value is not None:
            sys.stdout.write(f"{key}: {value}\n")
    for zone, key, value in line.config.limits.everywhere():
        where = f" in the zone {zone.name}" if zone else ""
        sys.stdout.write(f"{key}: {value:g}{where}\n")
    for record in line.history.records:
        sys.stdout.write(tell(record) + "\n")
    if not line.history.records:
        sys.stdout.write(f"never calibrated; the limits are those of {path}\n")


def _change(path: Path, change: Callable[[History], History], *, dry_run: bool) -> None:
    before, after = lines.recalibrate(path, change, dry_run=dry_run)
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


def _who() -> str:
    """Who types this, also behind sudo, and where."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)

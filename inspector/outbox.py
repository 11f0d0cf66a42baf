"""`inspector outbox`: what stands in a line's outbox, and publishing of it once more."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from inspector.errors import NoInputError, NotPermitted
from inspector.progress import tracked
from inspector.record.replay import Rows, find, put_back
from inspector.record.schema import OUTBOX
from inspector.record.survey import Survey, survey


def status(state_dir: Path, *, as_json: bool) -> None:
    """Print what stands in the outbox, whether its line runs or not.

    Raises:
        NoInputError: there is none.
        NotPermitted: this user may not read it.
        OutboxError: it cannot be read.
    """
    path = _locate(state_dir, os.R_OK)
    found = survey(path)
    age_s = None
    if found.oldest_waiting is not None:
        age_s = max((datetime.now(UTC) - found.oldest_waiting).total_seconds(), 0.0)
    if as_json:
        told = asdict(found) | {"path": path, "oldest_waiting_s": age_s}
        text = json.dumps(told, default=_plain)
    else:
        text = "\n".join(f"{name:14} {value}" for name, value in _rows(path, found, age_s))
    sys.stdout.write(text + "\n")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _rows(path: Path, found: Survey, age_s: float | None) -> list[tuple[str, object]]:
    oldest = refusal = ""
    if found.oldest_waiting is not None and age_s is not None:
        since = f"{found.oldest_waiting.astimezone():%Y-%m-%d %H:%M:%S}"
        oldest = f", the oldest for {_span(age_s)}, since {since}"
    if found.refusal is not None:
        refusal = f", the newest because: {found.refusal}"
    first, last = found.kept
    return [
        ("outbox", f"{path}, {found.size_bytes / 2**20:.1f} MiB"),
        ("device", f"{found.device}, session {found.session}"),
        ("results", f"{found.last_seq} so far; kept: {f'{first} to {last}' if last else 'none'}"),
        ("waiting", f"{found.waiting}{oldest}"),
        ("refused", f"{found.parked}{refusal}"),
        ("acknowledged", found.acknowledged),
        *(("damaged", f"{file}, {file.stat().st_size / 2**20:.1f} MiB") for file in found.damaged),
    ]


def _span(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def replay(state_dir: Path, rows: Rows, *, dry_run: bool) -> None:
    """Put results back: the line publishes them with the same id and `"historical": true`.

    Raises:
        NoInputError: there is no outbox, or no such row in it.
        NotPermitted: this user may not write it.
        OutboxError: it cannot be read or written.
    """
    path = _locate(state_dir, os.R_OK | os.W_OK)
    seqs = find(path, rows)
    if not seqs:
        first, last = survey(path).kept
        kept = f"kept are {first} to {last}" if last else "it is empty"
        raise NoInputError(f"{path}: expected results {rows.words}, found none; {kept}")
    found = f"{len(seqs)} results {rows.words}: number {seqs[0]} to {seqs[-1]}"
    if dry_run:
        sys.stdout.write(f"{found}\ndry run: nothing was written\n")
        return
    for _ in tracked(put_back(path, seqs), "Putting back", len(seqs)):
        pass
    sys.stdout.write(f"{found}\nthe line publishes them again, with the same ids\n")


def _locate(state_dir: Path, rights: int) -> Path:
    path = state_dir / OUTBOX
    try:
        path.stat()
    except PermissionError:
        pass
    except OSError as error:
        raise NoInputError(
            f"{path}: expected an outbox, found: {error.strerror}; a line makes it at its start"
        ) from None
    if not os.access(path, rights):
        raise NotPermitted(
            f"{path}: expected the right to use it, found none: root and the user of the line can"
        )
    return path

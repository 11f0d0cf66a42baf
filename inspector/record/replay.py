"""Puts rows of an outbox back, so that they are published again, with the same id.

It writes beside the process that holds the outbox, a little at a time: a result that is recorded
meanwhile waits for some milliseconds.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inspector.errors import NoInputError, OutboxError
from inspector.record.database import join, look, transaction
from inspector.record.schema import MIGRATIONS, stamp

BATCH = 200  # rows, about 10 ms
PAUSE_S = 0.02  # in which others write
LAST = 2**63 - 1  # SQLite has no larger number


@dataclass(frozen=True, slots=True)
class Rows:
    """A condition of SQL with its values, and how it is said in a sentence."""

    where: str
    values: tuple[object, ...]
    words: str


def acknowledged_since(moment: datetime) -> Rows:
    """What the broker has acknowledged at `moment` (with time zone) or later."""
    words = f"acknowledged since {moment.isoformat(timespec='seconds')}"
    return Rows("acked_at >= ?", (stamp(moment),), words)


def numbered(first: int, last: int) -> Rows:
    """What the broker has acknowledged of these numbers, both included.

    Raises:
        NoInputError: no result can have such a number.
    """
    if last > LAST:
        raise NoInputError(f"expected numbers of results, {LAST} at most, found {last}")
    words = f"acknowledged and numbered {first} to {last}"
    return Rows("seq BETWEEN ? AND ? AND acked_at IS NOT NULL", (first, last), words)


REFUSED = Rows("parked IS NOT NULL", (), "refused by the broker")


def find(path: Path, rows: Rows) -> list[int]:
    """The numbers of those rows, in order.

    Raises:
        OutboxError: the outbox cannot be read.
    """
    query = f"SELECT seq FROM outbox WHERE {rows.where} ORDER BY seq"  # noqa: S608 - our own words
    try:
        with contextlib.closing(look(path)) as database:
            return [seq for (seq,) in database.execute(query, rows.values)]
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: expected an outbox, found: {error}") from error


def put_back(path: Path, seqs: list[int]) -> Iterator[int]:
    """Mark these rows as waiting; yields the number of each one once that is on the disk.

    Raises:
        OutboxError: the disk refuses, or another version made the outbox.
    """
    now = stamp(datetime.now(UTC))
    try:
        with contextlib.closing(join(path, len(MIGRATIONS))) as database:
            for start in range(0, len(seqs), BATCH):
                batch = seqs[start : start + BATCH]
                if start:
                    time.sleep(PAUSE_S)
                with transaction(database):
                    database.executemany(
                        "UPDATE outbox SET acked_at = NULL, parked = NULL, replayed_at = ?"
                        " WHERE seq = ? AND (acked_at IS NOT NULL OR parked IS NOT NULL)",
                        [(now, seq) for seq in batch],
                    )
                yield from batch
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: expected to put rows back, found: {error}") from error

"""What stands in an outbox, seen from beside the process that holds it."""

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from inspector.errors import OutboxError
from inspector.record.database import kept_aside, look

WAITING = "SELECT count(*), min(seq) FROM outbox WHERE acked_at IS NULL AND parked IS NULL"


@dataclass(frozen=True, slots=True)
class Survey:
    """Numbers of rows; `kept` are the lowest and the highest of their numbers, 0 without any.

    `refusal` is what the broker said to the newest parked row. `size_bytes` is that of the database
    and its log. `damaged` are files that were set aside at a start.
    """

    device: str
    session: int
    last_seq: int
    kept: tuple[int, int]
    waiting: int
    oldest_waiting: datetime | None
    parked: int
    refusal: str | None
    acknowledged: int
    size_bytes: int
    damaged: tuple[Path, ...]


def survey(path: Path) -> Survey:
    """Read the outbox at `path` as it is at one moment; whoever writes is not held up.

    Raises:
        OutboxError: it cannot be read.
    """
    try:
        with contextlib.closing(look(path)) as database:
            database.execute("BEGIN")
            meta = dict(database.execute("SELECT name, value FROM meta"))
            waiting, oldest = _first(database, WAITING)
            parked, newest = _first(
                database, "SELECT count(*), max(seq) FROM outbox WHERE parked IS NOT NULL"
            )
            since = _first(database, "SELECT recorded_at FROM outbox WHERE seq = ?", oldest)
            refusal = _first(database, "SELECT parked FROM outbox WHERE seq = ?", newest)
            last = _first(database, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
            return Survey(
                device=str(meta["device"]),
                session=int(meta["session"]),
                last_seq=last[0] or 0,
                kept=(
                    _first(database, "SELECT min(seq) FROM outbox")[0] or 0,
                    _first(database, "SELECT max(seq) FROM outbox")[0] or 0,
                ),
                waiting=waiting,
                oldest_waiting=datetime.fromisoformat(since[0]) if since[0] else None,
                parked=parked,
                refusal=refusal[0],
                acknowledged=_first(
                    database, "SELECT count(*) FROM outbox WHERE acked_at IS NOT NULL"
                )[0],
                size_bytes=sum(map(_size, (path, Path(f"{path}-wal")))),
                damaged=kept_aside(path),
            )
    except (sqlite3.Error, KeyError) as error:
        raise OutboxError(f"{path}: expected an outbox, found: {error}") from error


def backlog(path: Path) -> tuple[int, datetime | None]:
    """How many results wait for the broker, and since when the oldest does.

    Raises:
        OutboxError: it cannot be read.
    """
    try:
        with contextlib.closing(look(path)) as database:
            count, oldest = _first(database, WAITING)
            since = _first(database, "SELECT recorded_at FROM outbox WHERE seq = ?", oldest)
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: expected an outbox, found: {error}") from error
    return count, datetime.fromisoformat(since[0]) if since[0] else None


def payloads(path: Path, newest: int) -> list[str]:
    """The messages of so many of the newest rows, the oldest first.

    Raises:
        OutboxError: it cannot be read.
    """
    try:
        with contextlib.closing(look(path)) as database:
            query = "SELECT payload FROM outbox ORDER BY seq DESC LIMIT ?"
            return [payload for (payload,) in database.execute(query, (newest,))][::-1]
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: expected an outbox, found: {error}") from error


def _first(database: sqlite3.Connection, query: str, *values: object) -> tuple[Any, ...]:
    """The first row, a row of None where there is none."""
    return database.execute(query, values).fetchone() or (None,)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

"""The outbox: every result is committed to a database before anybody hears of it.

SQLite with a write-ahead log and `synchronous=FULL`: a commit that returned survives a kill and a
power cut. Rows leave `pending` only by the broker's answer; acknowledged ones stay until purged.
"""

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inspector.errors import OutboxError
from inspector.record.database import connect, hold, transaction

PURGE_BATCH = 200  # rows, about 10 ms, so that a purge holds up no result

MIGRATIONS = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        topic TEXT NOT NULL,
        payload TEXT NOT NULL,
        recorded_at TEXT NOT NULL,  -- UTC
        session INTEGER NOT NULL,
        acked_at TEXT,              -- UTC, NULL until the broker said yes
        parked TEXT                 -- why the broker said no
    );
    CREATE INDEX pending ON outbox (seq) WHERE acked_at IS NULL AND parked IS NULL;
    """,
    "CREATE INDEX acked ON outbox (acked_at) WHERE acked_at IS NOT NULL;",  # for purge
)
"""Only ever append."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The number and the name that a result gets, to be written into its payload."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded message."""

    seq: int
    id: str
    topic: str
    payload: str


class Outbox:
    """The database of one line. Usable from any thread; only one process may hold it.

    `set_aside` is the file that was found damaged and renamed at this start, None if all was well.

    Raises:
        OutboxError: another process holds it, a newer version made it, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = hold(path)
            try:
                self._database, self.set_aside = connect(path, MIGRATIONS)
                self.device, self.session = self._begin_session()
            except BaseException:
                os.close(self._guard)
                raise
        except (OSError, sqlite3.Error) as error:
            raise OutboxError(f"{path}: expected to keep results there, found: {error}") from error

    def _begin_session(self) -> tuple[str, int]:
        with transaction(self._database) as database:
            database.execute(
                "INSERT OR IGNORE INTO meta VALUES ('device', ?), ('session', 0)",
                (secrets.token_hex(6),),
            )
            database.execute("UPDATE meta SET value = value + 1 WHERE name = 'session'")
            # What the broker refused may have been its configuration: each start tries it again.
            database.execute("UPDATE outbox SET parked = NULL WHERE parked IS NOT NULL")
            meta = dict(database.execute("SELECT name, value FROM meta"))
        return str(meta["device"]), int(meta["session"])

    @property
    def last_seq(self) -> int:
        """Number of the newest row that was ever recorded, 0 before the first."""
        with self._using() as database:
            return _last_seq(database)

    def record(self, topic: str, make: Callable[[Ticket], str]) -> Row:
        """Commit the message that `make` writes for its ticket: when this returns, it is on disk.

        Raises:
            OutboxError: it was not recorded. What `make` raises passes through, nothing recorded.
        """
        with self._using() as database:
            seq = _last_seq(database) + 1
            ticket = Ticket(seq, f"{self.device}-{self.session}-{seq}")
            row = Row(seq, ticket.id, topic, make(ticket))
            database.execute(
                "INSERT INTO outbox (seq, id, topic, payload, recorded_at, session)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (row.seq, row.id, row.topic, row.payload, _stamp(), self.session),
            )
            return row

    def pending(self, after_seq: int, limit: int) -> tuple[Row, ...]:
        """The oldest rows beyond `after_seq` that the broker has not answered."""
        with self._using() as database:
            rows = database.execute(
                "SELECT seq, id, topic, payload FROM outbox"
                " WHERE acked_at IS NULL AND parked IS NULL AND seq > ? ORDER BY seq LIMIT ?",
                (after_seq, limit),
            )
            return tuple(Row(*row) for row in rows)

    def acked(self, *seqs: int) -> None:
        """The broker has these rows."""
        now = _stamp()
        with self._using() as database, transaction(database):
            database.executemany(
                "UPDATE outbox SET acked_at = ? WHERE seq = ?", [(now, seq) for seq in seqs]
            )

    def parked(self, seq: int, reason: str) -> None:
        """The broker refuses this row: it is kept, and tried again after the next start."""
        with self._using() as database:
            database.execute("UPDATE outbox SET parked = ? WHERE seq = ?", (reason, seq))

    def depth(self) -> int:
        """Number of rows that the broker has not answered."""
        query = "SELECT count(*) FROM outbox WHERE acked_at IS NULL AND parked IS NULL"
        with self._using() as database:
            return int(database.execute(query).fetchone()[0])

    def verdicts_since(self, moment: datetime) -> dict[str, int]:
        """How many results of each verdict were recorded at `moment` (with time zone) or later."""
        query = (
            "SELECT json_extract(payload, '$.verdict'), count(*) FROM outbox"
            " WHERE recorded_at >= ? GROUP BY 1"
        )
        since = moment.astimezone(UTC).isoformat(timespec="milliseconds")
        with self._using() as database:
            return dict(database.execute(query, (since,)).fetchall())

    def purge(self, max_age: timedelta, max_rows: int) -> int:
        """Delete acknowledged rows that were acknowledged longer ago, or lie before the newest.

        One call deletes at most `PURGE_BATCH` rows and returns how many.
        """
        with self._using() as database:
            return database.execute(
                # UNION ALL: each half goes along its index, an OR would look at every row.
                "DELETE FROM outbox WHERE seq IN ("
                " SELECT seq FROM outbox WHERE acked_at < ?"
                " UNION ALL SELECT seq FROM outbox WHERE acked_at IS NOT NULL AND seq <= ?"
                " LIMIT ?)",
                (_stamp(-max_age), _last_seq(database) - max_rows, PURGE_BATCH),
            ).rowcount

    def close(self) -> None:
        """Fold the log into the database and let it go; a second call does nothing."""
        with self._lock:
            if self._guard < 0:
                return
            with contextlib.suppress(sqlite3.Error):  # a full disk: the log is as good
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
            os.close(self._guard)
            self._guard = -1

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise OutboxError(f"{self.path}: {error}") from error


def _last_seq(database: sqlite3.Connection) -> int:
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    return int(row[0]) if row else 0


def _stamp(offset: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + offset).isoformat(timespec="milliseconds")

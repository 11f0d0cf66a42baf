"""The outbox: every result is committed to a database before anybody hears of it.

SQLite with a write-ahead log and `synchronous=FULL`: a commit that returned survives a kill and a
power cut. Rows leave `pending` only by the broker's answer; acknowledged ones stay until purged.
"""

import contextlib
import logging
import math
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from inspector.errors import ConfigError, NotPermitted, OutboxError
from inspector.record.ballast import Ballast
from inspector.record.database import (
    connect,
    hold,
    identity,
    is_full,
    refuse,
    still_holds,
    transaction,
    write_anew,
)
from inspector.record.schema import MIGRATIONS, stamp

log = logging.getLogger(__name__)
T = TypeVar("T")

AGAIN_S = 5.0  # what could not be written anew is tried again so often
PURGE_BATCH = 200  # rows, about 10 ms, so that a purge holds up no result
TALLY = timedelta(days=2)  # for so long verdicts of purged rows are still counted
MINUTE = len("2026-11-21T04:24")  # the head of a stamp


@dataclass(frozen=True, slots=True)
class Ticket:
    """The number and the name that a result gets, to be written into its payload."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded message; `replayed`: somebody has put it back to be published again."""

    seq: int
    id: str
    topic: str
    payload: str
    replayed: bool = False


class Outbox:
    """The database of one line. Usable from any thread; only one process may hold it.

    `set_aside` is the file that was found damaged and renamed at this start, None if all was well.
    Where the disk is full, `ballast` is released, so that what is being written finds room. Where
    somebody deletes or replaces the file, all that is in it is written anew under its name; while
    that is not possible, results are delivered, and no more are recorded.

    Raises:
        OutboxError: another process holds it, a newer version made it, or the disk refuses.
        NotPermitted: this user may not write there.
        ConfigError: its folder cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mishap: str | None = None
        self._is_astray = False  # the file that is written has no name, or another one
        self._anew_due_s = -math.inf
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.ballast = Ballast(path.with_name("ballast"))
        except PermissionError as error:
            raise _forbidden(path, error) from None
        except OSError as error:
            raise ConfigError(
                f"state_dir: expected a folder for results, found {path.parent}: {error.strerror}"
            ) from None
        try:
            self._guard = hold(path)
            try:
                self._database, self.set_aside = self._with_room(lambda: connect(path, MIGRATIONS))
                self.device, self.session = self._written(self._begin_session)
            except BaseException:
                os.close(self._guard)
                raise
        except PermissionError as error:
            raise _forbidden(path, error) from None
        except (OSError, sqlite3.Error) as error:
            places = filter(Path.exists, (path.parent, path))
            if not all(os.access(place, os.R_OK | os.W_OK) for place in places):
                raise _forbidden(path, error) from None
            raise OutboxError(f"{path}: expected to keep results there, found: {error}") from error
        self._files = identity(path)
        self._data_version = self._read_data_version()

    @staticmethod
    def refuse(path: Path) -> None:
        """Before anything that takes long: what would be refused after it, too.

        Raises:
            OutboxError: another process holds it.
            OutboxTooNew: a newer version made it.
        """
        refuse(path, MIGRATIONS)

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
            self._expect_a_name()
            seq = _last_seq(database) + 1
            # Where an older copy of the folder was put back, numbers and sessions come again. What
            # is drawn stands last: new ids lie together in their index, which then has no holes.
            ticket = Ticket(seq, f"{self.device}-{self.session}-{seq}-{secrets.token_hex(4)}")
            row = Row(seq, ticket.id, topic, make(ticket))
            values = (row.seq, row.id, row.topic, row.payload, _stamp(), self.session)
            self._written(
                lambda: database.execute(
                    "INSERT INTO outbox (seq, id, topic, payload, recorded_at, session)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    values,
                )
            )
            self._keep_its_name()  # a commit without one would not be there after a crash
            self._expect_a_name()
            return row

    def pending(self, after_seq: int, limit: int) -> tuple[Row, ...]:
        """The oldest rows beyond `after_seq` that the broker has not answered."""
        with self._using() as database:
            rows = database.execute(
                "SELECT seq, id, topic, payload, replayed_at IS NOT NULL FROM outbox"
                " WHERE acked_at IS NULL AND parked IS NULL AND seq > ? ORDER BY seq LIMIT ?",
                (after_seq, limit),
            )
            return tuple(
                Row(seq, name, topic, payload, bool(replayed))
                for seq, name, topic, payload, replayed in rows
            )

    def changed_elsewhere(self) -> bool:
        """Whether another process has written since this was last asked, as a replay does."""
        version = self._read_data_version()
        before, self._data_version = self._data_version, version
        return version != before

    def answered(self, refusals: Mapping[int, str | None]) -> None:
        """What the broker said to these rows, all or nothing: None, it has the row; or why not.

        A row that it refuses is kept, and tried again after the next start.
        """
        now = _stamp()
        values = [(now if r is None else None, r, seq) for seq, r in refusals.items()]

        def write() -> None:
            with transaction(self._database) as database:
                database.executemany(
                    "UPDATE outbox SET acked_at = ?, parked = ? WHERE seq = ?", values
                )

        with self._using():
            self._written(write)

    def depth(self) -> int:
        """Number of rows that the broker has not answered."""
        query = "SELECT count(*) FROM outbox WHERE acked_at IS NULL AND parked IS NULL"
        with self._using() as database:
            return int(database.execute(query).fetchone()[0])

    def refused(self, *, only_new: bool = False) -> int:
        """Number of rows that the broker refuses; `only_new`: of those recorded since the start."""
        query = "SELECT count(*) FROM outbox WHERE parked IS NOT NULL AND session >= ?"
        with self._using() as database:
            return int(database.execute(query, (self.session if only_new else 0,)).fetchone()[0])

    def verdicts_since(self, moment: datetime) -> dict[str, int]:
        """How many results of each verdict were recorded at `moment` (with time zone) or later.

        Purged ones count for two days, by whole minutes.
        """
        query = (
            "SELECT verdict, sum(parts) FROM ("
            " SELECT json_extract(payload, '$.verdict') AS verdict, count(*) AS parts FROM outbox"
            " WHERE recorded_at >= :since AND json_valid(payload) GROUP BY 1"
            " UNION ALL SELECT verdict, parts FROM tally WHERE minute >= substr(:since, 1, :head)"
            ") GROUP BY 1"
        )
        since = {"since": stamp(moment), "head": MINUTE}
        with self._using() as database:
            return dict(database.execute(query, since).fetchall())

    def mishap(self) -> str | None:
        """Whether somebody has deleted or replaced the file since the start, and what became of it;
        None: nobody has.
        """
        with self._lock:
            self._keep_its_name()
            return self._mishap

    def purge(self, max_age: timedelta, max_rows: int) -> int:
        """Delete acknowledged rows that were acknowledged longer ago, or lie before the newest.

        One call deletes at most `PURGE_BATCH` rows and returns how many.
        """
        with self._using() as database:
            found = database.execute(
                # UNION ALL: each half goes along its index, an OR would look at every row.
                "SELECT seq FROM outbox WHERE acked_at < ?"
                " UNION ALL SELECT seq FROM outbox WHERE acked_at IS NOT NULL AND seq <= ?"
                " LIMIT ?",
                (_stamp(-max_age), _last_seq(database) - max_rows, PURGE_BATCH),
            )
            seqs = sorted({seq for (seq,) in found})
            if seqs:
                self._written(lambda: self._delete(seqs))
            return len(seqs)

    def _delete(self, seqs: Sequence[int]) -> None:
        since = _stamp(-TALLY)
        with transaction(self._database) as database:
            database.executemany(
                "INSERT INTO tally SELECT substr(recorded_at, 1, ?),"
                " coalesce(json_extract(payload, '$.verdict'), ''), 1 FROM outbox"
                " WHERE seq = ? AND recorded_at >= ? AND json_valid(payload)"
                " ON CONFLICT DO UPDATE SET parts = parts + 1",
                [(MINUTE, seq, since) for seq in seqs],
            )
            database.execute("DELETE FROM tally WHERE minute < ?", (since,))
            database.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in seqs])

    def close(self) -> None:
        """Fold the log into the database and let it go; a second call does nothing."""
        with self._lock:
            if self._guard < 0:
                return
            self._anew_due_s = -math.inf
            self._keep_its_name()
            with contextlib.suppress(sqlite3.Error):  # a full disk: the log is as good
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
            os.close(self._guard)
            self._guard = -1

    def _keep_its_name(self) -> None:
        """If the file that is written bears its name no longer, nothing of it would outlast us."""
        if self._guard < 0:
            return
        if identity(self.path) == self._files:
            if self._is_astray:
                self._is_astray = False
                self._mishap = f"{self.path}: it was away, and is there again"
                log.warning("%s", self._mishap)
            return
        self._is_astray = True
        if time.monotonic() < self._anew_due_s:
            return
        what = f"{self.path}: somebody has deleted or replaced it while the line runs"
        try:
            aside = self._with_room(self._write_anew)
        except (OSError, sqlite3.Error, OutboxError) as error:
            self._anew_due_s = time.monotonic() + AGAIN_S
            told = f"{what}; it cannot be written anew, and is lost with the next stop: {error}"
        else:
            self._is_astray = False
            kept = f"; what lay there is kept as {aside.name}" if aside else ""
            told = f"{what}; all that was in it is written anew{kept}"
        if told != self._mishap:
            log.error("%s", told)
        self._mishap = told

    def _write_anew(self) -> Path | None:
        if not still_holds(self.path, self._guard):
            guard = hold(self.path)  # or else another process has begun to work there
            os.close(self._guard)
            self._guard = guard
        renewed = write_anew(self._database, self.path, self._files)
        self._database, aside, self._files = renewed
        return aside

    def _expect_a_name(self) -> None:
        if self._is_astray:
            raise OutboxError(str(self._mishap))

    def _read_data_version(self) -> int:
        with self._using() as database:
            return int(database.execute("PRAGMA data_version").fetchone()[0])

    def _written(self, write: Callable[[], T]) -> T:
        """What `write` does; if it finds the disk full, once more with the log begun again, so that
        it need not grow, and once more with the ballast released.
        """

        def once_more() -> T:
            try:
                return write()
            except sqlite3.Error as error:
                if not is_full(error):
                    raise
            with contextlib.suppress(sqlite3.Error):  # the database may have to grow for it
                self._database.execute("PRAGMA wal_checkpoint")
            return write()

        return self._with_room(once_more)

    def _with_room(self, write: Callable[[], T]) -> T:
        """What `write` does; once more with the ballast released, if it finds the disk full."""
        try:
            return write()
        except (OSError, sqlite3.Error) as error:
            if not is_full(error) or not self.ballast.release():
                raise
            log.error("%s: %s: the ballast is released", self.path, error)  # noqa: TRY400
            return write()

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._keep_its_name()
            try:
                yield self._database
            except sqlite3.Error as error:
                raise OutboxError(f"{self.path}: {error}") from error


def _forbidden(path: Path, error: Exception) -> NotPermitted:
    why = (isinstance(error, OSError) and error.strerror) or error
    return NotPermitted(
        f"{path.parent}: expected to keep results there, found: {why}: "
        "it has to belong to the user of the line"
    )


def _last_seq(database: sqlite3.Connection) -> int:
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    return int(row[0]) if row else 0


def _stamp(offset: timedelta = timedelta()) -> str:
    return stamp(datetime.now(UTC) + offset)

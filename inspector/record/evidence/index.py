"""The index of what is kept: one row per record of the chain, in a database beside the pictures."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inspector.errors import EvidenceError, OutboxError
from inspector.keeping import FRESH, Gone, Keeping, Kept
from inspector.record.database import connect, identity, join, look, transaction
from inspector.record.schema import stamp
from inspector.types import Verdict

MIGRATIONS = (
    """
    CREATE TABLE record (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        sha256 TEXT NOT NULL,       -- of the record's file, which the next record names
        folder TEXT NOT NULL,
        kept TEXT NOT NULL,
        verdict TEXT NOT NULL,
        judged_at TEXT NOT NULL,    -- UTC
        size_bytes INTEGER NOT NULL,
        gone TEXT,                  -- why its files are no longer there
        gone_at TEXT                -- UTC
    );
    CREATE INDEX there ON record (number, size_bytes, kept, verdict, judged_at) WHERE gone IS NULL;
    CREATE INDEX folder ON record (folder);
    CREATE INDEX going ON record (number) WHERE gone IS NOT NULL AND gone_at IS NULL;
    """,
)
"""Only ever append."""

COLUMNS = "number, id, sha256, folder, kept, verdict, judged_at, size_bytes, gone"


@dataclass(frozen=True, slots=True)
class Row:
    """What the index knows of one record. `gone`: why its files are no longer there."""

    number: int
    id: str
    sha256: str
    folder: str
    kept: Kept
    verdict: Verdict
    judged_at: datetime
    size_bytes: int
    gone: Gone | None = None


class Index:
    """The database `path`; for one thread, and for the commands beside it.

    A damaged file is renamed, and an empty one takes its place. Errors of the disk pass through as
    `sqlite3.Error`.
    """

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self._path = path
        self._files = identity(path)

    @classmethod
    def open(cls, path: Path) -> "Index":
        """For the line, which writes.

        Raises:
            OSError, sqlite3.Error: the disk refuses.
            EvidenceError: a newer version made it.
        """
        try:
            database, _ = connect(path, MIGRATIONS)
        except OutboxError as error:
            raise EvidenceError(str(error)) from None
        return cls(database, path)

    @classmethod
    def beside(cls, path: Path, *, writes: bool = False) -> "Index":
        """For somebody else, while the line may run.

        Raises:
            sqlite3.Error: the disk refuses.
            EvidenceError: it is of another version.
        """
        try:
            return cls(join(path, len(MIGRATIONS)) if writes else look(path), path)
        except OutboxError as error:
            raise EvidenceError(str(error)) from None

    @property
    def in_place(self) -> bool:
        """Whether its files still bear their names: nobody has deleted or replaced them."""
        return identity(self._path) == self._files

    def close(self) -> None:
        """Let the database go."""
        self._database.close()

    def head(self) -> tuple[int, str | None]:
        """Number and hash of the newest record; 0 and None before the first."""
        query = "SELECT number, sha256 FROM record ORDER BY number DESC LIMIT 1"
        found = self._database.execute(query).fetchone()
        return found or (0, None)

    def add(self, row: Row) -> None:
        """Commit the row of a record whose files are on the disk."""
        self._database.execute(
            "INSERT INTO record (number, id, sha256, folder, kept, verdict, judged_at, size_bytes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.number,
                row.id,
                row.sha256,
                row.folder,
                row.kept,
                row.verdict,
                stamp(row.judged_at),
                row.size_bytes,
            ),
        )

    def give_up(self, numbers: Sequence[int], why: Gone) -> None:
        """Note that the files of these records are about to be deleted."""
        with transaction(self._database) as database:
            database.executemany(
                "UPDATE record SET gone = ? WHERE number = ? AND gone IS NULL",
                [(why, number) for number in numbers],
            )

    def given_up(self, numbers: Sequence[int]) -> None:
        """Note that they are deleted."""
        now = stamp(datetime.now(UTC))
        with transaction(self._database) as database:
            database.executemany(
                "UPDATE record SET gone_at = ? WHERE number = ?", [(now, n) for n in numbers]
            )

    def forget(self, before: datetime) -> None:
        """Rows at the old end of the chain whose files are deleted leave, all but the last one: it
        is what the first record that is left refers to. That files are missing is not forgotten of
        a part that was judged later than `before`.
        """
        self._database.execute(
            "DELETE FROM record WHERE number < -1 + coalesce("
            " (SELECT min(number) FROM record WHERE gone IS NULL),"
            " (SELECT max(number) FROM record))"
            " AND gone_at IS NOT NULL AND (gone != ? OR judged_at < ?)",
            (Gone.MISSING, stamp(before)),
        )

    def going(self) -> list[Row]:
        """Records whose deletion was begun and perhaps not done."""
        return self._rows("WHERE gone IS NOT NULL AND gone_at IS NULL ORDER BY number")

    def totals(self) -> tuple[int, int]:
        """How many records are there, and their bytes."""
        query = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM record WHERE gone IS NULL"
        count, size = self._database.execute(query).fetchone()
        return int(count), int(size)

    def outdated(self, keeping: Keeping, now: datetime, limit: int) -> list[Row]:
        """The oldest records that are older than the line keeps them."""
        return self._rows(
            "WHERE gone IS NULL AND judged_at < CASE kept WHEN ? THEN ? ELSE ? END"
            " ORDER BY number LIMIT ?",
            Kept.SAMPLE,
            stamp(now - keeping.max_age(Kept.SAMPLE)),
            stamp(now - keeping.max_age(Kept.FAIL)),
            limit,
        )

    def first_to_go(self, now: datetime, limit: int) -> list[Row]:
        """What is given up first when room is needed: samples of what passed, then all the rest but
        the `unknown` of the last day, then those; each from the oldest on.
        """
        return self._rows(
            "WHERE gone IS NULL ORDER BY CASE WHEN kept = ? THEN 0"
            " WHEN verdict = ? AND judged_at >= ? THEN 2 ELSE 1 END, number LIMIT ?",
            Kept.SAMPLE,
            Verdict.UNKNOWN,
            stamp(now - FRESH),
            limit,
        )

    def find(self, name: str) -> Row | None:
        """The record of the result with this id, also of one whose files are gone."""
        return next(iter(self._rows("WHERE id = ?", name)), None)

    def latest(self, count: int, verdicts: Sequence[Verdict] = ()) -> list[Row]:
        """The newest records whose files are there, newest first; of these verdicts, if any are
        named.
        """
        marks = ", ".join("?" * len(verdicts))
        chosen = f" AND verdict IN ({marks})" if verdicts else ""
        return self._rows(
            f"WHERE gone IS NULL{chosen} ORDER BY number DESC LIMIT ?", *verdicts, count
        )

    def between(
        self,
        since: datetime | None,
        until: datetime | None,
        verdicts: Sequence[Verdict] = (),
    ) -> list[Row]:
        """The records whose files are there, judged from `since` on and before `until`, in order;
        of these verdicts, if any are named.
        """
        marks = ", ".join("?" * len(verdicts))
        chosen = f" AND verdict IN ({marks})" if verdicts else ""
        return self._rows(
            f"WHERE gone IS NULL AND judged_at >= ? AND judged_at < ?{chosen} ORDER BY number",
            "" if since is None else stamp(since),
            "9999" if until is None else stamp(until),
            *verdicts,
        )

    def in_folder(self, folder: str) -> list[Row]:
        """All rows of one folder."""
        return self._rows("WHERE folder = ?", folder)

    def after(self, number: int, limit: int) -> list[Row]:
        """Rows in order from beyond this number on, also of records whose files are gone."""
        return self._rows("WHERE number > ? ORDER BY number LIMIT ?", number, limit)

    def _rows(self, rest: str, *values: object) -> list[Row]:
        query = f"SELECT {COLUMNS} FROM record {rest}"  # noqa: S608 - our own words
        return list(map(_row, self._database.execute(query, values)))


def _row(columns: Sequence[object]) -> Row:
    number, name, sha256, folder, kept, verdict, judged_at, size, gone = columns
    return Row(
        number=int(str(number)),
        id=str(name),
        sha256=str(sha256),
        folder=str(folder),
        kept=Kept(str(kept)),
        verdict=Verdict(str(verdict)),
        judged_at=datetime.fromisoformat(str(judged_at)),
        size_bytes=int(str(size)),
        gone=None if gone is None else Gone(str(gone)),
    )

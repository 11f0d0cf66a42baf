"""What is kept, read while the line runs: by the page and by the commands. It changes nothing."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from inspector.errors import EvidenceError
from inspector.keeping import Gone, Kept
from inspector.record.evidence.index import Index, Row
from inspector.record.evidence.layout import (
    INDEX,
    LAST,
    OVERLAY,
    PICTURE,
    RECORD,
    SUFFIXES,
    file_of,
)
from inspector.record.evidence.record import Record
from inspector.types import Verdict

ID = re.compile(r"[A-Za-z0-9-]{1,128}")


@dataclass(frozen=True, slots=True)
class Stored:
    """A part that is kept. `number`: its place in the chain, None if it is only among the last.

    `gone`: why its files are no longer there; `size_bytes`: of all of them.
    """

    root: Path
    folder: str
    id: str
    number: int | None
    kept: Kept
    verdict: Verdict
    judged_at: datetime
    size_bytes: int
    gone: Gone | None = None

    @property
    def picture(self) -> Path | None:
        """The frame that was judged, without loss; None where there was none, or it is gone."""
        return self._if_there(PICTURE)

    @property
    def overlay(self) -> Path | None:
        """A JPEG of it with the scratches and the verdict drawn in."""
        return self._if_there(OVERLAY)

    @property
    def record(self) -> Path:
        """The file of its record."""
        return file_of(self.root, self.folder, self.id, RECORD)

    def read(self) -> Record:
        """The whole record.

        Raises:
            EvidenceError: it is gone, or it is no record.
        """
        return Record.parse(self._bytes(), name=str(self.record))

    def result(self) -> dict[str, Any]:
        """The message of the result, as it was published.

        Raises:
            EvidenceError: it is gone, or it is no record.
        """
        try:
            return dict(json.loads(self._bytes())["result"])
        except (ValueError, KeyError, TypeError) as error:
            raise EvidenceError(f"{self.record}: expected a record, found: {error}") from None

    def _bytes(self) -> bytes:
        try:
            return self.record.read_bytes()
        except OSError as error:
            why = f"deleted ({self.gone})" if self.gone else error.strerror
            raise EvidenceError(f"{self.record}: expected a record, found: {why}") from None

    def _if_there(self, suffix: str) -> Path | None:
        path = file_of(self.root, self.folder, self.id, suffix)
        return path if path.exists() else None


class Reader:
    """Reads the folder `root`; for any thread. Where nothing was kept yet, it finds nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, name: str) -> Stored | None:
        """What is kept of the result with this id, also if its files are gone; None: nothing.

        Raises:
            EvidenceError: the index cannot be read.
        """
        if not ID.fullmatch(name):  # it becomes part of a path
            return None
        with self._index() as index:
            row = index.find(name) if index else None
        return self._stored(row) if row else self._last(name)

    def latest(
        self, count: int, verdicts: Sequence[Verdict] = (), *, chain_only: bool = False
    ) -> list[Stored]:
        """The newest parts whose files are there, newest first; of these verdicts, if any are
        named; with those that are only among the last ones, unless told otherwise.

        Raises:
            EvidenceError: the index cannot be read.
        """
        with self._index() as index:
            rows = index.latest(count, verdicts) if index else []
        found = list(map(self._stored, rows))
        if not chain_only:
            last = filter(None, map(self._last, self._names_of_last()))
            found += [one for one in last if not verdicts or one.verdict in verdicts]
            found.sort(key=lambda one: (one.judged_at, _seq(one.id)), reverse=True)
        return found[:count]

    def between(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        verdicts: Sequence[Verdict] = (),
    ) -> list[Stored]:
        """The records of the chain that were judged from `since` on and before `until`, in order.

        Raises:
            EvidenceError: the index cannot be read.
        """
        with self._index() as index:
            rows = index.between(since, until, verdicts) if index else []
        return list(map(self._stored, rows))

    def totals(self) -> tuple[int, int]:
        """How many records of the chain are there, and their bytes.

        Raises:
            EvidenceError: the index cannot be read.
        """
        with self._index() as index:
            return index.totals() if index else (0, 0)

    @contextlib.contextmanager
    def _index(self) -> Iterator[Index | None]:
        path = self.root / INDEX
        try:
            if not path.exists():
                yield None
                return
            with contextlib.closing(Index.beside(path)) as index:
                yield index
        except (OSError, sqlite3.Error) as error:
            raise EvidenceError(f"{path}: expected to read it, found: {error}") from error

    def _stored(self, row: Row) -> Stored:
        return Stored(
            root=self.root,
            folder=row.folder,
            id=row.id,
            number=row.number,
            kept=row.kept,
            verdict=row.verdict,
            judged_at=row.judged_at,
            size_bytes=row.size_bytes,
            gone=row.gone,
        )

    def _names_of_last(self) -> list[str]:
        return [path.stem for path in (self.root / LAST).glob(f"*{RECORD}")]

    def _last(self, name: str) -> Stored | None:
        """One of the last parts; None once another one has displaced it, perhaps just now."""
        files = [file_of(self.root, LAST, name, suffix) for suffix in SUFFIXES]
        try:
            result = json.loads(files[-1].read_bytes())["result"]
            return Stored(
                root=self.root,
                folder=LAST,
                id=name,
                number=None,
                kept=Kept.LAST,
                verdict=Verdict(result["verdict"]),
                judged_at=datetime.fromisoformat(result["time"]),
                size_bytes=sum(path.stat().st_size for path in files if path.exists()),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _seq(name: str) -> int:
    """The number of the result, with which its id ends."""
    last = name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0

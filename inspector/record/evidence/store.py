"""The folder of what is kept: writing a record so that it is there as a whole or not at all, giving
one up, and finding out at the start what a kill has left half done.

A record is its pictures, then its file, then its row in the index. Whatever comes in between is
undone, or completed, at the next start.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from inspector import files
from inspector.errors import EvidenceError
from inspector.keeping import Gone, Keeping, Kept
from inspector.record.evidence.index import Index, Row
from inspector.record.evidence.layout import (
    HOURS,
    INDEX,
    LAST,
    OVERLAY,
    PICTURE,
    RECORD,
    SUFFIXES,
    file_of,
    folder_of,
)
from inspector.record.evidence.record import Attached, Exact, Judging, Record, fingerprint
from inspector.types import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A part that is to be kept; `picture` and `overlay` as they will stand in their files."""

    id: str
    kept: Kept
    judged_at: datetime
    picture: bytes | None
    overlay: bytes | None
    result: dict[str, Any]
    exact: tuple[Exact, ...]
    judging: Judging

    @property
    def size_bytes(self) -> int:
        """Of the pictures; the record's own file adds little."""
        return len(self.picture or b"") + len(self.overlay or b"")


@dataclass(frozen=True, slots=True)
class _Last:
    """One of the last parts."""

    id: str
    size_bytes: int


class Store:
    """The evidence of a line, for the one thread that writes it. Errors of the disk pass through,
    as `OSError` and `sqlite3.Error`.

    Raises:
        EvidenceError: a newer version made it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / LAST).mkdir(parents=True, exist_ok=True)
        self._index = Index.open(root / INDEX)
        try:
            self._finish_deletions()
            self._reconcile()
            self._last = self._read_last()
            self.records, self._bytes = self._index.totals()
        except BaseException:
            self.close()
            raise
        self._folder = ""  # that is known to be there

    @property
    def size_bytes(self) -> int:
        """Of all that is kept."""
        return self._bytes + sum(one.size_bytes for one in self._last)

    @property
    def last(self) -> int:
        """How many of the last parts lie beside the chain."""
        return len(self._last)

    @property
    def head(self) -> tuple[int, str | None]:
        """Number and hash of the newest record of the chain."""
        return self._index.head()

    def add(self, draft: Draft, last: int) -> None:
        """Keep a part. What was already written of it is deleted if the rest cannot be.

        `last`: so many parts may lie among the last ones.
        """
        if draft.kept is Kept.LAST:
            self._add_to_last(draft, last)
            return
        number, previous = self._index.head()
        record = _record(draft, number + 1, previous)
        folder = folder_of(draft.judged_at)
        data = record.encode()
        size = draft.size_bytes + len(data)
        row = Row(
            number=number + 1,
            id=draft.id,
            sha256=fingerprint(data),
            folder=folder,
            kept=draft.kept,
            verdict=Verdict(draft.result["verdict"]),
            judged_at=draft.judged_at,
            size_bytes=size,
        )
        self._make_folder(folder)
        with self._all_or_nothing(folder, draft.id):
            self._write(folder, draft, data, durable=True)
            self._index.add(row)
        self.records, self._bytes = self.records + 1, self._bytes + size

    def give_up(self, rows: Sequence[Row], why: Gone) -> None:
        """Delete the files of these records; their rows stay in the chain."""
        if not rows:
            return
        self._index.give_up([row.number for row in rows], why)
        self._delete(rows)
        self.records -= len(rows)
        self._bytes -= sum(row.size_bytes for row in rows)

    def give_up_last(self) -> bool:
        """Delete the oldest of the last parts; False if there is none."""
        if not self._last:
            return False
        self._unlink(LAST, self._last.popleft().id)
        return True

    def tend(self, keeping: Keeping, now: datetime, limit: int) -> int:
        """Delete what is older than the line keeps it, `limit` records at most; how many it was.

        What others have deleted meanwhile is taken note of.
        """
        rows = self._index.outdated(keeping, now, limit)
        self.give_up(rows, Gone.AGE)
        self._index.forget(now - keeping.max_age(Kept.FAIL))
        self.records, self._bytes = self._index.totals()
        return len(rows)

    def first_to_go(self, now: datetime, limit: int) -> list[Row]:
        """What is to be given up first when room is needed."""
        return self._index.first_to_go(now, limit)

    def close(self) -> None:
        """Let the index go."""
        self._index.close()

    def _add_to_last(self, draft: Draft, last: int) -> None:
        data = _record(draft, None, None).encode()
        with self._all_or_nothing(LAST, draft.id):
            # They live for seconds or minutes: most are deleted before the disk has heard of them.
            self._write(LAST, draft, data, durable=False)
        self._last.append(_Last(draft.id, draft.size_bytes + len(data)))
        while len(self._last) > last:
            self.give_up_last()

    def _write(self, folder: str, draft: Draft, data: bytes, *, durable: bool) -> None:
        contents = ((PICTURE, draft.picture), (OVERLAY, draft.overlay), (RECORD, data))
        for suffix, content in contents:
            if content is not None:
                path = file_of(self.root, folder, draft.id, suffix)
                files.replace(path, content, durable=durable)

    @contextmanager
    def _all_or_nothing(self, folder: str, name: str) -> Iterator[None]:
        """The files of a record are deleted if what is done inside fails."""
        try:
            yield
        except BaseException:
            with suppress(OSError):
                self._unlink(folder, name)
            raise

    def _make_folder(self, folder: str) -> None:
        if folder == self._folder:
            return
        path = self.root / folder
        path.mkdir(parents=True, exist_ok=True)
        files.sync_folder(path.parent)
        files.sync_folder(self.root)
        self._folder = folder

    def _delete(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._unlink(row.folder, row.id)
        for folder in {row.folder for row in rows} - {self._folder}:
            with suppress(OSError):  # others lie in it
                (self.root / folder).rmdir()
                (self.root / folder).parent.rmdir()
        self._index.given_up([row.number for row in rows])

    def _unlink(self, folder: str, name: str) -> None:
        # The record's file first: what is left of it after a kill is then seen to be half.
        for suffix in reversed(SUFFIXES):
            file_of(self.root, folder, name, suffix).unlink(missing_ok=True)

    def _finish_deletions(self) -> None:
        going = self._index.going()
        if going:
            log.info("%s: finishing to delete %d records", self.root, len(going))
            self._folder = ""
            self._delete(going)

    def _reconcile(self) -> None:
        """Files without a row, and rows without a file."""
        self._folder = ""
        is_new = self._index.head()[0] == 0
        whole: list[Record] = []
        for path in sorted(self.root.glob(HOURS)):
            whole += self._reconcile_folder(path)
        for record in sorted(whole, key=lambda record: record.number or 0):
            self._adopt(record, is_new=is_new)

    def _reconcile_folder(self, path: Path) -> Iterator[Record]:
        """Delete what is half in the folder; the records in it that have no row."""
        folder = str(path.relative_to(self.root))
        rows = {row.id: row for row in self._index.in_folder(folder) if row.gone is None}
        found = _by_record(path)
        for name, names in found.items():
            if name in rows and name + RECORD in names:
                continue
            whole = self._whole(path, name) if name not in rows and name + RECORD in names else None
            if whole is not None:
                yield whole
                continue
            log.warning("%s: deleting what is left of %s", path, name)
            for file in names:
                (path / file).unlink(missing_ok=True)
        lost = [row for name, row in rows.items() if name + RECORD not in found.get(name, ())]
        if lost:
            log.error("%s: %d records are missing, such as %s", path, len(lost), lost[0].id)
            self._index.give_up([row.number for row in lost], Gone.MISSING)
            self._index.given_up([row.number for row in lost])

    def _whole(self, folder: Path, name: str) -> Record | None:
        """The record, if it and its pictures are as they were written."""
        path = folder / (name + RECORD)
        try:
            record = Record.parse(path.read_bytes(), name=str(path))
            for attached in filter(None, (record.picture, record.overlay)):
                if fingerprint((folder / attached.file).read_bytes()) != attached.sha256:
                    return None
        except (OSError, EvidenceError):
            return None
        return record if record.number is not None else None

    def _adopt(self, record: Record, *, is_new: bool) -> None:
        """Take a record into the chain whose row is missing: it is the one after the head, which a
        kill left without, or the index itself was lost.
        """
        number, head = self._index.head()
        judged_at = datetime.fromisoformat(record.result["time"])
        folder = folder_of(judged_at)
        data = file_of(self.root, folder, record.id, RECORD).read_bytes()
        follows = record.number == number + 1 and record.previous == head
        if record.number is None or not (follows or (is_new and record.number > number)):
            log.error("%s/%s: a record that is not of this chain stays there", folder, record.id)
            return
        attached = filter(None, (record.picture, record.overlay))
        row = Row(
            number=record.number,
            id=record.id,
            sha256=fingerprint(data),
            folder=folder,
            kept=record.kept,
            verdict=Verdict(record.result["verdict"]),
            judged_at=judged_at,
            size_bytes=len(data) + sum(one.size_bytes for one in attached),
        )
        self._index.add(row)

    def _read_last(self) -> deque[_Last]:
        """What lies among the last parts, in order; what is half is deleted."""
        folder, found = self.root / LAST, []
        for name, names in _by_record(folder).items():
            try:
                data = (folder / (name + RECORD)).read_bytes()
                time = Record.parse(data, name=name).result["time"]
                size = sum((folder / file).stat().st_size for file in names)
                found.append((time, _Last(name, size)))
            except (OSError, EvidenceError):
                for file in names:
                    (folder / file).unlink(missing_ok=True)
        return deque(one for _, one in sorted(found, key=lambda pair: pair[0]))


def _record(draft: Draft, number: int | None, previous: str | None) -> Record:
    return Record(
        id=draft.id,
        number=number,
        previous=previous,
        kept=draft.kept,
        picture=_attached(draft.id + PICTURE, draft.picture),
        overlay=_attached(draft.id + OVERLAY, draft.overlay),
        result=draft.result,
        exact=draft.exact,
        judging=draft.judging,
    )


def _attached(file: str, data: bytes | None) -> Attached | None:
    return None if data is None else Attached.of(file, data)


def _by_record(folder: Path) -> dict[str, list[str]]:
    """Names of files in the folder, by the id of the record that they belong to."""
    found: dict[str, list[str]] = {}
    for path in folder.iterdir():
        found.setdefault(path.name.partition(".")[0], []).append(path.name)
    return found

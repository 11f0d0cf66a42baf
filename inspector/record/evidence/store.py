"""The folder of what is kept: writing a record so that it is there as a whole or not at all, and
giving one up.

A record is its pictures, then its file, then its row in the index. Whatever comes in between is
undone, or completed, at the next start (`reconcile`).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from inspector import files
from inspector.keeping import Gone, Keeping, Kept
from inspector.record.evidence.draft import Draft
from inspector.record.evidence.index import Index, Row
from inspector.record.evidence.layout import (
    INDEX,
    LAST,
    OVERLAY,
    PICTURE,
    RECORD,
    file_of,
    folder_of,
)
from inspector.record.evidence.reconcile import (
    LastPart,
    delete,
    last_parts,
    reconcile,
    unlink,
)
from inspector.record.evidence.record import Attached, Record, fingerprint
from inspector.types import Verdict


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
            reconcile(root, self._index)
            self._last = deque(last_parts(root / LAST))
            self._last_bytes = sum(one.size_bytes for one in self._last)
            self.records, self._bytes = self._index.totals()
        except BaseException:
            self.close()
            raise
        self._folder = ""  # that is known to be there

    @property
    def size_bytes(self) -> int:
        """Of all that is kept; for any thread."""
        return self._bytes + self._last_bytes

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
        delete(self.root, self._index, rows)
        self._folder = ""  # it may have been emptied
        self.records -= len(rows)
        self._bytes -= sum(row.size_bytes for row in rows)

    def give_up_last(self) -> bool:
        """Delete the oldest of the last parts; False if there is none."""
        if not self._last:
            return False
        oldest = self._last.popleft()
        self._last_bytes -= oldest.size_bytes
        unlink(self.root, LAST, oldest.id)
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

    def give_up_first(self, size_bytes: int, now: datetime, limit: int) -> int:
        """Delete what goes first when room is needed, until so many bytes are free of it, `limit`
        records at most; how many it was.
        """
        rows: list[Row] = []
        for row in self._index.first_to_go(now, limit):
            if size_bytes <= 0:
                break
            rows.append(row)
            size_bytes -= row.size_bytes
        self.give_up(rows, Gone.ROOM)
        return len(rows)

    @property
    def in_place(self) -> bool:
        """Whether the index that is written is the one that the next start will find."""
        return self._index.in_place

    def close(self) -> None:
        """Let the index go."""
        self._index.close()

    def _add_to_last(self, draft: Draft, last: int) -> None:
        data = _record(draft, None, None).encode()
        with self._all_or_nothing(LAST, draft.id):
            # They live for seconds or minutes: most are deleted before the disk has heard of them.
            self._write(LAST, draft, data, durable=False)
        part = LastPart(draft.id, draft.size_bytes + len(data))
        self._last.append(part)
        self._last_bytes += part.size_bytes
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
                unlink(self.root, folder, name)
            raise

    def _make_folder(self, folder: str) -> None:
        if folder == self._folder:
            return
        path = self.root / folder
        path.mkdir(parents=True, exist_ok=True)
        files.sync_folder(path.parent)
        files.sync_folder(self.root)
        self._folder = folder


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

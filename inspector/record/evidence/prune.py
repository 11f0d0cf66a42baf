"""Deleting evidence by hand, beside the line, which may run meanwhile."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from inspector.errors import EvidenceError
from inspector.keeping import Gone, Keeping
from inspector.record.evidence.index import Index, Row
from inspector.record.evidence.layout import INDEX
from inspector.record.evidence.reconcile import delete

BATCH = 100  # records; the line waits for some milliseconds
NO_LIMIT = -1  # of SQL


def beyond(root: Path, keeping: Keeping) -> list[tuple[Row, Gone]]:
    """What the line would delete next: it is too old, or too much.

    Raises:
        EvidenceError: the index cannot be read.
    """
    now = datetime.now(UTC)
    try:
        with contextlib.closing(Index.beside(root / INDEX)) as index:
            old = index.outdated(keeping, now, NO_LIMIT)
            too_much = index.totals()[1] - keeping.max_bytes - sum(row.size_bytes for row in old)
            found, numbers = [(row, Gone.AGE) for row in old], {row.number for row in old}
            for row in index.first_to_go(now, NO_LIMIT) if too_much > 0 else ():
                if too_much <= 0:
                    break
                if row.number not in numbers:
                    found.append((row, Gone.ROOM))
                    too_much -= row.size_bytes
            return found
    except (OSError, sqlite3.Error) as error:
        raise EvidenceError(f"{root / INDEX}: expected to read it, found: {error}") from error


def prune(root: Path, chosen: Sequence[tuple[Row, Gone]]) -> Iterator[int]:
    """Delete the files of these records; yields the number of each that is deleted. Their rows stay
    in the chain, with the reason.

    Raises:
        EvidenceError: the disk refuses.
    """
    try:
        with contextlib.closing(Index.beside(root / INDEX, writes=True)) as index:
            for start in range(0, len(chosen), BATCH):
                batch = chosen[start : start + BATCH]
                for why in Gone:
                    rows = [row for row, reason in batch if reason is why]
                    index.give_up([row.number for row in rows], why)
                    delete(root, index, rows)
                yield from (row.number for row, _ in batch)
    except (OSError, sqlite3.Error) as error:
        raise EvidenceError(f"{root}: expected to delete records, found: {error}") from error

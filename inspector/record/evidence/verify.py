"""Is what is kept still what was written? Every hash of every record, and the chain through them.

It reads beside the line, which goes on writing and deleting.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspector.errors import EvidenceError
from inspector.keeping import Gone
from inspector.record.evidence.index import Index, Row
from inspector.record.evidence.layout import HOURS, INDEX, RECORD, file_of
from inspector.record.evidence.record import fingerprint

BATCH = 1000  # rows read at a time, so that no long reader holds up the writer's log


@dataclass(frozen=True, slots=True)
class Head:
    """A record as it was told to somebody: its number, and the hash of its file."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One row of the chain: whether its files are there, and what is wrong with it."""

    row: Row
    is_there: bool
    defects: tuple[str, ...]


def verify(root: Path, told: Head | None = None) -> Iterator[Checked]:
    """Check the whole chain, oldest first.

    `told`: a record of which the line has said the hash, over MQTT say: whoever can write this
    disk could make the chain anew, but not what others have heard.

    Raises:
        EvidenceError: there is no index, or it cannot be read; or what was told is not in it.
    """
    path = root / INDEX
    before: Row | None = None
    met = False
    try:
        with contextlib.closing(Index.beside(path)) as index:
            while rows := index.after(before.number if before else 0, BATCH):
                for row in rows:
                    yield _check(root, index, row, before, told)
                    before = row
                    met = met or (told is not None and row.number == told.number)
    except (OSError, sqlite3.Error) as error:
        raise EvidenceError(f"{path}: expected to read it, found: {error}") from error
    if told is not None and (before is None or before.number < told.number):
        newest = f"found {before.number} to be the newest" if before else "found none"
        raise EvidenceError(f"{root}: expected a record {told.number}, {newest}")
    if told is not None and not met:
        raise EvidenceError(
            f"{root}: record {told.number} is no longer in the chain, so that nothing was compared "
            "with what was told of it: take a newer head"
        )


def strangers(root: Path) -> Iterator[Path]:
    """Records in the folders that the chain does not know.

    Raises:
        EvidenceError: the index cannot be read.
    """
    path = root / INDEX
    try:
        with contextlib.closing(Index.beside(path)) as index:
            for folder in sorted(root.glob(HOURS)):
                # First the files: a record's row is written after it, and deleted before it.
                names = sorted(file.stem for file in folder.glob(f"*{RECORD}"))
                rows = index.in_folder(str(folder.relative_to(root)))
                known = {row.id for row in rows}
                yield from (folder / (name + RECORD) for name in names if name not in known)
    except (OSError, sqlite3.Error) as error:
        raise EvidenceError(f"{path}: expected to read it, found: {error}") from error


def _check(root: Path, index: Index, row: Row, before: Row | None, told: Head | None) -> Checked:
    defects = []
    if before is not None and row.number != before.number + 1:
        defects.append(f"the index does not know {before.number + 1} to {row.number - 1}")
        before = None
    if told is not None and row.number == told.number and row.sha256 != told.sha256:
        defects.append(f"expected the hash {told.sha256}, found {row.sha256}")
    if row.gone is Gone.MISSING:
        defects.append("its files were found missing")
    if row.gone is not None:
        return Checked(row, is_there=False, defects=tuple(defects))
    found = _files(root, row, before)
    if found and (now := index.find(row.id)) is not None and now.gone is not None:
        return Checked(row, is_there=False, defects=tuple(defects))  # deleted just now
    return Checked(row, is_there=True, defects=(*defects, *found))


def _files(root: Path, row: Row, before: Row | None) -> list[str]:
    """What is wrong with the files of a record."""
    path = file_of(root, row.folder, row.id, RECORD)
    try:
        data = path.read_bytes()
    except OSError as error:
        return [f"{path}: {error.strerror}"]
    if fingerprint(data) != row.sha256:
        return [f"{path}: altered: expected the hash {row.sha256}, found {fingerprint(data)}"]
    record = json.loads(data)
    defects = []
    if (record["number"], record["id"]) != (row.number, row.id):
        defects.append(f"{path}: expected number {row.number}, found {record['number']}")
    if before is not None and record["previous"] != before.sha256:
        defects.append(f"{path}: expected to follow {before.sha256}, found {record['previous']}")
    for name in ("picture", "overlay"):
        defects += _attached(path.parent, record[name])
    return defects


def _attached(folder: Path, attached: dict[str, Any] | None) -> Iterator[str]:
    if attached is None:
        return
    path = folder / attached["file"]
    try:
        found = fingerprint(path.read_bytes())
    except OSError as error:
        yield f"{path}: {error.strerror}"
        return
    if found != attached["sha256"]:
        yield f"{path}: altered: expected the hash {attached['sha256']}, found {found}"

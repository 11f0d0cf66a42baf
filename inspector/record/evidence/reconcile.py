"""Files and index brought together at a start: what a kill has left half done is undone or
completed, what somebody has deleted is noted, a lost index is made anew.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inspector.errors import EvidenceError
from inspector.keeping import Gone
from inspector.record.evidence.index import Index, Row
from inspector.record.evidence.layout import HOURS, RECORD, SUFFIXES, file_of, folder_of
from inspector.record.evidence.record import Record, fingerprint
from inspector.types import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LastPart:
    """One of the last parts, beside the chain."""

    id: str
    size_bytes: int


def reconcile(root: Path, index: Index) -> None:
    """Every file of the chain has a row afterwards, and every row its files, or says why not.

    Raises:
        OSError, sqlite3.Error: the disk refuses.
    """
    going = index.going()
    if going:
        log.info("%s: finishing to delete %d records", root, len(going))
        delete(root, index, going)
    is_new = index.head()[0] == 0
    whole: list[Record] = []
    for folder in sorted(root.glob(HOURS)):
        whole += _reconcile_folder(folder, str(folder.relative_to(root)), index)
    for record in sorted(whole, key=lambda record: record.number or 0):
        _adopt(root, record, index, is_new=is_new)


def delete(root: Path, index: Index, rows: Sequence[Row]) -> None:
    """Delete the files of records that are given up, and folders that are empty then."""
    for row in rows:
        unlink(root, row.folder, row.id)
    for folder in {row.folder for row in rows}:
        with suppress(OSError):  # others lie in it
            (root / folder).rmdir()
            (root / folder).parent.rmdir()
    index.given_up([row.number for row in rows])


def unlink(root: Path, folder: str, name: str) -> None:
    """Delete the files of one record, its own first: without it the rest is seen to be half."""
    for suffix in reversed(SUFFIXES):
        file_of(root, folder, name, suffix).unlink(missing_ok=True)


def last_parts(folder: Path) -> Iterator[LastPart]:
    """What lies among the last parts, in order; what is half is deleted. A record that another
    version wrote is none the less one.
    """
    found = []
    for name, names in _by_record(folder).items():
        try:
            record = json.loads((folder / (name + RECORD)).read_bytes())
            time = str(record["result"]["time"])
            size = sum((folder / file).stat().st_size for file in names)
            found.append((time, LastPart(name, size)))
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            _delete_half(folder, names)
    yield from (part for _, part in sorted(found, key=lambda pair: pair[0]))


def _reconcile_folder(path: Path, folder: str, index: Index) -> Iterator[Record]:
    """Put the folder in order; the whole records in it that have no row."""
    rows = {row.id: row for row in index.in_folder(folder) if row.gone is None}
    found = _by_record(path)
    for name, names in found.items():
        has_record = name + RECORD in names
        if name in rows and has_record:
            continue
        try:
            whole = _whole(path, folder, name) if has_record else None
        except EvidenceError as error:
            log.error("it stays where it is, and is not of the chain: %s", error)  # noqa: TRY400
            continue
        if whole is not None:
            yield whole
        else:
            log.warning("%s: deleting what is left of %s", path, name)
            _delete_half(path, names)
    lost = [row for name, row in rows.items() if name + RECORD not in found.get(name, ())]
    if lost:
        log.error("%s: %d records are missing, such as %s", path, len(lost), lost[0].id)
        index.give_up([row.number for row in lost], Gone.MISSING)
        index.given_up([row.number for row in lost])


def _whole(path: Path, folder: str, name: str) -> Record | None:
    """The record, if it and its pictures are as they were written.

    Raises:
        EvidenceError: it is whole, and cannot be taken in: another version wrote it, or somebody
            has put it there.
    """
    file = path / (name + RECORD)
    try:
        data = file.read_bytes()
        json.loads(data)
    except (OSError, ValueError, RecursionError):
        return None
    record = Record.parse(data, name=str(file))
    try:
        Verdict(record.result["verdict"])
        belongs = folder_of(datetime.fromisoformat(record.result["time"])) == folder
    except (LookupError, TypeError, ValueError) as error:
        raise EvidenceError(f"{file}: expected a verdict and a time, found: {error}") from None
    if record.id != name or not belongs:
        raise EvidenceError(f"{file}: expected the record {name} of this hour, found another")
    try:
        for attached in filter(None, (record.picture, record.overlay)):
            if fingerprint((path / attached.file).read_bytes()) != attached.sha256:
                return None
    except OSError:
        return None
    return record if record.number is not None else None


def _adopt(root: Path, record: Record, index: Index, *, is_new: bool) -> None:
    """Take a record into the chain whose row is missing: it is the one after the head, which a kill
    left without, or the index itself was lost.
    """
    number, head = index.head()
    judged_at = datetime.fromisoformat(record.result["time"])
    folder = folder_of(judged_at)
    data = file_of(root, folder, record.id, RECORD).read_bytes()
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
    index.add(row)


def _delete_half(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _by_record(folder: Path) -> dict[str, list[str]]:
    """Names of files in the folder, by the id of the record that they belong to."""
    found: dict[str, list[str]] = {}
    for path in filter(Path.is_file, folder.iterdir()):
        found.setdefault(path.name.partition(".")[0], []).append(path.name)
    return found

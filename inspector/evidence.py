"""`inspector evidence`: what is kept of the parts that were judged, listed, shown, checked, copied
and deleted, whether the line runs or not.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from inspector.errors import EvidenceError, NoInputError, NotPermitted
from inspector.files import replace
from inspector.keeping import Gone, Keeping
from inspector.progress import tracked
from inspector.record.evidence import FOLDER, Reader, Stored
from inspector.record.evidence.index import Row
from inspector.record.evidence.prune import beyond
from inspector.record.evidence.prune import prune as delete
from inspector.record.evidence.record import Attached, fingerprint
from inspector.record.evidence.verify import Head, strangers
from inspector.record.evidence.verify import verify as check
from inspector.types import Verdict

SUMS = "SHA256SUMS"
"""Beside what is exported: `sha256sum -c` checks it without this program."""


def ls(state_dir: Path, count: int, verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    """Print the newest parts that are kept, newest first.

    Raises:
        NoInputError, NotPermitted, EvidenceError: there are none, or they cannot be read.
    """
    found = _reader(state_dir).latest(count, verdicts)
    for one in found:
        if as_json:
            sys.stdout.write(json.dumps(_told(one)) + "\n")
        else:
            size = f"{one.size_bytes / 2**20:.1f} MiB"
            time = f"{one.judged_at.astimezone():%Y-%m-%d %H:%M:%S}"
            sys.stdout.write(f"{time}  {one.verdict:8} {one.kept:9} {size:>9}  {one.id}\n")


def show(state_dir: Path, name: str, *, as_json: bool) -> None:
    """Print one record: where its files are, what was found, and what it was judged by.

    Raises:
        NoInputError, NotPermitted, EvidenceError: it is not kept, or cannot be read.
    """
    stored = find(state_dir, name)
    if as_json:
        tree = json.loads(stored.read().encode())
        sys.stdout.write(json.dumps(_told(stored) | {"record": tree}) + "\n")
        return
    if stored.gone is not None:
        raise NoInputError(f"{name}: its files are gone: {stored.gone}")
    record = stored.read()
    result, judging = record.result, record.judging
    reasons = [_reason(reason) for reason in result["reasons"]]
    rows = [
        ("id", stored.id),
        ("judged", f"{stored.judged_at.astimezone():%Y-%m-%d %H:%M:%S}, {result['source']}"),
        ("verdict", ", because ".join([stored.verdict, *filter(None, [", ".join(reasons)])])),
        *(("scratch", _scratch(scratch)) for scratch in result["scratches"]),
        ("limits", json.dumps(result["limits"])),
        ("model", f"{result['model']['name']} {result['model']['sha256'][:12]}"),
        ("runtime", result["model"]["runtime"]),
        ("versions", ", ".join(f"{name} {value}" for name, value in judging.versions.items())),
        ("kept", f"{stored.kept}, {_place(stored)}"),
        ("picture", stored.picture or "none"),
        ("overlay", stored.overlay or "none"),
        ("record", stored.record),
    ]
    sys.stdout.write("".join(f"{name:9} {value}\n" for name, value in rows))


def verify(state_dir: Path, told: Head | None, *, as_json: bool) -> None:
    """Check every hash and the chain; print what is wrong, and how much was checked.

    Raises:
        NoInputError, NotPermitted: there is nothing to check, or this user may not.
        EvidenceError: something is not as it was written.
    """
    reader = _reader(state_dir)
    there = gone = wrong = 0
    size, newest = 0, None
    for checked in tracked(check(reader.root, told), "Verifying", reader.totals()[0]):
        there, gone = there + checked.is_there, gone + (not checked.is_there)
        size += checked.row.size_bytes if checked.is_there else 0
        newest = checked.row
        for defect in checked.defects:
            wrong += 1
            _defect(checked.row, defect, as_json=as_json)
    for path in strangers(reader.root):
        wrong += 1
        _defect(None, f"{path}: a record that is not of this chain", as_json=as_json)
    told_of = {
        "records": there,
        "gone": gone,
        "size_bytes": size,
        "defects": wrong,
        "head": newest and {"number": newest.number, "sha256": newest.sha256},
    }
    head = f"; the newest is {newest.number}:{newest.sha256}" if newest else ""
    words = f"{there} records, {size / 2**20:.0f} MiB, and {gone} whose files are gone{head}"
    sys.stdout.write((json.dumps(told_of) if as_json else words) + "\n")
    if wrong:
        raise EvidenceError(f"{reader.root}: expected all as it was written, found {wrong} defects")


def export(state_dir: Path, chosen: "Chosen", target: Path) -> None:
    """Copy records with their pictures, and a list of hashes, into a folder.

    Raises:
        NoInputError, NotPermitted: nothing is chosen, or this user may not.
        EvidenceError: a file is not as it was written.
    """
    found = [one for one in chosen(state_dir) if one.gone is None]
    if not found:
        raise NoInputError(f"{state_dir / FOLDER}: expected records to export, found none of these")
    sums: list[str] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for one in tracked(found, "Exporting", len(found)):
            record = one.read()
            itself = Attached.of(one.record.name, one.record.read_bytes())
            files = filter(None, (record.picture, record.overlay, itself))
            sums += [_copy(one.record.with_name(of.file), target, of) for of in files]
        replace(target / SUMS, "".join(sums).encode())
    except OSError as error:
        raise EvidenceError(f"{target}: expected to copy records there, found: {error}") from error
    sys.stdout.write(f"{len(found)} records in {target}; to check: sha256sum -c {SUMS}\n")


def prune(state_dir: Path, keeping: Keeping, chosen: "Chosen | None", *, dry_run: bool) -> None:
    """Delete the chosen records; without any choice, what is beyond the limits of the line.

    Raises:
        NoInputError, NotPermitted: there is no evidence, or this user may not delete it.
        EvidenceError: the disk refuses.
    """
    reader = _reader(state_dir)
    if chosen is None:
        rows = beyond(reader.root, keeping)
    else:
        of_chain = (one for one in chosen(state_dir) if one.number and one.gone is None)
        rows = [(_row(one), Gone.PRUNED) for one in of_chain]
    size = sum(row.size_bytes for row, _ in rows)
    words = f"{len(rows)} records, {size / 2**20:.1f} MiB"
    if dry_run:
        sys.stdout.write(f"{words}\ndry run: nothing was deleted\n")
        return
    for _ in tracked(delete(reader.root, rows), "Deleting", len(rows)):
        pass
    sys.stdout.write(f"{words} deleted; the chain remembers that they were there\n")


Chosen = Callable[[Path], list[Stored]]
"""What is meant of the evidence in a `state_dir`."""


def by_name(names: Sequence[str]) -> Chosen:
    """The parts with these ids."""
    return lambda state_dir: [find(state_dir, name) for name in names]


def by_time(since: datetime | None, until: datetime | None, verdicts: Sequence[Verdict]) -> Chosen:
    """The parts that were judged from `since` on and before `until`, with one of these verdicts."""
    return lambda state_dir: _reader(state_dir).between(since, until, verdicts)


def find(state_dir: Path, name: str) -> Stored:
    """What is kept of the result with this id.

    Raises:
        NoInputError: nothing.
        NotPermitted, EvidenceError: it cannot be read.
    """
    stored = _reader(state_dir).find(name)
    if stored is None:
        raise NoInputError(f"{name}: expected the id of a part that is kept, found none with it")
    return stored


def _reader(state_dir: Path) -> Reader:
    root = state_dir / FOLDER
    try:
        next(root.iterdir(), None)
    except PermissionError:
        raise NotPermitted(
            f"{root}: expected the right to read it, found none: root and the user of the line can"
        ) from None
    except OSError as error:
        raise NoInputError(
            f"{root}: expected evidence, found: {error.strerror}; a line makes it at its start"
        ) from None
    return Reader(root)


def _told(one: Stored) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.number,
        "kept": one.kept,
        "verdict": one.verdict,
        "judged_at": one.judged_at.isoformat(),
        "size_bytes": one.size_bytes,
        "gone": one.gone,
        "picture": one.picture and str(one.picture),
        "overlay": one.overlay and str(one.overlay),
    }


def _place(stored: Stored) -> str:
    if stored.number is None:
        return "among the last ones, until others take its place"
    return f"number {stored.number}, sha256 {fingerprint(stored.record.read_bytes())}"


def _reason(reason: dict[str, Any]) -> str:
    if reason["value"] is None:
        return str(reason["rule"])
    unit, whose = reason["unit"] or "", f" in {reason['zone']}" if reason["zone"] else ""
    if reason.get("class"):  # older records have none
        whose = f" of {reason['class']}"
    return f"{reason['rule']}{whose} is {reason['limit']:g} and was {reason['value']:g} {unit}"


def _scratch(scratch: dict[str, Any]) -> str:
    mm = "" if scratch["length_mm"] is None else f" ({scratch['length_mm']:g} mm)"
    branches = scratch.get("branches_px")  # older records have none
    more = f", with branches of {branches:g} px" if branches else ""
    seen = ", by the model's mask" if scratch.get("refined") is False else ""
    return f"{scratch['length_px']:g} px long{mm}, {scratch['max_width_px']:g} px wide{more}{seen}"


def _defect(row: Row | None, text: str, *, as_json: bool) -> None:
    name = row.id if row else None
    told = {"number": row.number if row else None, "id": name, "defect": text}
    place = f"{row.number} {row.id}: " if row else ""
    sys.stdout.write((json.dumps(told) if as_json else place + text) + "\n")


def _row(one: Stored) -> Row:
    return Row(
        number=one.number or 0,
        id=one.id,
        sha256="",
        folder=one.folder,
        kept=one.kept,
        verdict=one.verdict,
        judged_at=one.judged_at,
        size_bytes=one.size_bytes,
    )


def _copy(source: Path, target: Path, expected: Attached) -> str:
    """Copy a file; the line of `SHA256SUMS` for it."""
    copy = target / expected.file
    shutil.copyfile(source, copy)
    if (found := fingerprint(copy.read_bytes())) != expected.sha256:
        raise EvidenceError(f"{source}: altered: expected {expected.sha256}, found {found}")
    return f"{expected.sha256}  {expected.file}\n"

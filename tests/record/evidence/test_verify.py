"""Whoever alters what is kept is found out, as far as this disk can tell, and beyond."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from inspector.errors import EvidenceError
from inspector.keeping import Gone, Kept
from inspector.record.evidence import Reader
from inspector.record.evidence.index import Index
from inspector.record.evidence.prune import prune
from inspector.record.evidence.record import fingerprint
from inspector.record.evidence.store import Store
from inspector.record.evidence.verify import Head, strangers, verify
from tests.support.evidence import NOON, draft


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five records, of which number 2 has been given up for room."""
    root = tmp_path / "evidence"
    with closing(Store(root)) as store:
        for seq in range(1, 6):
            store.add(draft(seq, Kept.SAMPLE if seq == 2 else Kept.FAIL), 50)
        store.give_up_first(1, NOON, 9)
    return root


def defects(root: Path, told: Head | None = None) -> list[tuple[int, str]]:
    checked = verify(root, told)
    return [(one.row.number, defect) for one in checked for defect in one.defects]


def rewrite(root: Path, name: str, change: Callable[[dict], None]) -> str:
    """Alter a record's file; the hash of what it is now."""
    path = Reader(root).find(name).record
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    return fingerprint(path.read_bytes())


def pass_it(tree: dict) -> None:
    tree["result"]["verdict"] = "pass"


def sql(root: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(root / "index.db")) as database, database:
        database.execute(statement, values)


def head(root: Path) -> Head:
    with closing(Index.beside(root / "index.db")) as index:
        return Head(*index.head())


def test_what_is_as_it_was_written_has_no_defect(root: Path) -> None:
    """Deleted records are of the chain all the same."""
    checked = list(verify(root, head(root)))

    assert [(one.row.number, one.is_there) for one in checked] == [
        (1, True),
        (2, False),
        (3, True),
        (4, True),
        (5, True),
    ]
    assert defects(root) == []
    assert list(strangers(root)) == []


@pytest.mark.parametrize(
    ("suffix", "data", "expected"),
    [
        (".png", b"q" * 100, "altered"),
        (".jpg", b"", "altered"),
        (".json", b"{}", "altered"),
        (".png", None, "No such file"),
        (".json", None, "No such file"),
    ],
)
def test_a_file_that_is_altered_or_missing(
    root: Path, suffix: str, data: bytes | None, expected: str
) -> None:
    """It is named."""
    path = Reader(root).find("dev-1-4").record.with_suffix(suffix)
    path.unlink()
    if data is not None:
        path.write_bytes(data)

    (defect,) = defects(root)

    assert defect[0] == 4
    assert str(path) in defect[1]
    assert expected in defect[1]


def test_a_record_whose_hash_is_altered_too_breaks_the_chain(root: Path) -> None:
    """The next one names what was there before."""
    sha256 = rewrite(root, "dev-1-3", pass_it)
    sql(root, "UPDATE record SET sha256 = ? WHERE number = 3", sha256)

    (defect,) = defects(root)

    assert defect[0] == 4
    assert f"found {Reader(root).find('dev-1-4').read().previous}" in defect[1]


def test_a_chain_that_is_made_anew_is_not_the_one_that_was_told(root: Path) -> None:
    """Nothing on this disk shows it; what the line has published does."""
    told = head(root)
    sha256 = rewrite(root, "dev-1-4", pass_it)
    sql(root, "UPDATE record SET sha256 = ? WHERE number = 4", sha256)
    again = rewrite(root, "dev-1-5", lambda tree: tree.update(previous=sha256))
    sql(root, "UPDATE record SET sha256 = ? WHERE number = 5", again)

    assert defects(root) == []
    assert defects(root, told) == [(5, f"expected the hash {told.sha256}, found {again}")]


def test_a_record_that_is_left_out(root: Path) -> None:
    """Its number is missing."""
    sql(root, "DELETE FROM record WHERE number = 4")

    assert defects(root) == [(5, "the index does not know 4 to 4")]
    assert [path.stem for path in strangers(root)] == ["dev-1-4"]


def test_the_end_cannot_be_cut_off(root: Path) -> None:
    """Of what was told."""
    told = head(root)
    sql(root, "DELETE FROM record WHERE number = 5")

    with pytest.raises(EvidenceError, match="expected a record 5, found 4 to be the newest"):
        defects(root, told)


def test_a_head_that_the_chain_has_forgotten_is_told(root: Path) -> None:
    """Nothing could be compared with it: that is not «all is well»."""
    told = Head(3, "0" * 64)
    assert [number for number, _ in defects(root, told)] == [3]
    sql(root, "DELETE FROM record WHERE number <= 3")

    with pytest.raises(EvidenceError, match=r"record 3 is no longer in the chain.*a newer head"):
        defects(root, told)
    assert defects(root, head(root)) == []


def test_what_somebody_deleted_stays_a_defect(root: Path) -> None:
    """Also after the start that noticed it."""
    Reader(root).find("dev-1-4").record.unlink()
    Store(root).close()

    assert defects(root) == [(4, "its files were found missing")]


def test_what_is_pruned_is_none(root: Path) -> None:
    """While the line has the index open and goes on."""
    with closing(Store(root)) as store:
        with closing(Index.beside(root / "index.db")) as index:
            chosen = [(row, Gone.PRUNED) for row in index.after(2, 2)]
        assert list(prune(root, chosen)) == [3, 4]
        store.add(draft(6), 50)

    assert Reader(root).find("dev-1-3").gone is Gone.PRUNED
    assert [one.row.number for one in verify(root) if one.is_there] == [1, 5, 6]
    assert defects(root) == []


def test_a_record_that_is_deleted_meanwhile_is_no_defect(root: Path) -> None:
    """The line makes room while somebody checks."""
    with closing(Store(root)) as store:
        steps = verify(root)
        next(steps)
        store.give_up_first(10**9, NOON, 9)
        rest = list(steps)

    assert [(one.is_there, one.defects) for one in rest] == [(False, ())] * 4

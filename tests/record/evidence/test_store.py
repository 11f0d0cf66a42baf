"""What is kept, found again and given up: in real files."""

import sqlite3
from collections import deque
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from inspector.errors import EvidenceError
from inspector.keeping import Gone, Keeping, Kept
from inspector.record.evidence import Reader
from inspector.record.evidence.index import Index
from inspector.record.evidence.store import Store
from inspector.types import Verdict
from tests.support.evidence import NOON, draft


def fill(root: Path, *kinds: Kept, first: int = 1, last: int = 50) -> None:
    with closing(Store(root)) as store:
        for seq, kept in enumerate(kinds, start=first):
            store.add(draft(seq, kept), last)


def files(root: Path) -> list[str]:
    """All but the index."""
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith("index.db")
    )


def ids(found: list) -> list[str]:
    return [one.id for one in found]


def test_what_is_kept_is_found(root: Path) -> None:
    """By its id, with its pictures and the message as it was published."""
    fill(root, Kept.FAIL, Kept.LAST)
    reader = Reader(root)

    kept, last = reader.find("dev-1-1"), reader.find("dev-1-2")

    assert (kept.number, kept.kept, kept.verdict) == (1, Kept.FAIL, Verdict.FAIL)
    assert kept.picture.read_bytes() == b"p" * 100
    assert kept.overlay.read_bytes() == b"o"
    assert kept.result() == draft(1).result
    assert kept.judged_at == NOON + timedelta(minutes=1)
    assert kept.read().judging == draft(1).judging
    assert (last.number, last.kept, last.verdict) == (None, Kept.LAST, Verdict.PASS)
    assert last.result()["seq"] == 2
    assert last.size_bytes == sum(p.stat().st_size for p in (root / "last").iterdir())


@pytest.mark.parametrize("name", ["dev-1-3", "../outbox", "..", "", "a/b", "dev-1-1.json", "*"])
def test_what_is_not_kept_is_not_found(root: Path, name: str) -> None:
    """Nor does an id lead out of the folder."""
    assert Reader(root).find(name) is None
    fill(root, Kept.FAIL, Kept.LAST)
    (root.parent / "outbox.json").write_text("{}")

    assert Reader(root).find(name) is None


def test_the_latest_come_first(root: Path) -> None:
    """Those of the chain and those among the last ones together, or of one verdict."""
    fill(root, Kept.FAIL, Kept.LAST, Kept.UNKNOWN, Kept.SAMPLE, Kept.LAST, Kept.FAIL)
    reader = Reader(root)

    assert ids(reader.latest(4)) == ["dev-1-6", "dev-1-5", "dev-1-4", "dev-1-3"]
    assert ids(reader.latest(9, [Verdict.FAIL])) == ["dev-1-6", "dev-1-1"]
    assert ids(reader.latest(9, [Verdict.PASS])) == ["dev-1-5", "dev-1-4", "dev-1-2"]
    assert ids(reader.latest(2, chain_only=True)) == ["dev-1-6", "dev-1-4"]
    assert Reader(root / "none").latest(5) == []


def test_the_last_parts_displace_each_other(root: Path) -> None:
    """As many as told stay, also over a start; those of the chain stay anyway."""
    fill(root, *[Kept.LAST] * 3, Kept.FAIL, *[Kept.LAST] * 2, last=2)
    fill(root, Kept.LAST, first=7, last=2)

    assert ids(Reader(root).latest(9)) == ["dev-1-7", "dev-1-6", "dev-1-4"]
    assert len(files(root)) == 9


def test_each_record_names_the_one_before(root: Path) -> None:
    """By the hash of its file; those among the last ones are not of the chain."""
    fill(root, Kept.FAIL, Kept.LAST, Kept.FAIL)
    fill(root, Kept.SAMPLE, first=4)
    with closing(Index.beside(root / "index.db")) as index:
        rows = index.after(0, 99)

    records = [Reader(root).find(row.id).read() for row in rows]

    assert [record.number for record in records] == [1, 2, 3]
    assert [record.previous for record in records] == [None, rows[0].sha256, rows[1].sha256]


def test_what_is_older_than_kept_goes(root: Path) -> None:
    """Samples of what passed sooner than what did not; empty folders go, too."""
    fill(root, Kept.FAIL, Kept.SAMPLE, Kept.FAIL)
    with closing(Store(root)) as store:
        keeping = Keeping(max_days=10, max_pass_days=2)
        assert store.tend(keeping, NOON + timedelta(days=3), 99) == 1
        assert ids(Reader(root).latest(9)) == ["dev-1-3", "dev-1-1"]
        assert Reader(root).find("dev-1-2").gone is Gone.AGE
        assert store.tend(keeping, NOON + timedelta(days=11), 99) == 2
        assert (store.records, store.size_bytes) == (0, 0)

    assert files(root) == []
    assert not list(root.glob("2026*"))
    with pytest.raises(EvidenceError, match=r"deleted \(age\)"):
        Reader(root).find("dev-1-3").read()


def test_the_order_of_deletion(root: Path) -> None:
    """Samples, then all the rest, and last what could not be judged during the last day."""
    now = NOON + timedelta(days=2)
    with closing(Store(root)) as store:
        store.add(draft(1, Kept.UNKNOWN, at=NOON), 0)
        store.add(draft(2, Kept.UNKNOWN, at=now), 0)
        store.add(draft(3, Kept.FAIL, at=now), 0)
        store.add(draft(4, Kept.SAMPLE, at=NOON), 0)
        store.add(draft(5, Kept.MARGINAL, at=NOON), 0)
        store.add(draft(6, Kept.SAMPLE, at=now), 0)

        assert [row.number for row in store._index.first_to_go(now, 9)] == [4, 6, 1, 3, 5, 2]


def test_the_chain_forgets_only_its_old_end(root: Path) -> None:
    """Rows between records that are there stay, and so does the one before the first of them."""
    fill(root, *[Kept.FAIL] * 6)
    with closing(Store(root)) as store:
        rows = store._index.first_to_go(NOON, 9)
        store.give_up([rows[n] for n in (0, 1, 2, 4)], Gone.ROOM)
        store.tend(Keeping(), NOON, 9)

    with closing(Index.beside(root / "index.db")) as index:
        assert [(row.number, row.gone) for row in index.after(0, 99)] == [
            (3, Gone.ROOM),
            (4, None),
            (5, Gone.ROOM),
            (6, None),
        ]
    fill(root, Kept.FAIL, first=7)
    assert Reader(root).find("dev-1-7").number == 7


def test_its_size_is_known_while_parts_come_and_go(root: Path) -> None:
    """Another thread asks: the parts themselves are not gone through."""

    class Busy(deque):
        def __iter__(self):
            raise RuntimeError("deque mutated during iteration")

    fill(root, Kept.LAST, Kept.FAIL)
    with closing(Store(root)) as store:
        size = store.size_bytes
        store._last = Busy(list(store._last))
        store.add(draft(3, Kept.LAST), 2)
        assert store.size_bytes > size
        store.add(draft(4, Kept.LAST), 1)
        assert store.size_bytes == size
        assert store.give_up_last()
        assert not store.give_up_last()
        assert store.size_bytes == Reader(root).latest(9)[0].size_bytes


def test_a_newer_version_is_not_touched(root: Path) -> None:
    """Its folder is refused."""
    fill(root, Kept.FAIL)
    with closing(sqlite3.connect(root / "index.db")) as database:
        database.execute("PRAGMA user_version = 99")

    with pytest.raises(EvidenceError, match="newer"):
        Store(root)

"""What is kept, found again, given up, and put right after a kill: in real files."""

import json
import sqlite3
from collections import deque
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inspector.errors import EvidenceError
from inspector.keeping import Gone, Keeping, Kept
from inspector.limits import ClassLimits, Limits, Zone
from inspector.record.evidence import Reader, reconcile
from inspector.record.evidence import store as store_module
from inspector.record.evidence.index import Index
from inspector.record.evidence.store import Store
from inspector.types import Verdict
from tests.support.evidence import JUDGING, NOON, draft


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state" / "evidence"


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


@pytest.mark.parametrize("after", range(4))
def test_a_kill_while_writing_leaves_nothing_half(
    root: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """After each step of it: the next start completes the record or removes what there is of it."""
    fill(root, Kept.FAIL)
    whole = files(root)
    real, steps = store_module.files.replace, iter(range(9))

    def step(*args: object, **kwargs: object) -> None:
        if next(steps) == after:
            raise Killed
        real(*args, **kwargs)

    monkeypatch.setattr(store_module.files, "replace", step)
    monkeypatch.setattr(Index, "add", kill)
    monkeypatch.setattr(store_module, "unlink", lambda *_: None)  # a kill cleans nothing up
    with pytest.raises(Killed):
        fill(root, Kept.FAIL, first=2)
    monkeypatch.undo()

    fill(root, Kept.FAIL, first=3)
    is_completed = after == 3
    assert [Path(name).stem for name in files(root) if name not in whole] == (
        ["dev-1-2"] * 3 * is_completed + ["dev-1-3"] * 3
    )
    assert Reader(root).find("dev-1-3").number == 2 + is_completed


class Killed(BaseException):
    pass


def kill(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("fails", range(3))
def test_a_disk_that_refuses_leaves_nothing_half(
    root: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    """What was written of the record goes at once, and the next one takes its number."""
    real, steps = store_module.files.replace, iter(range(9))

    def step(*args: object, **kwargs: object) -> None:
        if next(steps) == fails:
            raise OSError(28, "No space left on device")
        real(*args, **kwargs)

    with closing(Store(root)) as store:
        store.add(draft(1), 50)
        whole = files(root)
        with monkeypatch.context() as patch:
            patch.setattr(store_module.files, "replace", step)
            for kept in (Kept.FAIL, Kept.LAST):
                steps = iter(range(9))
                with pytest.raises(OSError, match="No space"):
                    store.add(draft(2, kept), 50)
                assert files(root) == whole
        store.add(draft(3), 50)
        assert (store.records, Reader(root).find("dev-1-3").number) == (2, 2)


def test_a_kill_while_deleting_is_completed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was to go is gone after the next start."""
    fill(root, Kept.FAIL, Kept.FAIL)
    monkeypatch.setattr(reconcile, "unlink", kill)
    with closing(Store(root)) as store, pytest.raises(Killed):
        store.give_up_first(1, NOON, 9)
    monkeypatch.undo()
    assert len(files(root)) == 6

    fill(root, Kept.FAIL, first=3)

    assert ids(Reader(root).latest(9)) == ["dev-1-3", "dev-1-2"]
    assert len(files(root)) == 6


def test_a_record_that_somebody_deleted_is_noted(root: Path) -> None:
    """It is no longer offered, its room is free, and the chain remembers that it is missing."""
    fill(root, Kept.FAIL, Kept.FAIL)
    Reader(root).find("dev-1-1").record.unlink()

    with closing(Store(root)) as store:
        assert store.records == 1
    assert Reader(root).find("dev-1-1").gone is Gone.MISSING
    assert ids(Reader(root).latest(9)) == ["dev-1-2"]
    assert all("dev-1-2" in name for name in files(root))


def test_a_lost_index_is_made_from_the_records(root: Path) -> None:
    """With the numbers that they carry; the chain goes on where it was."""
    fill(root, Kept.FAIL, Kept.SAMPLE, Kept.UNKNOWN)
    for path in root.glob("index.db*"):
        path.unlink()

    fill(root, Kept.FAIL, first=4)

    assert ids(Reader(root).latest(9)) == [f"dev-1-{seq}" for seq in (4, 3, 2, 1)]
    assert [one.kept for one in Reader(root).between()] == [
        Kept.FAIL,
        Kept.SAMPLE,
        Kept.UNKNOWN,
        Kept.FAIL,
    ]
    before, newest = Reader(root).find("dev-1-3"), Reader(root).find("dev-1-4").read()
    assert newest.number == 4
    assert newest.previous is not None
    assert newest.previous != before.read().previous


@pytest.mark.parametrize("written", ["as today", "with null for none, as once"])
def test_limits_of_none_are_no_damage(root: Path, written: str) -> None:
    """Of a zone and of a class in which nothing is judged: no record is taken for half of one."""
    corners = ((0, 0), (9, 0), (9, 9))
    zones = [Zone(name="logo", polygon=corners, limits="none")]
    classes = [] if "once" in written else [ClassLimits(name="glue", limits="none")]
    judging = JUDGING.model_copy(update={"limits": Limits(zones=zones, classes=classes)})
    with closing(Store(root)) as store:
        for seq, kept in enumerate((Kept.FAIL, Kept.LAST, Kept.UNKNOWN), start=1):
            store.add(replace(draft(seq, kept), judging=judging), 50)
    for path in root.rglob("dev-1-*.json"):
        text = path.read_text()
        assert '"limits":"none"' in text
        if "once" in written:
            path.write_text(text.replace('"limits":"none"', '"limits":null'))
    for path in root.glob("index.db*"):
        path.unlink()

    fill(root, Kept.FAIL, first=4)

    reader = Reader(root)
    assert ids(reader.latest(9)) == [f"dev-1-{seq}" for seq in (4, 3, 2, 1)]
    assert reader.find("dev-1-1").read().judging == judging
    assert reader.find("dev-1-2").read().judging == judging


def test_a_record_of_another_version_is_left_alone(root: Path) -> None:
    """What it says in addition cannot be read here; to delete it would be the loss."""
    fill(root, Kept.FAIL, Kept.LAST, Kept.FAIL)
    newer = [Reader(root).find(f"dev-1-{seq}").record for seq in (2, 3)]
    for path in newer:
        path.write_text(path.read_text().replace("{", '{"of_tomorrow":1,', 1))
    for path in root.glob("index.db*"):
        path.unlink()
    before = files(root)

    fill(root, Kept.FAIL, first=4)

    assert ids(Reader(root).latest(9)) == ["dev-1-4", "dev-1-2", "dev-1-1"]
    assert set(before) < set(files(root))


@pytest.mark.parametrize(
    ("key", "value"),
    [("verdict", "rework"), ("verdict", None), ("time", "soon"), ("time", 5), ("time", None)],
)
def test_an_odd_record_does_not_keep_the_others_from_being_kept(
    root: Path, key: str, value: object
) -> None:
    """It stays where it is; here the index was lost, so that all of them are read."""
    fill(root, Kept.FAIL, Kept.FAIL, Kept.FAIL)
    odd = Reader(root).find("dev-1-3").record
    tree = json.loads(odd.read_text())
    tree["result"] |= {key: value}
    if value is None:
        del tree["result"][key]
    odd.write_text(json.dumps(tree))
    moved = Reader(root).find("dev-1-2").record
    (root / "2026-11-21" / "13").mkdir()
    moved.rename(root / "2026-11-21" / "13" / moved.name)
    (root / "last" / "a folder").mkdir(parents=True)
    (odd.parent / "a folder").mkdir()
    for path in root.glob("index.db*"):
        path.unlink()

    fill(root, Kept.FAIL, first=4)

    assert ids(Reader(root).latest(9)) == ["dev-1-4", "dev-1-1"]
    assert odd.is_file()
    assert (root / "2026-11-21" / "13" / moved.name).is_file()


def test_a_damaged_index_is_put_aside(root: Path) -> None:
    """And made anew."""
    fill(root, Kept.FAIL, Kept.FAIL)
    (root / "index.db").write_bytes(b"\x01" * 8192)

    fill(root, Kept.FAIL, first=3)

    assert ids(Reader(root).latest(9)) == ["dev-1-3", "dev-1-2", "dev-1-1"]
    assert (root / "index.db.corrupt-1").exists()


def test_a_record_of_another_chain_is_left_alone(root: Path, tmp_path: Path) -> None:
    """Somebody has copied it there: it is neither deleted nor taken for one of this line."""
    fill(root, Kept.FAIL, Kept.FAIL)
    fill(tmp_path / "other", Kept.UNKNOWN, Kept.UNKNOWN, first=10)
    for path in (tmp_path / "other" / "2026-11-21" / "12").iterdir():
        path.rename(root / "2026-11-21" / "12" / path.name)
    with closing(Store(root)) as store:
        assert store.records == 2
    assert len(files(root)) == 12


def test_a_record_beyond_the_next_is_of_another_chain(root: Path, tmp_path: Path) -> None:
    """Only an index that was lost is made from what is there."""
    fill(root, Kept.FAIL, Kept.FAIL)
    fill(tmp_path / "other", *[Kept.UNKNOWN] * 5, first=10)
    for path in (tmp_path / "other" / "2026-11-21" / "12").glob("dev-1-14.*"):
        path.rename(root / "2026-11-21" / "12" / path.name)
    with closing(Store(root)) as store:
        assert (store.records, store.head[0]) == (2, 2)
        assert store.size_bytes == sum(row.size_bytes for row in Reader(root).latest(9))


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

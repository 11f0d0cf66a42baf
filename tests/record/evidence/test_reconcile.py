"""What the next start makes of what a kill, a full disk, or somebody has left."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from inspector.keeping import Gone, Kept
from inspector.limits import ClassLimits, Limits, Zone
from inspector.record.evidence import Reader, reconcile
from inspector.record.evidence import store as store_module
from inspector.record.evidence.index import Index
from inspector.record.evidence.store import Store
from tests.record.evidence.test_store import files, fill, ids
from tests.support.evidence import JUDGING, NOON, draft


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

"""An outbox whose files somebody deletes or replaces while the line runs."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from inspector.errors import OutboxError
from inspector.record import database as database_module
from inspector.record import outbox as outbox_module
from inspector.record.janitor import OUTBOX_ASTRAY, Janitor
from inspector.record.outbox import Outbox

ALL = ("", "-wal", "-shm")


def record(outbox, count=1):
    return [outbox.record("results", lambda ticket: f"{ticket.id}!") for _ in range(count)]


def delete(path, *suffixes):
    for suffix in suffixes:
        Path(f"{path}{suffix}").unlink()


def after_a_crash(path, folder):
    """What the next start finds of the files as they are now."""
    shutil.copytree(path.parent, folder)
    with closing(Outbox(folder / path.name)) as outbox:
        return outbox.pending(0, 1000)


@pytest.mark.parametrize("gone", [("",), ("-wal",), ("-shm",), ("", "-wal"), ALL])
def test_what_is_deleted_is_written_anew(path, outbox, tmp_path, gone):
    """All that waits is there after a crash, with its number and id; numbers go on."""
    rows = record(outbox, 300)
    outbox.answered({1: None})
    delete(path, *gone)

    assert outbox.mishap().endswith(
        f"{path.name}: somebody has deleted or replaced it while the "
        "line runs; all that was in it is written anew"
    )
    assert list(after_a_crash(path, tmp_path / "crash")) == rows[1:]
    rows += record(outbox, 2)
    assert list(after_a_crash(path, tmp_path / "later")) == rows[1:]
    assert outbox.pending(0, 1000) == tuple(rows[1:])
    assert rows[-1].seq == 302
    assert not list(path.parent.glob("*.found-*"))


def test_the_next_result_notices_it_at_once(path, outbox, tmp_path):
    """It is recorded where it will be found."""
    record(outbox)
    delete(path, *ALL)
    record(outbox)
    assert [row.seq for row in after_a_crash(path, tmp_path / "crash")] == [1, 2]


def test_a_file_that_goes_in_the_moment_of_a_commit_is_noticed(path, outbox, tmp_path, monkeypatch):
    """What `record` returns is there, whenever it went."""

    def make(ticket):
        delete(path, *ALL)
        return ticket.id

    outbox.record("results", make)
    assert [row.seq for row in after_a_crash(path, tmp_path / "crash")] == [1]


def test_a_file_in_its_place_is_kept_under_another_name(path, outbox, tmp_path):
    """An older copy, say, that somebody puts back too early."""
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older)) as database:
        database.execute("CREATE TABLE mine (a)")
    rows = record(outbox, 3)
    bytes_before = older.read_bytes()
    older.replace(path)

    assert "what lay there is kept as outbox.db.found-1" in outbox.mishap()
    assert list(after_a_crash(path, tmp_path / "crash")) == rows
    assert (path.parent / "outbox.db.found-1").read_bytes() == bytes_before


def test_a_stop_leaves_all_of_it(path):
    """Nothing used it since it went."""
    with closing(Outbox(path)) as outbox:
        rows = record(outbox, 3)
        delete(path, *ALL)
    with closing(Outbox(path)) as outbox:
        assert list(outbox.pending(0, 10)) == rows
        assert outbox.mishap() is None


def test_what_cannot_be_written_anew_is_delivered_and_no_more_recorded(path, outbox, monkeypatch):
    """The folder has gone as a whole; it goes on once it is back."""
    rows = record(outbox, 3)
    away = path.parent.rename(path.parent.with_name("away"))

    with pytest.raises(OutboxError, match="cannot be written anew, and is lost with the next stop"):
        record(outbox)
    assert list(outbox.pending(0, 10)) == rows
    outbox.answered({1: None})
    assert outbox.depth() == 2
    away.rename(path.parent)
    assert "it was away, and is there again" in outbox.mishap()
    assert [row.seq for row in record(outbox)] == [4]


def test_it_is_tried_again(path, outbox, tmp_path, monkeypatch):
    """Not with each use: half a copy of a large one takes its time."""
    rows = record(outbox, 3)
    delete(path, *ALL)
    tries = []
    really = outbox_module.write_anew

    def refused(*_):
        tries.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outbox_module, "write_anew", refused)
    outbox.ballast.release()
    for _ in range(3):
        with pytest.raises(OutboxError, match="No space left"):
            record(outbox)
    assert len(tries) == 1

    monkeypatch.setattr(outbox_module, "write_anew", really)
    outbox._anew_due_s = 0.0
    rows += record(outbox)
    assert list(after_a_crash(path, tmp_path / "crash")) == rows


def test_a_copy_that_fails_leaves_nothing_behind(path, outbox, tmp_path, caplog):
    """It is told once, however often it is tried."""
    rows = record(outbox, 3)
    delete(path, *ALL)
    in_the_way = path.with_name("outbox.db.anew")
    in_the_way.mkdir()
    for _ in range(2):
        outbox._anew_due_s = 0.0
        with pytest.raises(OutboxError, match="unable to open database file"):
            record(outbox)
    assert len(caplog.records) == 1

    in_the_way.rmdir()
    outbox._anew_due_s = 0.0
    assert outbox.mishap().endswith("written anew")
    assert list(after_a_crash(path, tmp_path / "crash")) == rows


@pytest.mark.parametrize("gone", [("",), ("-wal",), ALL])
def test_what_goes_again_before_it_is_opened_is_not_lost(path, outbox, tmp_path, monkeypatch, gone):
    """An empty file must not take its place, nor one whose log has no name."""
    rows = record(outbox, 3)
    delete(path, *ALL)
    real = database_module._open

    def open_late(path, *, mode):
        if gone == ("",):
            delete(path, *gone)
        opened = real(path, mode=mode)
        if gone != ("",):
            delete(path, *gone)
        return opened

    with monkeypatch.context() as patch:
        patch.setattr(database_module, "_open", open_late)
        with pytest.raises(OutboxError, match="cannot be written anew"):
            record(outbox)
    assert list(outbox.pending(0, 10)) == rows

    outbox._anew_due_s = 0.0
    rows += record(outbox)
    assert list(after_a_crash(path, tmp_path / "crash")) == rows


def test_nobody_else_comes_in_where_the_lock_was_deleted_too(path, outbox):
    """All files of the folder are gone, and it is this line's all the same."""
    record(outbox)
    delete(path, *ALL, ".lock")
    record(outbox)
    with pytest.raises(OutboxError, match="found another inspector using it"):
        Outbox(path)


def test_another_line_that_has_begun_there_is_left_in_peace(path, outbox):
    """The folder was taken away, and somebody has started a line with a new one."""
    record(outbox)
    path.parent.rename(path.parent.with_name("away"))
    with closing(Outbox(path)) as other:
        record(other)
        with pytest.raises(OutboxError, match="found another inspector using it"):
            record(outbox)
        record(other)
        assert other.mishap() is None


def test_it_is_an_alarm(path, outbox):
    """Until the next start, whether parts come or not."""
    alarms = {}
    janitor = Janitor(outbox, alarms.__setitem__)
    janitor.tend()
    assert alarms[OUTBOX_ASTRAY] is None
    delete(path, *ALL)
    janitor._due_s = 0.0
    janitor.tend()
    assert "somebody has deleted or replaced it" in alarms[OUTBOX_ASTRAY]

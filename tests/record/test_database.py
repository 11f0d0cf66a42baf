"""The file below the outbox: all or nothing, and what a full disk looks like."""

import errno
import os
import sqlite3
from contextlib import closing

import pytest

from inspector.errors import OutboxError
from inspector.record.database import connect, hold, is_full, is_held, join, transaction

TABLE = ("CREATE TABLE seen (number)",)


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    """Whatever raises in it, and the connection goes on as before."""
    database, _ = connect(tmp_path / "x.db", TABLE)
    with closing(database):
        with pytest.raises(KeyboardInterrupt), transaction(database):  # noqa: PT012
            database.execute("INSERT INTO seen VALUES (1)")
            raise KeyboardInterrupt
        with transaction(database):
            database.execute("INSERT INTO seen VALUES (2)")
        assert database.execute("SELECT number FROM seen").fetchall() == [(2,)]


def test_a_transaction_that_sqlite_has_rolled_back_itself_keeps_its_error(tmp_path):
    """What is told is what went wrong, not that there was nothing left to roll back."""
    database, _ = connect(tmp_path / "x.db", TABLE)
    with (  # noqa: PT012
        closing(database),
        pytest.raises(sqlite3.IntegrityError, match="not on us"),
        transaction(database),
    ):
        database.execute("ROLLBACK")
        raise sqlite3.IntegrityError("not on us")


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path):
    """Through a power cut, which no test can have: so it is asked for at each connection."""
    first, _ = connect(tmp_path / "x.db", TABLE)
    with closing(first), closing(join(tmp_path / "x.db", 1)) as second:
        for database in (first, second):
            assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _sqlite(code):
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (_sqlite(sqlite3.SQLITE_FULL), True),
        (_sqlite(sqlite3.SQLITE_IOERR_WRITE), True),
        (_sqlite(sqlite3.SQLITE_BUSY), False),
        (sqlite3.ProgrammingError("closed"), False),
        (OSError(errno.ENOSPC, "no room"), True),
        (OSError(errno.EDQUOT, "no room"), True),
        (OSError(errno.EIO, "broken"), False),
        (ValueError("x"), False),
    ],
    ids=str,
)
def test_a_full_disk_is_told_from_others(error, full):
    """SQLite says it in several ways, and the system in two."""
    assert is_full(error) is full


def test_a_state_dir_is_one_process_s(tmp_path):
    """Who asks whether it is held does not take it, nor leave anything behind."""
    path = tmp_path / "x.db"
    assert not is_held(path)
    assert list(tmp_path.iterdir()) == []

    descriptor = hold(path)
    assert is_held(path)
    with pytest.raises(OutboxError, match="another inspector"):
        hold(path)

    os.close(descriptor)
    assert not is_held(path)
    os.close(hold(path))

"""The ledger notices every way in which a result can be lost, doubled or invented."""

import sqlite3
from contextlib import closing

import pytest

from tests.faults.fault import Outcome
from tests.faults.ledger import OUTBOX, Tally, look, settle

ROWS = [(1, "d-1-1"), (2, "d-1-2"), (3, "d-2-3")]


def result(seq, name, **more):
    return {"id": name, "seq": seq, "verdict": "pass", "historical": False, **more}


HEARD = [result(*row) for row in ROWS]
NAMES = [name for _, name in ROWS]


@pytest.mark.parametrize(
    ("rows", "heard", "reported", "complaint"),
    [
        (ROWS, HEARD, NAMES, None),
        (ROWS, [*HEARD, result(2, "d-1-2", historical=True)], NAMES, None),
        (ROWS, HEARD[:2], NAMES, "1 of 3 results were lost: d-2-3"),
        (ROWS, [*HEARD, result(2, "d-1-2", verdict="fail")], NAMES, "d-1-2 was heard with two"),
        (ROWS, [*HEARD, result(4, "d-2-4")], NAMES, "1 were never recorded: d-2-4"),
        (ROWS, HEARD, [*NAMES, "d-2-4"], "1 commits were undone: d-2-4"),
        (ROWS[::2], HEARD[::2], [], "the numbers have a gap"),
        (ROWS, [result(7, "d-1-1"), *HEARD[1:]], NAMES, "an id has two numbers"),
    ],
)
def test_what_does_not_add_up_is_told(tmp_path, rows, heard, reported, complaint):
    """And nothing else."""
    (tmp_path / OUTBOX).parent.mkdir()
    with closing(sqlite3.connect(tmp_path / OUTBOX)) as database:
        database.execute("CREATE TABLE outbox (seq, id)")
        database.executemany("INSERT INTO outbox VALUES (?, ?)", rows)
        database.commit()
    outcome = Outcome()

    tally = settle(outcome, tmp_path, heard, reported)

    assert [text.startswith(complaint) for text in outcome.broken] == [True] * bool(complaint)
    assert tally == Tally(len(rows), len(heard) - len({one["id"] for one in heard}))


def test_a_damaged_outbox_is_seen(tmp_path):
    """A page that was overwritten is not `ok`."""
    (tmp_path / OUTBOX).parent.mkdir()
    with closing(sqlite3.connect(tmp_path / OUTBOX)) as database:
        database.execute("CREATE TABLE meta (name UNIQUE, value)")
        database.executemany("INSERT INTO meta VALUES (?, 7)", [(f"n{n}",) for n in range(5000)])
        database.execute("INSERT INTO meta VALUES ('session', 3)")
        database.commit()
    assert look(tmp_path) == ("ok", 3)
    content = bytearray((tmp_path / OUTBOX).read_bytes())
    content[-4096:-2048] = bytes(2048)
    (tmp_path / OUTBOX).write_bytes(content)

    assert look(tmp_path)[0] != "ok"

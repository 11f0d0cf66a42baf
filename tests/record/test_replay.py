"""Looking into an outbox, and putting rows back, beside the process that holds it."""

import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from inspector.errors import NoInputError, OutboxError
from inspector.record import replay
from inspector.record.database import transaction
from inspector.record.outbox import Outbox
from inspector.record.survey import survey


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.db"


def record(outbox, count=1):
    return [outbox.record("results", lambda ticket: ticket.id) for _ in range(count)]


def seqs(rows):
    return [row.seq for row in rows]


def put_back(path, rows):
    return list(replay.put_back(path, replay.find(path, rows)))


def test_a_survey_counts_what_waits_and_what_does_not(path, outbox):
    """While the line runs."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    record(outbox, 6)
    outbox.answered({1: None, 2: None, 3: "too large", 4: "not authorized"})
    path.with_name("outbox.db.corrupt-1").write_bytes(b"x")
    path.with_name("outbox.db.corrupt-1-wal").write_bytes(b"x")

    found = survey(path)

    assert (found.waiting, found.parked, found.acknowledged) == (2, 2, 2)
    assert (found.last_seq, found.kept, found.refusal) == (6, (1, 6), "not authorized")
    assert (found.device, found.session) == (outbox.device, 1)
    assert before < found.oldest_waiting <= datetime.now(UTC)
    assert found.size_bytes > 4096
    assert found.damaged == (path.with_name("outbox.db.corrupt-1"),)


def test_a_survey_of_a_line_that_stands_leaves_nothing_behind(path):
    """No log and no lock of root's that would keep the line from starting."""
    with closing(Outbox(path)) as outbox:
        record(outbox)
    before = sorted(path.parent.iterdir())

    assert survey(path).waiting == 1
    assert sorted(path.parent.iterdir()) == before


def test_a_number_that_no_result_can_have_is_told(path, outbox):
    """SQLite could not even be asked."""
    record(outbox)
    outbox.answered({1: None})
    assert replay.find(path, replay.numbered(1, replay.LAST)) == [1]
    with pytest.raises(NoInputError, match="found 99999999999999999999"):
        replay.numbered(1, 99999999999999999999)


def test_only_what_was_answered_is_put_back(path, outbox):
    """Somebody may have put it back meanwhile: what waits is no replay."""
    record(outbox, 3)
    outbox.answered({2: None, 3: "refused"})
    assert list(replay.put_back(path, [1, 2, 3])) == [1, 2, 3]
    assert [row.replayed for row in outbox.pending(0, 9)] == [False, True, True]


def test_a_survey_of_an_empty_outbox(path, outbox):
    """Nothing waits and nothing is old."""
    found = survey(path)
    assert (found.last_seq, found.kept, found.oldest_waiting) == (0, (0, 0), None)


def test_what_is_no_outbox_is_told(path):
    """With its name."""
    path.write_text("no database" * 100)
    with pytest.raises(OutboxError, match=str(path)):
        survey(path)


def test_a_long_look_holds_up_no_writer(path, outbox):
    """Results are recorded while somebody stands in the middle of reading."""
    record(outbox, 10)
    with closing(replay.look(path)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM outbox").fetchone() == (10,)
        record(outbox, 300)  # beyond what makes SQLite fold its log into the file
        assert reader.execute("SELECT count(*) FROM outbox").fetchone() == (10,)
    assert survey(path).last_seq == 310


def test_acknowledged_rows_are_put_back_by_number(path, outbox):
    """Those only; they are the same rows, marked."""
    rows = record(outbox, 6)
    outbox.answered({1: None, 2: None, 3: None, 4: "too large"})

    assert put_back(path, replay.numbered(2, 5)) == [2, 3]
    waiting = outbox.pending(0, 10)
    assert seqs(waiting) == [2, 3, 5, 6]
    assert [row.replayed for row in waiting] == [True, True, False, False]
    assert [row.id for row in waiting[:2]] == [rows[1].id, rows[2].id]
    assert put_back(path, replay.numbered(2, 5)) == []


def test_acknowledged_rows_are_put_back_by_time(path, outbox):
    """By when the broker had them, because that is when the dashboard did."""
    record(outbox, 4)
    outbox.answered({1: None})
    time.sleep(0.002)
    moment = datetime.now(UTC)
    time.sleep(0.002)
    outbox.answered({2: None, 3: None})

    assert put_back(path, replay.acknowledged_since(moment)) == [2, 3]
    assert seqs(outbox.pending(0, 9)) == [2, 3, 4]


def test_refused_rows_are_put_back(path, outbox):
    """Without a new start."""
    record(outbox, 3)
    outbox.answered({1: None, 2: "not authorized"})
    assert outbox.refused() == 1

    assert put_back(path, replay.REFUSED) == [2]
    assert (outbox.refused(), seqs(outbox.pending(0, 9))) == (0, [2, 3])


def test_the_holder_notices_what_others_write(path, outbox):
    """Once, and never what it writes itself, nor that somebody looked."""
    record(outbox, 2)
    outbox.answered({1: None})
    survey(path)
    assert not outbox.changed_elsewhere()
    put_back(path, replay.numbered(1, 1))
    assert outbox.changed_elsewhere()
    assert not outbox.changed_elsewhere()


def test_a_long_replay_holds_up_no_result(path, outbox):
    """A result that is recorded meanwhile waits for a batch, not for all of them."""
    with transaction(outbox._database) as database:
        database.executemany(
            "INSERT INTO outbox VALUES (?, ?, 'results', '', '', 1, '2026', NULL, NULL)",
            [(seq, f"id {seq}") for seq in range(1, 3001)],
        )
    done = threading.Event()

    def replay_all():
        try:
            put_back(path, replay.numbered(1, 3000))
        finally:
            done.set()

    thread = threading.Thread(target=replay_all)
    thread.start()
    longest_s, meanwhile = 0.0, 0
    while not done.is_set():
        began_s = time.monotonic()
        record(outbox)
        longest_s = max(longest_s, time.monotonic() - began_s)
        meanwhile += 1
        time.sleep(0.01)  # a line that records as fast as it can leaves no room for anybody
    thread.join()
    assert meanwhile > 5
    assert longest_s < 1.0
    assert outbox.depth() == 3000 + meanwhile


def test_an_outbox_of_another_version_is_not_written(path, outbox):
    """The process that holds it would not know what to do with it."""
    record(outbox)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(OutboxError, match="version 3, found 2"):
        list(replay.put_back(path, [1]))

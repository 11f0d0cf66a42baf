"""What is recorded stays recorded."""

import itertools
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inspector.errors import OutboxError, OutboxTooNew
from inspector.record import outbox as outbox_module
from inspector.record.ballast import BALLAST_BYTES
from inspector.record.outbox import Outbox, Ticket
from inspector.record.schema import stamp
from inspector.record.survey import payloads

ROOT = Path(__file__).parents[2]
KILLS = 10

WRITER = """
import sys
from pathlib import Path
from inspector.record.outbox import Outbox

outbox = Outbox(Path(sys.argv[1]))
while True:
    row = outbox.record("results", lambda ticket: ticket.id)
    print(row.id, flush=True)
    if row.seq % 3 == 0:
        outbox.answered({row.seq: None})
"""


def record(outbox, count=1):
    return [outbox.record("results", lambda ticket: f"{ticket.id}!") for _ in range(count)]


def test_a_payload_contains_its_own_number_and_id(outbox):
    """The ticket that the payload is made from is the row that it gets."""
    tickets = []

    def make(ticket: Ticket) -> str:
        tickets.append(ticket)
        return f"number {ticket.seq}"

    row = outbox.record("results", make)
    assert (row.seq, row.payload, row.topic) == (1, "number 1", "results")
    assert tickets == [Ticket(1, row.id)]
    device, session, seq, drawn = row.id.split("-")
    assert (device, session, seq) == (outbox.device, str(outbox.session), "1")
    assert len(drawn) == 8
    assert outbox.pending(0, 10) == (row,)


def test_rows_come_back_in_order_from_where_asked(outbox):
    """`pending` pages through what the broker has not answered."""
    rows = record(outbox, 5)
    assert outbox.pending(0, 2) == tuple(rows[:2])
    assert outbox.pending(2, 10) == tuple(rows[2:])


def test_answered_rows_are_pending_no_more(outbox):
    """Acknowledged and parked rows leave the queue, the others stay."""
    rows = record(outbox, 4)
    outbox.answered({1: None, 2: "not authorized", 3: None})
    assert outbox.pending(0, 10) == (rows[3],)
    assert outbox.depth() == 1


def test_each_start_is_a_session_of_the_same_device(path):
    """The device is drawn once, the session counts up, and numbers go on where they were."""
    seen = []
    for _ in range(3):
        with closing(Outbox(path)) as outbox:
            row = record(outbox)[0]
            seen.append((outbox.device, outbox.session, row.seq))
    device = seen[0][0]
    assert seen == [(device, 1, 1), (device, 2, 2), (device, 3, 3)]
    assert len(device) == 12


def test_no_id_comes_again_with_an_older_copy(path, tmp_path):
    """Of the folder, or of the whole PC: who drops equal ids would drop new results."""
    copy = tmp_path / "copy"
    with closing(Outbox(path)) as outbox:
        record(outbox)
    shutil.copytree(path.parent, copy)
    with closing(Outbox(path)) as outbox:
        before = record(outbox, 3)
    shutil.rmtree(path.parent)
    copy.rename(path.parent)

    with closing(Outbox(path)) as outbox:
        after = record(outbox, 3)

    assert [row.seq for row in after] == [row.seq for row in before]
    assert not {row.id for row in after} & {row.id for row in before}


def test_the_last_number_is_known(outbox):
    """0 before the first; it stays the last one when its row is purged."""
    assert outbox.last_seq == 0
    record(outbox, 2)
    outbox.answered({1: None, 2: None})
    assert outbox.purge(timedelta(days=1), max_rows=0) == 2
    assert outbox.last_seq == 2


def test_numbers_are_not_used_again_after_a_purge(path):
    """A gap in `seq` always means a missing message, also when the table was emptied."""
    with closing(Outbox(path)) as outbox:
        record(outbox, 3)
        outbox.answered(dict.fromkeys((1, 2, 3)))
        assert outbox.purge(timedelta(days=1), max_rows=0) == 3
    with closing(Outbox(path)) as outbox:
        assert record(outbox)[0].seq == 4


def test_a_purge_takes_only_acknowledged_rows(outbox):
    """Neither age nor number removes a row that the broker does not have."""
    rows = record(outbox, 6)
    outbox.answered({1: None, 2: None, 3: "too large", 6: None})
    assert outbox.purge(timedelta(days=1), max_rows=5) == 1
    assert outbox.purge(timedelta(days=-1), max_rows=100) == 2
    assert outbox.purge(timedelta(days=-1), max_rows=0) == 0
    assert outbox.pending(0, 10) == tuple(rows[3:5])


def test_purged_results_are_counted_all_the_same(path):
    """For two days: the count since midnight is the same after a new start."""
    before = datetime.now(UTC) - timedelta(hours=1)
    with closing(Outbox(path)) as outbox:
        for verdict in ("pass", "fail", "pass", "unknown", "pass"):
            outbox.record("results", lambda _, verdict=verdict: f'{{"verdict": "{verdict}"}}')
        outbox.answered(dict.fromkeys((1, 2, 3)))
        counted = outbox.verdicts_since(before)
        assert outbox.purge(timedelta(days=1), max_rows=2) == 3
        assert outbox.verdicts_since(before) == counted
    with closing(Outbox(path)) as outbox:
        assert outbox.verdicts_since(before) == {"pass": 3, "fail": 1, "unknown": 1}
        assert outbox.verdicts_since(datetime.now(UTC) + timedelta(hours=1)) == {}


def test_purged_results_are_counted_for_a_whole_day_and_longer(path):
    """The day on which clocks are set back has 25 hours."""
    began = datetime.now(UTC) - timedelta(hours=26)
    with closing(Outbox(path)) as outbox:
        outbox.record("results", lambda _: '{"verdict": "fail"}')
        outbox.answered({1: None})
        early = stamp(began + timedelta(hours=1))
        outbox._database.execute("UPDATE outbox SET recorded_at = ?", (early,))
        assert outbox.purge(timedelta(days=1), max_rows=0) == 1
        assert outbox.verdicts_since(began) == {"fail": 1}


@pytest.mark.parametrize("damage", [b'{"verdict:"pass"}', b'{"verdict": "p\xff"}', b"\xff"])
def test_a_damaged_payload_is_one_result_and_no_more(path, damage):
    """SQLite does not notice it; the line starts, and finds all others."""
    with closing(Outbox(path)) as outbox:
        for _ in range(3):
            outbox.record("results", lambda _: '{"verdict": "pass"}')
        outbox._database.execute(
            "UPDATE outbox SET payload = CAST(? AS TEXT) WHERE seq = 2", (damage,)
        )
    with closing(Outbox(path)) as outbox:
        assert [row.seq for row in outbox.pending(0, 10)] == [1, 2, 3]
        counted = outbox.verdicts_since(datetime.now(UTC) - timedelta(hours=1))
        assert counted["pass"] == 2
    assert len(payloads(path, 10)) == 3


def test_only_a_full_disk_releases_the_ballast(path):
    """Another error would come again, and then the room is gone."""
    with closing(Outbox(path)) as outbox:
        outbox.ballast.make()
        outbox._database.execute(
            "CREATE TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(OutboxError, match="no"):
            record(outbox)
        assert outbox.ballast.held
        assert path.with_name("ballast").stat().st_size == BALLAST_BYTES


@pytest.mark.parametrize(("size_bytes", "held"), [(0, False), (BALLAST_BYTES, True)])
def test_half_a_ballast_is_none(path, size_bytes, held):
    """A kill between making the file and taking its room leaves an empty one."""
    path.parent.mkdir()
    with path.with_name("ballast").open("wb") as file:
        file.truncate(size_bytes)
    with closing(Outbox(path)) as outbox:
        assert outbox.ballast.held is held


def test_results_that_are_refused_are_counted_by_session(path):
    """Those of now, and all."""
    with closing(Outbox(path)) as outbox:
        record(outbox, 2)
        outbox.answered({1: "no", 2: None})
        assert (outbox.refused(), outbox.refused(only_new=True)) == (1, 1)
    with closing(Outbox(path)) as outbox:
        record(outbox)
        outbox.answered({1: "no"})
        assert (outbox.refused(), outbox.refused(only_new=True)) == (1, 0)
        outbox.answered({3: "no"})
        assert (outbox.refused(), outbox.refused(only_new=True)) == (2, 1)


def test_a_parked_row_is_tried_again_after_a_restart(path):
    """What was refused for a wrong configuration is delivered once that is put right."""
    with closing(Outbox(path)) as outbox:
        rows = record(outbox)
        outbox.answered({1: "not authorized"})
        assert outbox.pending(0, 10) == ()
    with closing(Outbox(path)) as outbox:
        assert outbox.pending(0, 10) == tuple(rows)


def test_a_payload_that_cannot_be_made_is_not_recorded(outbox):
    """The exception passes through as it is, and the number is not lost."""

    def make(ticket: Ticket) -> str:
        raise FileNotFoundError(ticket.id)

    with pytest.raises(FileNotFoundError):
        outbox.record("results", make)
    assert record(outbox)[0].seq == 1


def test_a_full_disk_is_an_error_and_heals(outbox):
    """A result that could not be committed raises, and afterwards no number is missing."""
    record(outbox)
    (pages,) = outbox._database.execute("PRAGMA page_count").fetchone()
    outbox._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxError, match="full"):
        outbox.record("results", lambda _: "x" * 100_000)
    outbox._database.execute("PRAGMA max_page_count = 1000000")
    assert record(outbox)[0].seq == 2


def test_a_closed_outbox_says_so(path):
    """Closing twice is fine, recording afterwards is not; no log stays behind."""
    outbox = Outbox(path)
    record(outbox)
    outbox.close()
    outbox.close()
    with pytest.raises(OutboxError, match="closed"):
        record(outbox)
    assert sorted(file.name for file in path.parent.iterdir()) == ["outbox.db", "outbox.db.lock"]


def test_only_one_process_may_use_a_state_dir(path, outbox):
    """The second one is told which folder is taken."""
    record(outbox)
    for opening in (Outbox, Outbox.refuse):
        with pytest.raises(OutboxError, match=str(path.parent)):
            opening(path)
    other = subprocess.run(
        [sys.executable, "-c", WRITER, path], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert other.returncode != 0
    assert "found another inspector using it" in other.stderr
    assert outbox.depth() == 1


def test_a_database_of_a_newer_version_is_refused(path):
    """An older program does not touch what it does not understand."""
    Outbox(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    for opening in (Outbox, Outbox.refuse):
        with pytest.raises(OutboxTooNew, match="newer"):
            opening(path)
    assert [file.name for file in path.parent.glob("*corrupt*")] == []


@pytest.mark.parametrize("version", range(1, len(outbox_module.MIGRATIONS) + 1))
def test_a_database_of_each_older_version_is_brought_up(path, version, monkeypatch):
    """An upgrade keeps the rows, the device and the numbers."""
    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "MIGRATIONS", outbox_module.MIGRATIONS[:version])
        with closing(Outbox(path)) as outbox:
            device, rows = outbox.device, record(outbox, 3)
    with closing(Outbox(path)) as outbox:
        assert (outbox.device, outbox.pending(0, 10)) == (device, tuple(rows))
        found = outbox._database.execute("PRAGMA user_version").fetchone()
    assert found == (len(outbox_module.MIGRATIONS),)


@pytest.mark.parametrize("damage", ["header", "middle"])
def test_a_damaged_file_is_set_aside_and_kept(path, damage, caplog):
    """Work goes on with an empty outbox, and the bytes of the damaged one are all there."""
    with closing(Outbox(path)) as outbox:
        record(outbox, 500)
    content = bytearray(path.read_bytes())
    start = 0 if damage == "header" else len(content) // 2
    content[start : start + 6000] = b"\xff" * 6000
    for number in (1, 2):
        path.write_bytes(content)
        with closing(Outbox(path)) as outbox:
            assert outbox.set_aside == path.with_name(f"outbox.db.corrupt-{number}")
            assert outbox.set_aside.read_bytes() == content
            assert record(outbox)[0].seq == 1
    assert "outbox.db.corrupt-2" in caplog.text


def test_a_healthy_file_is_not_set_aside(path):
    """An ordinary start sets nothing aside."""
    Outbox(path).close()
    with closing(Outbox(path)) as outbox:
        assert outbox.set_aside is None


def test_a_committed_row_survives_kill_9(path):
    """A writer that is killed at any moment loses no row that it had reported."""
    reported = []
    for seed in range(KILLS):
        delay_s = random.Random(seed).uniform(0, 0.1)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as writer:
            reported.append(writer.stdout.readline().strip())
            time.sleep(delay_s)
            writer.kill()
            reported += [line.strip() for line in writer.stdout if line.endswith("\n")]
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with closing(Outbox(path)) as outbox:
        assert outbox.set_aside is None
        rows = outbox._database.execute("SELECT seq, id, payload FROM outbox ORDER BY seq")
        rows = rows.fetchall()
    assert [seq for seq, _, _ in rows] == list(range(1, len(rows) + 1))
    assert all(name == payload for _, name, payload in rows)
    assert set(reported) <= {name for _, name, _ in rows}
    assert len(reported) >= KILLS


def _open_and_die(path, statement):
    """In a process of its own: killed when SQLite begins its `statement`-th statement."""
    begun = itertools.count(1)

    def connecting(*args, **kwargs):
        database = sqlite3.Connection(*args, **kwargs)
        database.set_trace_callback(
            lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(begun) == statement else None
        )
        return database

    sqlite3.connect = connecting
    Outbox(path).close()


def test_a_kill_at_any_statement_of_a_migration_loses_nothing(path, tmp_path, monkeypatch):
    """From the first version up: the next start finds every row and the newest schema."""
    with monkeypatch.context() as patch:
        patch.setattr(outbox_module, "MIGRATIONS", outbox_module.MIGRATIONS[:1])
        with closing(Outbox(path)) as outbox:
            rows = record(outbox, 3)
    versions = set()
    for statement in itertools.count(1):
        copy = tmp_path / str(statement)
        shutil.copytree(path.parent, copy)
        child = multiprocessing.get_context("fork").Process(
            target=_open_and_die, args=(copy / path.name, statement)
        )
        child.start()
        child.join()
        with closing(sqlite3.connect(copy / path.name)) as database:
            versions.add(database.execute("PRAGMA user_version").fetchone()[0])
        with closing(Outbox(copy / path.name)) as outbox:
            assert outbox.set_aside is None
            assert outbox.pending(0, 9) == tuple(rows)
            found = outbox._database.execute("PRAGMA user_version").fetchone()
            assert found == (len(outbox_module.MIGRATIONS),)
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
    assert versions == set(range(1, len(outbox_module.MIGRATIONS) + 1))

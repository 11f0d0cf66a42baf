"""What happens on the way to a full disk, and back: on a disk that is really full."""

import sqlite3
import sys
from contextlib import closing

import pytest

from inspector.errors import OutboxError
from inspector.record import janitor as janitor_module
from inspector.record.ballast import BALLAST_BYTES
from inspector.record.janitor import Janitor, Room
from inspector.record.outbox import Outbox
from tests.support.disk import MIB, SIZE

PAYLOAD = '{"verdict": "fail", "filler": "' + "x" * 1200 + '"}'
"""As long as a result with one scratch."""
LEAST = 5000
"""Results that the ballast holds, as README.md says."""
GIB = 1 << 30


@pytest.fixture(autouse=True)
def _always_due(monkeypatch):
    monkeypatch.setattr(janitor_module, "EVERY_S", 0.0)


class Line:
    """An outbox with its janitor, and the alarms that stand."""

    def __init__(self, folder):
        self.outbox = Outbox(folder / "state" / "outbox.db")
        self.alarms = {}
        self.janitor = Janitor(self.outbox, self.hear)
        self.janitor.tend()

    def hear(self, code, text):
        self.alarms.pop(code, None)
        if text is not None:
            self.alarms[code] = text

    def tend(self):
        self.janitor.tend()
        return sorted(self.alarms)

    def record(self, count=1):
        for _ in range(count):
            self.outbox.record("results", lambda _: PAYLOAD)

    def record_all(self):
        """Until nothing more finds room; how many did."""
        for done in range(100_000):
            try:
                self.record()
            except OutboxError:
                return done
        raise AssertionError

    def numbers(self):
        with closing(sqlite3.connect(self.outbox.path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return [seq for (seq,) in database.execute("SELECT seq FROM outbox ORDER BY seq")]


@pytest.fixture
def line(small_disk):
    line = Line(small_disk.path)
    with closing(line.outbox):
        yield line


@pytest.mark.parametrize(
    ("free", "total", "is_low", "is_tight"),
    [
        (101, 1000, False, True),
        (99, 1000, True, True),
        (151, 1000, False, False),
        (2 * GIB, 1000 * GIB, False, False),
        (1.2 * GIB, 1000 * GIB, False, True),
        (0.9 * GIB, 1000 * GIB, True, True),
    ],
)
def test_what_counts_as_little(free, total, is_low, is_tight):
    """A share of a small disk, gibibytes of a large one."""
    room = Room(int(free), total)
    assert (room.is_low, room.is_tight) == (is_low, is_tight)


def test_an_alarm_before_the_disk_is_full(small_disk, line):
    """It does not flap: between its two thresholds it stays as it is."""
    seen = []
    for percent in (50, 12, 8, 12, 50):
        small_disk.leave(SIZE * percent // 100)
        seen.append(line.tend())
    assert seen == [[], [], ["disk_low"], ["disk_low"], []]


def test_the_ballast_lets_the_line_go_on(small_disk, line):
    """For thousands of results; when it is used up too, nothing that was recorded is harmed, and
    with room it is all as before, without a new start.
    """
    line.record(50)
    small_disk.leave(0)
    assert line.tend() == ["disk_low"]

    held = line.record_all()
    sys.stdout.write(f"the ballast holds {held} results of {len(PAYLOAD)} bytes\n")
    assert held > LEAST
    assert not line.outbox.ballast.held
    assert line.tend() == ["disk_full", "disk_low"]
    assert "not recorded" in line.alarms["disk_full"]
    assert line.numbers() == list(range(1, 51 + held))

    small_disk.leave(12 * MIB)
    line.record()
    assert line.tend() == ["disk_full"]  # too little for a ballast with as much beside it
    small_disk.leave(16 * MIB)
    assert line.tend() == []
    assert line.outbox.ballast.held
    assert small_disk.free <= 16 * MIB - BALLAST_BYTES
    line.record()
    assert line.numbers() == list(range(1, 53 + held))


def test_with_a_broker_that_answers_a_full_disk_stops_nothing(small_disk, line):
    """Delivered results leave early, and the new ones take their pages."""
    rounds = 3 * LEAST // 100
    for number in range(rounds):
        if number in (0, rounds // 2):  # the ballast, and what was left of it
            small_disk.leave(0)
        seqs = [line.outbox.record("results", lambda _: PAYLOAD).seq for _ in range(100)]
        line.outbox.answered(dict.fromkeys(seqs))
        line.tend()

    assert line.alarms.keys() == {"disk_low", "disk_full"}
    kept = line.numbers()
    assert kept == list(range(kept[0], 3 * LEAST + 1))
    assert len(kept) < 2 * janitor_module.KEEP_ROWS_TIGHT


def test_a_start_on_a_full_disk(small_disk):
    """The ballast of the last run lets it through."""
    first = Line(small_disk.path)
    first.record(3)
    first.outbox.close()
    small_disk.leave(0)

    again = Line(small_disk.path)
    with closing(again.outbox):
        again.record(LEAST)
        assert again.tend() == ["disk_full", "disk_low"]
        assert again.numbers() == list(range(1, LEAST + 4))


def test_there_is_no_ballast_where_there_never_was_room(small_disk):
    """That is told at once."""
    small_disk.leave(12 * MIB)
    line = Line(small_disk.path)
    with closing(line.outbox):
        assert line.tend() == ["disk_full"]
        assert [f.name for f in line.outbox.path.parent.glob("ballast*")] == []


def test_alarms_of_an_earlier_session_are_cleared(tmp_path):
    """They stand retained at the broker."""
    heard = []
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        Janitor(outbox, lambda code, text: heard.append((code, text)))
    assert heard == [("disk_low", None), ("disk_full", None), ("outbox_astray", None)]


def test_results_do_not_wait_for_evidence_for_ever(tmp_path):
    """Where nobody makes room although he could, acknowledged results leave once it is low."""
    room = {"free": 1.2 * GIB}

    def tend():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Room, "at", lambda _: Room(int(room["free"]), 1 << 40))
            janitor = Janitor(outbox, lambda *_: None, lambda: True)
            janitor.tend()
        with closing(sqlite3.connect(outbox.path)) as database:
            return database.execute("SELECT count(*) FROM outbox").fetchone()[0]

    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        seqs = [outbox.record("t", lambda _: "{}").seq for _ in range(1100)]
        outbox.answered(dict.fromkeys(seqs))
        assert tend() == 1100
        room["free"] = 0.9 * GIB
        assert tend() == 1000

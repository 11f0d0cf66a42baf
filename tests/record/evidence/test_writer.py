"""The thread that keeps parts, and what the judge hears of it: nothing."""

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.keeping import Gone, Keeping, Kept
from inspector.record.database import DAMAGED
from inspector.record.evidence import Reader, waiting, writer
from inspector.record.evidence.index import Index
from inspector.record.evidence.layout import INDEX
from inspector.record.evidence.record import fingerprint
from inspector.record.evidence.store import Store
from inspector.record.evidence.writer import Evidence
from inspector.record.janitor import Janitor
from inspector.record.outbox import Outbox
from inspector.types import Frame, Reason, Result, Rule, Scratch, Timing, Unseen, Verdict
from tests.support.disk import MIB, SIZE, SmallDisk
from tests.support.evidence import JUDGING, draft

SCRATCH = Scratch(57.123456789, 2.4, 3.9, 131, 0.87, ((10, 10), (60, 12), (10, 12)))
ALL = Keeping(pass_one_in=1)


class Line:
    """What the daemon does with each part."""

    def __init__(self, root: Path, keeping: Keeping | None = ALL) -> None:
        self.alarms: list[str | None] = []
        self.evidence = Evidence(keeping, root, JUDGING, lambda _, text: self.alarms.append(text))
        self.seq = 0

    def judge(
        self,
        verdict: Verdict = Verdict.FAIL,
        image: np.ndarray | None = None,
        **result: object,
    ) -> str | None:
        """The next part; the name of its picture, as its message says it."""
        self.seq += 1
        part = Frame(noise(self.seq) if image is None else image, "a.png", 0.0)
        found = (SCRATCH,) if verdict is Verdict.FAIL else ()
        judged = Result("a.png", verdict, (), found, (64, 48), Timing(), **result)
        kept = self.evidence.choose(part, judged)
        is_named = self.evidence.will_name(kept)
        if kept is not None:
            message = draft(self.seq, Kept(verdict) if verdict != "pass" else Kept.SAMPLE)
            payload = json.dumps(message.result)
            self.evidence.keep(kept, part, judged, message.id, payload)
        self.evidence.tend()
        return f"dev-1-{self.seq}" if is_named else None

    def wait(self, condition, timeout_s: float = 10.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, (self.evidence.state, self.alarms)
            time.sleep(0.01)
            self.evidence.tend()


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture
def line(root: Path) -> Iterator[Line]:
    line = Line(root)
    line.evidence.start()
    yield line
    line.evidence.stop(5)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TICK_S", 0.05)
    monkeypatch.setattr(writer, "RETRY_S", 0.1)


def test_a_part_is_kept_as_it_was_seen(line: Line, root: Path) -> None:
    """Its frame to the last bit, a picture with the scratch drawn in, and every measure."""
    assert line.judge() == "dev-1-1"
    assert line.evidence.stop(5)

    stored = Reader(root).find("dev-1-1")

    assert (cv2.imread(str(stored.picture), cv2.IMREAD_UNCHANGED) == noise(1)).all()
    assert cv2.imread(str(stored.overlay)).shape[0] > 48
    record = stored.read()
    assert record.exact[0].length_px == SCRATCH.length_px
    assert record.judging == JUDGING
    assert record.kept is Kept.FAIL
    assert line.evidence.state.written == 1
    assert line.alarms == [None]
    stats = line.evidence.stats()
    assert (stats.records, stats.number, stats.dropped) == (1, 1, 0)
    assert stats.sha256 == fingerprint(stored.record.read_bytes())


@pytest.mark.parametrize(
    "image",
    [
        np.arange(48 * 64, dtype=np.uint16).reshape(48, 64),
        np.full((48, 64), 7, np.uint8),
        np.full((48, 64, 4), 7, np.uint8),
    ],
    ids=["16 bits", "gray", "4 channels"],
)
def test_a_frame_of_another_format_is_kept_too(line: Line, root: Path, image: np.ndarray) -> None:
    """It was not judged, and somebody will want to see why."""
    line.judge(Verdict.UNKNOWN, image)
    assert line.evidence.stop(5)

    stored = Reader(root).find("dev-1-1")
    assert (cv2.imread(str(stored.picture), cv2.IMREAD_UNCHANGED) == image).all()
    assert stored.overlay is None


@pytest.mark.parametrize("image", [np.zeros((0, 0, 3), np.uint8), np.zeros((4, 4, 9), np.uint8)])
def test_what_is_no_picture_is_kept_without_one(line: Line, root: Path, image: np.ndarray) -> None:
    """And disturbs nobody."""
    line.judge(Verdict.UNKNOWN, image)
    line.judge()
    assert line.evidence.stop(5)

    assert Reader(root).find("dev-1-1").picture is None
    assert Reader(root).find("dev-1-2").picture is not None
    assert line.evidence.state.dropped == 0


def test_a_part_without_a_picture_is_not_kept(line: Line) -> None:
    """There is nothing to show: evidence is a picture."""
    reason = Reason(Rule.NO_FRAME)
    unseen = Result("a", Verdict.UNKNOWN, (reason,), (), None, Timing())
    assert line.evidence.choose(Unseen("a", reason, "silent"), unseen) is None


def test_a_line_that_keeps_nothing(root: Path) -> None:
    """No thread, no folder, no name in its messages."""
    line = Line(root, keeping=None)
    line.evidence.start()

    assert line.judge() is None
    assert line.evidence.stop(1)
    assert not root.exists()
    assert line.alarms == [None]


def test_only_what_stays_is_named(root: Path) -> None:
    """A part that is only among the last ones is soon gone: no message names it."""
    line = Line(root, Keeping(pass_one_in=0))
    line.evidence.start()

    names = [line.judge(Verdict.PASS), line.judge(Verdict.FAIL)]
    names.append(line.judge(Verdict.PASS, marginal=True))

    assert names == [None, "dev-1-2", "dev-1-3"]
    assert line.evidence.stop(5)
    assert [one.kept for one in Reader(root).latest(3)] == [Kept.MARGINAL, Kept.FAIL, Kept.LAST]


def test_a_slow_disk_holds_nobody_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded; those of the chain come first; what is not kept is counted, told, and
    named in no message.
    """
    go_on = threading.Event()
    monkeypatch.setattr(Store, "add", hanging(Store.add, go_on))
    line = Line(root, Keeping(pass_one_in=0))
    line.evidence.start()

    began_s = time.monotonic()
    passed = [line.judge(Verdict.PASS) for _ in range(5)]
    failed = [line.judge() for _ in range(20)]
    assert time.monotonic() - began_s < 1.0

    assert passed == [None] * 5
    place = waiting.PARTS - waiting.PARTS_LAST
    assert [name is not None for name in failed] == [True] * place + [False] * (20 - place)
    state = line.evidence.state
    assert (state.waiting, state.dropped, state.skipped) == (waiting.PARTS, 20 - place, 3)
    assert "faster" in line.alarms[-1]

    monkeypatch.setattr(writer, "REMEMBER_S", 0.2)
    go_on.set()
    line.wait(lambda: line.alarms[-1] is None)
    assert line.judge() is not None
    assert line.evidence.stop(5)
    assert line.evidence.state.written == waiting.PARTS + 1


def hanging(real, go_on: threading.Event):
    def add(*args: object) -> None:
        go_on.wait(10)
        real(*args)

    return add


def test_large_frames_are_bounded_by_their_bytes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of any size may wait, more only as far as the memory is granted."""
    monkeypatch.setattr(waiting, "BYTES", 2 * noise(1).nbytes)
    line = Line(root)  # not started: all wait

    named = [line.judge() is not None for _ in range(3)]

    assert named == [True, True, False]
    assert Line(root).judge(image=np.zeros((480, 640, 3), np.uint8)) is not None


def test_a_disk_that_hangs_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the judge, since the thread cannot."""
    go_on = threading.Event()
    monkeypatch.setattr(Store, "add", hanging(Store.add, go_on))
    monkeypatch.setattr(writer, "HANG_S", 0.1)
    line = Line(root)
    line.evidence.start()
    line.judge()

    line.wait(lambda: "does not answer" in str(line.alarms[-1]))
    assert line.judge() is None
    go_on.set()
    line.wait(lambda: line.alarms[-1] is None)
    line.evidence.stop(5)


def test_a_folder_that_cannot_be_written(root: Path) -> None:
    """A file stands where the folder should be: told, counted, and healed once it is gone."""
    root.parent.mkdir()
    root.write_text("in the way")
    line = Line(root)
    line.evidence.start()
    line.judge()
    line.wait(lambda: line.alarms[-1] is not None)

    assert line.judge() is None
    line.wait(lambda: line.evidence.state.dropped == 2)
    root.unlink()
    line.wait(lambda: line.alarms[-1] is None)
    assert line.judge() == "dev-1-3"
    assert line.evidence.stop(5)
    assert Reader(root).find("dev-1-3").number == 1


def test_a_folder_that_is_taken_away(line: Line, root: Path) -> None:
    """While the line runs: it begins anew with the next part."""
    line.judge()
    line.wait(lambda: line.evidence.state.written == 1)
    shutil.rmtree(root)
    line.judge()
    assert line.evidence.stop(5)
    assert Reader(root).find("dev-1-2").number == 1
    assert line.evidence.state.dropped == 0


def test_an_index_that_breaks_is_made_anew(
    line: Line, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the line runs, from the records."""
    line.judge()
    line.wait(lambda: line.evidence.state.written == 1)
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = min(DAMAGED)
    with monkeypatch.context() as patch:
        patch.setattr(Index, "add", raising(error))
        line.judge()
        line.wait(lambda: line.evidence.state.dropped == 1)
    line.wait(lambda: line.alarms[-1] is None)
    line.judge()
    assert line.evidence.stop(5)
    assert [one.id for one in Reader(root).latest(9)] == ["dev-1-3", "dev-1-1"]


@pytest.mark.parametrize("gone", [(INDEX,), (f"{INDEX}-wal",), (INDEX, f"{INDEX}-wal")])
def test_an_index_that_is_deleted_is_made_anew(line: Line, root: Path, gone: tuple[str]) -> None:
    """From the records, at once: what is kept meanwhile would be in an index without a name."""
    line.judge()
    line.wait(lambda: line.evidence.state.written == 1)
    for name in gone:
        (root / name).unlink()

    line.judge()

    line.wait(lambda: line.evidence.state.written == 2)
    assert [stored.number for stored in Reader(root).latest(9)] == [2, 1]
    assert line.evidence.state.dropped == 0


def raising(error: Exception):
    def act(*_: object) -> None:
        raise error

    return act


def test_what_nobody_thought_of_harms_nobody(
    line: Line, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised in the thread, it goes on."""
    with monkeypatch.context() as patch:
        patch.setattr(writer, "draft", raising(RuntimeError("bug")))
        line.judge()
        line.wait(lambda: "bug" in str(line.alarms[-1]))
    line.judge()
    assert line.evidence.stop(5)
    assert line.evidence.state.dropped == 1
    assert Reader(root).find("dev-1-2") is not None


def test_no_more_bytes_than_told(root: Path) -> None:
    """The oldest go; the chain goes on."""
    line = Line(root, Keeping(max_gib=60_000 / 2**30))
    line.evidence.start()
    for number in range(1, 13):
        line.judge()
        line.wait(lambda n=number: line.evidence.state.written == n)
    assert line.evidence.stop(5)

    state = line.evidence.state
    assert state.size_bytes <= 60_000
    assert 1 < state.records < 12
    assert Reader(root).totals() == (state.records, state.size_bytes)
    assert Reader(root).find("dev-1-12").gone is None
    assert state.head[0] == 12


def test_evidence_goes_before_results_do(small_disk: SmallDisk) -> None:
    """On a disk that fills: kept parts give way first, and none is kept any more; only then do
    acknowledged results leave the outbox. With room it is all as before.
    """
    root = small_disk.path / "evidence"
    line = Line(root, Keeping(max_gib=1))
    big = np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8)
    with closing(Outbox(small_disk.path / "outbox.db")) as outbox:
        seqs = [outbox.record("t", lambda _: "{}").seq for _ in range(1500)]
        outbox.answered(dict.fromkeys(seqs))
        janitor = Janitor(outbox, lambda *_: None, lambda: line.evidence.yields)
        janitor.tend()  # the ballast
        line.evidence.start()
        for number in range(1, 16):
            line.judge(image=big)
            line.wait(lambda n=number: line.evidence.state.written == n)
        assert line.evidence.state.records == 15

        small_disk.leave(24 * MIB - 1)
        line.wait(lambda: line.evidence.state.records == 14)
        assert line.evidence.state.trouble is None

        small_disk.leave(SIZE * 14 // 100)
        line.wait(lambda: line.evidence.state.records == 0)
        small_disk.leave(SIZE * 14 // 100)  # what was given up for it is used, too
        line.wait(lambda: line.alarms[-1] is not None)
        line.judge(image=big)
        line.wait(lambda: line.evidence.state.dropped == 1)
        line.wait(lambda: not line.evidence.yields)
        assert kept(outbox) == 1500
        janitor._due_s = 0.0
        janitor.tend()
        assert kept(outbox) < 1500

        small_disk.leave(30 * MIB)
        line.wait(lambda: line.alarms[-1] is None)
        assert line.judge(image=big) is not None
        assert line.evidence.stop(5)
    assert Reader(root).find("dev-1-15").gone is Gone.ROOM


def kept(outbox: Outbox) -> int:
    with closing(sqlite3.connect(outbox.path)) as database:
        return int(database.execute("SELECT count(*) FROM outbox").fetchone()[0])


def test_what_waits_at_the_end_is_written(root: Path) -> None:
    """A clean stop loses nothing."""
    line = Line(root)
    for _ in range(waiting.PARTS):
        line.judge()
    line.evidence.start()

    assert line.evidence.stop(10)
    assert Reader(root).totals()[0] == waiting.PARTS

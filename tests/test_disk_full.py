"""A line on a disk that is really full, and the same line once there is room again."""

import signal
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from inspector.config import LineConfig
from inspector.daemon import Line
from inspector.errors import OutboxError
from inspector.pipeline import WHOLE_FRAME
from inspector.publish.message import ModelInfo
from inspector.record.outbox import Outbox
from inspector.types import Frame, Result, Timing, Verdict
from tests.support.daemon import Start
from tests.support.disk import SIZE, SmallDisk
from tests.support.listener import Listener

PART = Frame(np.zeros((4, 4, 3), np.uint8), "1.png", 0.0)


def test_a_full_disk_loses_and_doubles_nothing(
    small_disk: SmallDisk, start: Start, listener: Listener
) -> None:
    """Low, full, not recording, and back without a new start: what was heard is what is recorded
    and what was counted, once each, and the numbers have no gap.
    """
    daemon = start(loop=True, every_ms=10)
    listener.wait(lambda heard: len(heard.on("result")) > 20)
    listener.wait(lambda heard: leaving(small_disk, SIZE * 8 // 100) and stands(heard, "disk_low"))
    listener.wait(lambda heard: leaving(small_disk, 0) and stands(heard, "disk_full"))
    listener.wait(lambda heard: leaving(small_disk, 0) and stands(heard, "outbox"))
    assert stands(listener, "evidence")
    assert not stands(listener, "outbox_damaged")

    small_disk.leave(SIZE * 3 // 4)
    seen = len(listener.on("result"))
    listener.wait(lambda heard: len(heard.on("result")) > seen + 20)
    for code in ("disk_low", "disk_full", "outbox", "evidence"):
        listener.wait(lambda heard, code=code: not stands(heard, code))
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(15) == 0, daemon.stderr.read()
    listener.wait(lambda heard: heard.on("status")[-1]["online"] is False)

    with closing(sqlite3.connect(small_disk.path / "line1" / "outbox.db")) as outbox:
        assert outbox.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        recorded = outbox.execute("SELECT seq, id FROM outbox ORDER BY seq").fetchall()
    heard = [(result["seq"], result["id"]) for result in listener.on("result")]
    assert sorted(heard) == recorded
    assert [seq for seq, _ in recorded] == list(range(1, len(recorded) + 1))
    assert listener.on("count")[-1]["since_start"]["parts"] == len(recorded)
    assert {birth["session"] for birth in listener.on("birth")} == {1}


def leaving(disk: SmallDisk, free: int) -> bool:
    """As a program that writes its log takes what it gets, also what evidence gives up for it."""
    disk.leave(free)
    return True


def stands(heard: Listener, code: str) -> bool:
    return heard.on(f"alarm/{code}")[-1:] not in ([], [None])


class PassesAll:
    """In place of the judging."""

    view = WHOLE_FRAME

    def inspect(self, part: Frame) -> Result:
        return Result(part.source, Verdict.PASS, (), (), (4, 4), Timing())


def test_what_is_not_recorded_does_not_pass(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate hears `unknown`, nothing is counted, and the next part that is recorded passes."""
    config = LineConfig.model_validate(
        {"site": "a", "line": "b", "camera": {"source": "folder:x"}, "state_dir": tmp_path}
    )
    model = ModelInfo(name="default", sha256="ab" * 32, runtime="fake")
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        line = Line(config, PassesAll(), model, outbox)
        assert line.judge(PART) is Verdict.PASS
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "record", refuse)
            assert [line.judge(PART) for _ in range(3)] == [Verdict.UNKNOWN] * 3
        assert line.judge(PART) is Verdict.PASS
        assert [row.seq for row in outbox.pending(0, 9)] == [1, 2]
        line.publisher.stop(0.0)
    assert line._counts.totals()[0].parts == 2


def refuse(*_: object) -> None:
    raise OutboxError("full")

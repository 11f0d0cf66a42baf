"""What goes wrong with every part is told, and does not fill the disk."""

import io
import logging
from contextlib import closing

import numpy as np
import pytest

from inspector import complaints
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.record import janitor
from inspector.record.outbox import Outbox
from inspector.segment.runtime import FakeRuntime
from inspector.segment.segmenter import Segmenter
from inspector.types import Frame, Verdict
from tests.support.bundles import manifest_of


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch):
    """What `inspector run` would write of its parts, and a clock to be set."""
    now_s = [0.0]
    monkeypatch.setattr(
        complaints, "Sparing", lambda kind=complaints.Sparing: kind(clock=lambda: now_s[0])
    )
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(written)])
    for name in (complaints.PER_PART, *complaints.AGAIN_AND_AGAIN):
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    complaints.limit()
    return written, now_s


class Failing(FakeRuntime):
    def infer(self, tile):
        raise RuntimeError("driver")


def test_a_model_that_fails_on_every_part_is_told_of_ten_times_in_a_thousand(log) -> None:
    written, _ = log
    manifest = manifest_of("dense", 64)
    judge = Inspector(Segmenter(manifest, Failing(FakeRuntime.none(manifest))), Limits())
    image = np.random.default_rng(0).integers(40, 200, (64, 64, 3), np.uint8)

    verdicts = {judge.inspect(Frame(image, f"{k}.png", 0.0)).verdict for k in range(1000)}

    assert verdicts == {Verdict.UNKNOWN}
    assert written.getvalue().count("Traceback") == 10
    assert "511.png: judging failed [512 times by now]" in written.getvalue()


def test_a_disk_that_is_gone_is_told_of_ten_times_in_a_thousand(log, tmp_path, monkeypatch) -> None:
    written, _ = log
    monkeypatch.setattr(janitor, "EVERY_S", 0.0)
    with closing(Outbox(tmp_path / "state" / "outbox.db")) as outbox:
        tidy = janitor.Janitor(outbox, lambda *_: None)
        (tmp_path / "state").rename(tmp_path / "elsewhere")
        for _ in range(1000):
            tidy.tend()

    assert written.getvalue().count("Traceback") == 10


def test_other_complaints_and_news_are_not_held_back(log) -> None:
    written, _ = log
    told = logging.getLogger(complaints.PER_PART)
    told.setLevel(logging.INFO)
    for number in range(5):
        told.warning("a %d", number)
        told.info("news %d", number)
    for error in (ValueError(), KeyError()):
        told.error("failed", exc_info=error)

    lines = [line for line in written.getvalue().splitlines() if line[:2] in {"a ", "ne", "fa"}]
    assert [line for line in lines if line.startswith("a")] == [
        "a 0", "a 1 [2 times by now]", "a 3 [4 times by now]",
    ]  # fmt: skip
    assert [line for line in lines if line.startswith("n")] == [f"news {k}" for k in range(5)]
    assert lines.count("failed") == 2


def test_a_complaint_that_comes_back_is_told_anew(log) -> None:
    written, now_s = log
    told = logging.getLogger(complaints.PER_PART)
    for number in range(3):
        now_s[0] += complaints.QUIET_S - 1 if number < 2 else complaints.QUIET_S + 1
        told.warning("b %d", number)

    assert written.getvalue().splitlines() == ["b 0", "b 1 [2 times by now]", "b 2"]


def test_what_is_told_of_a_change_is_told_each_time(log) -> None:
    """A camera that is lost for another reason, a broker that comes and goes."""
    written, _ = log
    for number in range(5):
        logging.getLogger("inspector.publish.publisher").warning("c %d", number)

    assert written.getvalue().splitlines() == [f"c {number}" for number in range(5)]

"""`inspector outbox` as it is typed, beside a line that stands and one that runs."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from inspector.record.outbox import Outbox
from tests.support.daemon import Start
from tests.support.listener import Listener
from tests.test_cli import run

LINE = "site: a\nline: b\ncamera: {source: 'folder:x'}\nstate_dir: state\n"


@pytest.fixture
def line(tmp_path: Path) -> Path:
    """Its outbox holds ten results: five acknowledged, one refused, four that wait."""
    (tmp_path / "line.yaml").write_text(LINE)
    with closing(Outbox(tmp_path / "state" / "outbox.db")) as made:
        for _ in range(10):
            made.record("results", lambda ticket: ticket.id)
        made.answered({1: None, 2: None, 3: None, 4: None, 5: None, 6: "not authorized"})
    return tmp_path


def outbox(line: Path, *args: object):
    return run("outbox", *args, cwd=line)


def test_status(line: Path) -> None:
    """For people, and as one object."""
    told = json.loads(outbox(line, "status", "--json").stdout)

    assert told["waiting"] == 4
    assert (told["parked"], told["refusal"]) == (1, "not authorized")
    assert (told["acknowledged"], told["last_seq"], told["kept"]) == (5, 10, [1, 10])
    assert (told["session"], told["damaged"]) == (1, [])
    assert told["oldest_waiting_s"] >= 0
    assert told["size_bytes"] == (line / "state" / "outbox.db").stat().st_size
    shown = outbox(line).stdout
    assert f"device         {told['device']}, session 1" in shown
    assert "refused        1, the newest because: not authorized" in shown
    assert "waiting        4, the oldest for" in shown


def test_a_replay_is_seen_in_the_status(line: Path) -> None:
    """After a dry run that changes nothing."""
    dry = outbox(line, "replay", "--seq", "2-4", "--dry-run")
    assert "3 results acknowledged and numbered 2 to 4" in dry.stdout
    assert "nothing was written" in dry.stdout
    assert json.loads(outbox(line, "--json").stdout)["waiting"] == 4

    done = outbox(line, "replay", "--seq", "2-4")
    assert (done.returncode, "3 results" in done.stdout) == (0, True), done.stderr
    assert outbox(line, "replay", "--parked").returncode == 0
    assert outbox(line, "replay", "--since", "2026-01-01T08:00:00+01:00").returncode == 0
    told = json.loads(outbox(line, "--json").stdout)
    assert (told["waiting"], told["parked"], told["acknowledged"]) == (10, 0, 0)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["replay"], 2, "--since TIME"),
        (["replay", "--parked", "--seq", "1-2"], 2, "one of"),
        (["status", "--parked"], 2, "expected status"),
        (["replay", "--parked", "--json"], 2, "--json"),
        (["replay", "--seq", "5"], 2, "A-B"),
        (["replay", "--seq", "9-5"], 2, "A-B"),
        (["replay", "--seq", "0-5"], 2, "A-B"),
        (["replay", "--since", "yesterday"], 2, "yesterday"),
        (["replay", "--since", "0001-01-01T00:00:00+0100"], 2, "the years 1 to 9999"),
        (["replay", "--seq", "50-60"], 66, "kept are 1 to 10"),
        (["replay", "--since", "2199-01-01"], 66, "expected results acknowledged since 2199"),
        (["sweep"], 2, "sweep"),
        (["status", "--config", "nowhere.yaml"], 78, "nowhere.yaml"),
    ],
)
def test_bad_input_changes_nothing(line: Path, args: list[str], code: int, message: str) -> None:
    """A sentence and its exit code."""
    before = (line / "state" / "outbox.db").read_bytes()

    done = outbox(line, *args)

    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert (line / "state" / "outbox.db").read_bytes() == before


def test_a_line_that_never_ran(tmp_path: Path) -> None:
    """It has no outbox, and looking makes none."""
    (tmp_path / "line.yaml").write_text(LINE)
    for action in (["status"], ["replay", "--parked"]):
        done = outbox(tmp_path, *action)
        assert (done.returncode, "state/outbox.db" in done.stderr) == (66, True), done.stderr
    assert not (tmp_path / "state").exists()


def test_what_is_no_outbox(line: Path) -> None:
    """Named, and left alone."""
    (line / "state" / "outbox.db").write_text("nothing of ours" * 99)
    for action in (["status"], ["replay", "--parked"]):
        done = outbox(line, *action)
        assert (done.returncode, "expected an outbox" in done.stderr) == (70, True), done.stderr


def test_a_running_line_publishes_it_again(
    start: Start, listener: Listener, tmp_path: Path
) -> None:
    """With the same ids, as historical, beside what it judges meanwhile; once."""
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 10)
    told = json.loads(outbox(tmp_path, "status", "--json").stdout)
    assert told["acknowledged"] > 0

    assert outbox(tmp_path, "replay", "--seq", "2-6").returncode == 0
    listener.wait(lambda heard: len(again(heard)) == 5)
    seen = len(listener.on("result"))
    listener.wait(lambda heard: len(heard.on("result")) > seen + 5)

    assert [r["seq"] for r in again(listener)] == [2, 3, 4, 5, 6]
    first = {r["seq"]: r for r in listener.on("result") if not r["historical"]}
    for result in again(listener):
        assert result == first[result["seq"]] | {"historical": True}
    assert json.loads(outbox(tmp_path, "--json").stdout)["parked"] == 0


def again(heard: Listener) -> list[dict[str, object]]:
    """What arrived as historical."""
    return [result for result in heard.on("result") if result["historical"]]

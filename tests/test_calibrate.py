"""`inspector calibrate` as a user types it, and a running daemon that takes it over."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector import lines
from inspector.calibration import Calibrated, History
from inspector.windows import Reference
from tests.support.daemon import Start
from tests.support.listener import Listener
from tests.test_cli import run
from tests.test_scale import board, shot

TEXT = """\
site: a
line: b
camera: {source: 'folder:x'}
limits:
  min_scratch_px: 40  # agreed with the customer
"""


@pytest.fixture
def line(tmp_path: Path) -> Path:
    """A line's file, written by hand."""
    path = tmp_path / "line.yaml"
    path.write_text(TEXT)
    return path


def calibrate(line: Path, *args: object) -> subprocess.CompletedProcess[str]:
    return run("calibrate", *args, cwd=line.parent)


def test_a_limit_is_set_beside_the_file(line: Path) -> None:
    """As typed in the README; the hand-written file keeps every byte."""
    done = calibrate(line, "--min-scratch-px", 55, "--by", "adam")

    assert done.returncode == 0, done.stderr
    assert "min_scratch_px: 40.0 → 55.0" in done.stdout
    assert line.read_text() == TEXT
    (record,) = map(json.loads, lines.history_of(line).read_text().splitlines())
    assert (record["by"], record["before"], record["after"]) == (
        "adam",
        {},
        {"min_scratch_px": 55.0},
    )
    assert lines.read(line).config.limits.min_scratch_px == 55
    assert sorted(p.name for p in line.parent.iterdir()) == [
        "line.calibration.jsonl",
        "line.yaml",
    ]


def test_show_and_undo(line: Path) -> None:
    """What is in force and how it came about; each undo is a record too."""
    assert "never calibrated" in calibrate(line, "show").stdout
    calibrate(line, "--min-scratch-px", 55)
    calibrate(line, "--min-scratch-px", 70)

    assert "min_scratch_px: 70.0 → 55.0" in calibrate(line, "undo").stdout
    shown = calibrate(line, "show").stdout.splitlines()
    assert shown[0] == "min_scratch_px: 55"
    assert [text.split("  ")[2] for text in shown if "→" in text] == ["set", "set", "undo"]
    assert "min_scratch_px: 55.0 → 40.0" in calibrate(line, "undo").stdout
    nothing_left = calibrate(line, "undo")
    assert (nothing_left.returncode, "none in force" in nothing_left.stderr) == (78, True)


def test_a_dry_run_writes_nothing(line: Path) -> None:
    """It says what would change."""
    done = calibrate(line, "--min-scratch-px", 55, "--dry-run")

    assert "40.0 → 55.0" in done.stdout
    assert "dry run" in done.stdout
    assert list(line.parent.iterdir()) == [line]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ([], 2, "--min-scratch-px 40"),
        (["show", "--min-scratch-px", "5"], 2, "one of"),
        (["--min-scratch-px", "5", "--picture", "a.png"], 2, "--picture"),
        (["--min-scratch-px", "0"], 2, "above 0"),
        (["--min-scratch-px", "inf"], 2, "above 0"),
        (["--min-scratch-px", "5", "--config", "nowhere.yaml"], 78, "nowhere.yaml"),
        (["sideways"], 2, "sideways"),
    ],
)
def test_bad_input_changes_nothing(line: Path, args: list[str], code: int, message: str) -> None:
    """A sentence, its exit code, and no record."""
    done = calibrate(line, *args)

    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert not lines.history_of(line).exists()


def test_a_folder_that_cannot_be_written_is_told(line: Path) -> None:
    """The record stays as it was; a directory in its place stands for any such failure."""
    lines.history_of(line).with_name(lines.history_of(line).name + ".part").mkdir()

    done = calibrate(line, "--min-scratch-px", 55)

    assert (done.returncode, "expected to write the calibration" in done.stderr) == (78, True)
    assert not lines.history_of(line).exists()


def test_check_names_the_calibration(line: Path, model: Path) -> None:
    """When and by whom, in place of the line of the file."""
    line.write_text(TEXT + f"model: {{bundle: '{model}'}}\n")
    calibrate(line, "--min-scratch-px", 55, "--by", "adam")

    done = run("check", "--json", cwd=line.parent)

    rows = {row["key"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["limits.min_scratch_px"]["value"] == 55.0
    assert "adam  set" in rows["limits.min_scratch_px"]["origin"]


def test_check_names_what_took_a_limit_away(line: Path, model: Path) -> None:
    """The file says 40 px, in force is a limit in mm: its line is not where the null comes from."""
    line.write_text(TEXT + f"scale: {{mm_per_px: 0.1}}\nmodel: {{bundle: '{model}'}}\n")
    calibrate(line, "--min-scratch-mm", 4, "--by", "eve")

    done = run("check", "--json", cwd=line.parent)

    rows = {row["key"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (rows["limits.min_scratch_px"]["value"], rows["limits.min_scratch_mm"]["value"]) == (
        None,
        4,
    )
    assert "eve  set" in rows["limits.min_scratch_px"]["origin"]


def test_a_running_daemon_takes_it_over(start: Start, listener: Listener, tmp_path: Path) -> None:
    """The next parts are judged by the new limit, `birth` tells it, and undo goes back."""
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 3)
    path = tmp_path / "line.yaml"

    assert calibrate(path, "--min-scratch-px", 300).returncode == 0
    listener.wait(lambda heard: heard.on("result")[-1]["limits"] == {"min_scratch_px": 300})
    listener.wait(lambda heard: heard.on("birth")[-1]["limits"] == {"min_scratch_px": 300})
    listener.wait(lambda heard: verdict_of_bad(heard) == "pass")

    assert calibrate(path, "undo").returncode == 0
    listener.wait(lambda heard: verdict_of_bad(heard) == "fail")


def test_a_torn_record_changes_nothing_but_alarms(
    start: Start, listener: Listener, tmp_path: Path
) -> None:
    """The limits in force stay; a good record clears the alarm."""
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 3)
    history = lines.history_of(tmp_path / "line.yaml")

    history.write_text("torn\n")
    listener.wait(lambda heard: heard.on("alarm/calibration")[-1:] not in ([], [None]))
    assert listener.on("result")[-1]["limits"] == {"min_scratch_px": 40}

    history.unlink()
    listener.wait(lambda heard: heard.on("alarm/calibration")[-1] is None)


def test_a_mark_that_is_not_there_changes_nothing_but_alarms(
    start: Start, listener: Listener, tmp_path: Path
) -> None:
    """The running line judges on by what was in force, limits included."""
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 3)
    reference = Reference(picture=tmp_path / "gone.png", at=(1, 2))
    wrong = Calibrated(reference=reference, min_scratch_px=300)

    now = datetime.now(UTC)
    lines.write_history(tmp_path / "line.yaml", History().set(wrong, by="adam", time=now))

    listener.wait(lambda heard: heard.on("alarm/calibration")[-1:] not in ([], [None]))
    assert "gone.png" in listener.on("alarm/calibration")[-1]["text"]
    seen = len(listener.on("result"))
    listener.wait(lambda heard: len(heard.on("result")) >= seen + 3)
    assert listener.on("result")[-1]["limits"] == {"min_scratch_px": 40}
    assert verdict_of_bad(listener) == "fail"


def verdict_of_bad(heard: Listener) -> str:
    return [r["verdict"] for r in heard.on("result") if r["source"].endswith("bad.png")][-1]


def test_samples_show_what_each_limit_would_have_done(
    line: Path, model: Path, pictures: Path
) -> None:
    """The bad part is 200 px long: the table, the recommendation, what can be claimed, a curve."""
    line.write_text(TEXT + f"model: {{bundle: '{model}'}}\nstate_dir: state\n")
    for kind in ("good", "bad"):
        (line.parent / kind).mkdir()
        (pictures / f"{kind}.png").rename(line.parent / kind / "part.png")

    done = calibrate(line, "--samples", ".", "--min-scratch-px", 300)

    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "40 → 300 px: 0 parts more would be rejected, 1 more would pass" in told
    assert "recommended by these samples: --min-scratch-px 100" in told
    assert "at 300 px, 1 of 1 bad parts missed:" in told
    assert "fewer than 5% are missed (95 % confidence): 92 more, none of them missed" in told
    assert "│ 100 │ 0 of 1" in told
    assert "recommended │" in told
    assert (line.parent / "state" / "samples.svg").read_text().startswith("<svg")
    assert not lines.history_of(line).exists()


@pytest.mark.parametrize("missing", ["good", "bad"])
def test_samples_of_both_kinds_are_needed(line: Path, model: Path, missing: str) -> None:
    """The folder that is not there is named."""
    line.write_text(TEXT + f"model: {{bundle: '{model}'}}\n")
    present = "good" if missing == "bad" else "bad"
    (line.parent / present).mkdir()
    cv2.imwrite(str(line.parent / present / "a.png"), np.zeros((9, 9, 3), np.uint8))

    done = calibrate(line, "--samples", ".")

    assert (done.returncode, missing in done.stderr) == (66, True), done.stderr


def test_the_scale_is_measured_and_recorded(line: Path, model: Path) -> None:
    """With the size of the frames; it fills in the mm, and `check` says where it is from."""
    line.write_text(TEXT + f"model: {{bundle: '{model}'}}\n")
    cv2.imwrite(str(line.parent / "board.png"), shot(board(), 1.0))

    done = calibrate(
        line, "--target", "checkerboard", "--known-mm", 5, "--picture", "board.png", "--by", "eve"
    )

    assert done.returncode == 0, done.stderr
    found = lines.read(line).config.scale
    assert found is not None
    assert found.mm_per_px == pytest.approx(5 / 40, rel=0.003)
    assert found.size == (1400, 1000)
    rows = {
        row["key"]: row
        for row in map(json.loads, run("check", "--json", cwd=line.parent).stdout.splitlines())
    }
    assert "eve  set" in rows["scale.mm_per_px"]["origin"]
    assert calibrate(line, "--min-scratch-mm", 2).returncode == 0
    assert lines.read(line).config.limits.min_scratch_mm == 2
    assert calibrate(line, "undo").returncode == 0
    assert calibrate(line, "undo").returncode == 0
    assert lines.read(line).config.scale is None


def test_a_scale_without_which_a_limit_means_nothing_cannot_be_undone(line: Path) -> None:
    """The record that would leave a limit in mm without a scale is refused and not written."""
    cv2.imwrite(str(line.parent / "part.png"), np.zeros((300, 400, 3), np.uint8))
    points = ["--between", "0,0,300,0", "--known-mm", 30, "--picture", "part.png"]
    assert calibrate(line, *points).returncode == 0
    line.write_text(TEXT.replace("min_scratch_px: 40", "min_scratch_mm: 4"))
    before = lines.history_of(line).read_bytes()

    done = calibrate(line, "undo")

    assert (done.returncode, "scale.mm_per_px" in done.stderr) == (78, True), done.stderr
    assert lines.history_of(line).read_bytes() == before


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--target", "ruler", "--known-mm", "1"], 2, "--between"),
        (["--target", "checkerboard"], 2, "--known-mm"),
        (["--known-mm", "5", "--between", "1,2,3"], 2, "4 numbers"),
        (["--known-mm", "5", "--between", "1,2,3,4000", "--picture", "part.png"], 78, "inside"),
        (["--target", "aruco", "--known-mm", "5", "--picture", "part.png"], 65, "found none"),
        (["--target", "aruco", "--known-mm", "5", "--picture", "nowhere.png"], 66, "nowhere.png"),
        (["--target", "aruco", "--known-mm", "5"], 69, "x"),
        (["--min-scratch-px", "5", "--min-scratch-mm", "5"], 2, "found both"),
    ],
)
def test_a_scale_that_cannot_be_had_changes_nothing(line, args, code, message) -> None:
    """Wrong options, no target in the picture, no picture, no camera."""
    cv2.imwrite(str(line.parent / "part.png"), np.zeros((300, 400, 3), np.uint8))

    done = calibrate(line, *args)

    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not lines.history_of(line).exists()

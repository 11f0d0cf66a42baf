"""Calibration records that are damaged, linked, contradicted, or written by somebody else."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector import lines
from tests.test_calibrate import TEXT, calibrate, line
from tests.test_cli import run

__all__ = ["line"]


def test_a_torn_history_stops_run_check_and_calibrate(line: Path) -> None:
    """Nobody judges by a limit that cannot be read, and the file stays for whoever looks."""
    lines.history_of(line).write_text('{"schema": "inspector.cal')

    for args in (["check"], ["run"], ["calibrate", "--min-scratch-px", "5"]):
        done = run(*args, cwd=line.parent)
        assert done.returncode == 78
        assert "line.calibration.jsonl:1" in done.stderr
    assert lines.history_of(line).read_text() == '{"schema": "inspector.cal'


@pytest.mark.parametrize("made", [lambda f: f.write_text(""), lambda f: f.symlink_to("nowhere")])
def test_a_record_that_is_empty_or_leads_nowhere_is_damage(
    line: Path, made: Callable[[Path], object]
) -> None:
    """«Never calibrated» would let the limit and the scale fall away without a word."""
    made(lines.history_of(line))

    for args in (["check"], ["run"], ["calibrate", "show"]):
        done = run(*args, cwd=line.parent)
        assert (done.returncode, "line.calibration.jsonl" in done.stderr) == (78, True), args


def test_whoever_comes_by_a_link_finds_the_same_record(line: Path) -> None:
    """One line has one history, and one that was kept beside a link is not overlooked."""
    link = line.parent / "links" / "other.yaml"
    link.parent.mkdir()
    link.symlink_to(line)

    done = calibrate(line, "--config", link, "--min-scratch-px", 55)

    assert str(lines.history_of(line)) in done.stdout
    assert lines.read(line).config.limits.min_scratch_px == 55
    link.with_suffix(".calibration.jsonl").write_text("of another time")
    refused = calibrate(line, "--config", link, "show")
    assert (refused.returncode, "beside the file itself" in refused.stderr) == (78, True)


def test_what_is_typed_at_once_is_one_record(line: Path) -> None:
    """A limit in mm with the scale that it needs: tried, set and taken back together."""
    picture = line.parent / "part.png"
    cv2.imwrite(str(picture), np.full((480, 640, 3), 90, np.uint8))
    typed = ["--known-mm", 50, "--between", "100,200,600,200", "--picture", picture,
             "--min-scratch-mm", 2]  # fmt: skip

    for attempt in ([*typed, "--dry-run"], typed):
        done = calibrate(line, *attempt)
        assert (done.returncode, "min_scratch_mm: None → 2.0" in done.stdout) == (0, True)
        assert "scale: None → " in done.stdout
    assert len(lines.read_history(line).records) == 1
    calibrate(line, "undo")
    assert lines.read(line).config == lines.read_file(line)[1]


def test_a_record_names_camera_size_and_model(line: Path) -> None:
    """Where one of them is another by now, whoever looks is told; the address has no password."""
    line.write_text(TEXT.replace("folder:x", "rtsp://eve:secret@cam/1"))
    calibrate(line, "--min-scratch-px", 55)
    (record,) = lines.read_history(line).records
    assert record.setup is not None
    assert (record.setup.camera, record.setup.size) == ("rtsp://cam/1", None)
    assert record.setup.model is not None
    assert record.setup.model.startswith("scratches ")
    assert "calibrate again?" not in calibrate(line, "show").stdout

    line.write_text(TEXT.replace("'folder:x'", "'rtsp://cam/2', size: [640, 480]"))
    for told in (calibrate(line, "show").stdout, run("check", cwd=line.parent).stderr):
        assert "min_scratch_px was calibrated before a change: camera rtsp://cam/1 → rtsp" in told
    calibrate(line, "--min-scratch-px", 56)
    assert "calibrate again?" not in run("check", cwd=line.parent).stderr
    assert lines.read_history(line).records[-1].setup.size == (640, 480)


def test_an_undo_leads_out_of_a_contradiction(line: Path) -> None:
    """Where the file has changed so that the calibration does not fit it any more."""
    line.write_text(TEXT + "scale: {mm_per_px: 0.1}\n")
    calibrate(line, "--min-scratch-px", 55)
    calibrate(line, "--min-scratch-mm", 2)
    line.write_text(TEXT)

    shown = calibrate(line, "show")
    assert (shown.returncode, shown.stdout.count("set")) == (78, 2)
    for attempt in (["undo", "--dry-run"], ["undo"]):
        done = calibrate(line, *attempt)
        assert (done.returncode, "contradicted" in done.stdout) == (0, True), done.stderr
    assert lines.read(line).config.limits.min_scratch_px == 55
    assert len(lines.read_history(line).records) == 3


def test_who_may_read_the_line_s_file_may_read_its_record(line: Path) -> None:
    """The service is another user than who calibrates, whose umask may hide all."""
    line.chmod(0o640)

    before = os.umask(0o077)
    try:
        done = calibrate(line, "--min-scratch-px", 55)
    finally:
        os.umask(before)

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(lines.history_of(line).stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "\udcff"])
def test_a_name_that_cannot_be_kept_is_refused(line: Path, name: str) -> None:
    """In a sentence, before anything is written."""
    done = calibrate(line, "--min-scratch-px", 55, "--by", name)

    assert (done.returncode, "--by: expected 1 to 200" in done.stderr) == (78, True), done.stderr
    assert not lines.history_of(line).exists()


def test_a_terminal_without_arrows_still_shows_the_change(line: Path, monkeypatch) -> None:
    """And the exit code says that it was made."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")

    done = calibrate(line, "--min-scratch-px", 55)

    assert (done.returncode, "40.0 \\u2192 55.0" in done.stdout) == (0, True), done.stderr

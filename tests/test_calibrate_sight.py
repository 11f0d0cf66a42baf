"""`inspector calibrate --sight` and `--reference`: what a picture must be like to be judged."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector import lines
from tests.support import pictures as made
from tests.support.daemon import Start
from tests.support.listener import Listener
from tests.test_calibrate import TEXT, calibrate, line, verdict_of_bad
from tests.test_cli import run

__all__ = ["line"]


@pytest.fixture
def good(line: Path) -> Path:
    """Twelve good parts of the line."""
    folder = line.parent / "good"
    folder.mkdir()
    for number, part in enumerate(made.parts("plate", 12)):
        cv2.imwrite(str(folder / f"{number}.png"), part)
    return folder


@pytest.mark.parametrize("source", ["--sight", "--frames"])
def test_windows_are_learned_from_good_pictures(line: Path, good: Path, source: str) -> None:
    """A folder of them, or what comes before the camera; what cannot be seen on is left out."""
    cv2.imwrite(str(good / "99.png"), np.zeros((300, 400, 3), np.uint8))
    (good / "torn.png").write_bytes(b"torn")
    line.write_text(TEXT.replace("folder:x", "folder:good"))

    done = calibrate(line, source, "good" if source == "--sight" else "14", "--by", "adam")

    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0] == "learned from 12 pictures; left out: 1 × too_dark, 1 × unreadable_image"
    assert told[1:4] == [
        "these pictures: 0 of 12 would be unknown",
        "the same, 4 stops darker: 12 of 12 would be unknown",
        "the same, blurred by 3 px: 12 of 12 would be unknown",
    ]
    sight = lines.read(line).config.sight
    assert sight.brightness is not None
    assert 0 < sight.brightness[0] < sight.brightness[1] < 255
    assert 0 < sight.min_sharpness < 1
    assert calibrate(line, "undo").returncode == 0
    assert not lines.read(line).config.sight.any


def test_only_what_is_judged_is_learned_from(line: Path, good: Path) -> None:
    """The region of interest; a folder in which it does not fit teaches nothing."""
    line.write_text(TEXT.replace("'folder:x'", "'folder:x', roi: [0, 0, 50, 50]"))
    assert calibrate(line, "--sight", good).returncode == 0
    corner = lines.read(line).config.sight
    line.write_text(TEXT.replace("'folder:x'", "'folder:x', roi: [0, 0, 5000, 50]"))
    wide = calibrate(line, "--sight", good)
    line.write_text(TEXT)
    assert calibrate(line, "--sight", good).returncode == 0

    assert lines.read(line).config.sight != corner
    assert (wide.returncode, "found 0 (12 × outside_frame)" in wide.stderr) == (66, True)


def test_windows_that_notice_nothing_say_so(line: Path, good: Path) -> None:
    """Pictures from dark to bright have no exposure of their own."""
    for number in range(12):
        part = cv2.imread(str(good / f"{number}.png"))
        cv2.imwrite(str(good / f"{number}.png"), made.darker(part, number % 6))

    done = calibrate(line, "--sight", good, "--dry-run")

    assert "too wide to notice all of that" in done.stdout
    assert not lines.history_of(line).exists()


def test_a_mark_is_cut_and_kept(line: Path, good: Path) -> None:
    """Beside the line's file, under a name of its own; undo brings back the mark before it."""
    picture = good / "0.png"
    for at in (200, 210):
        box = f"{at},150,60,40"
        done = calibrate(line, "--reference", box, "--picture", picture, "--within-px", 20)
        assert done.returncode == 0, done.stderr

    second = lines.read(line).config.sight.reference
    assert (second.at, second.within_px) == ((210, 150), 20)
    kept = cv2.imread(str(second.picture), cv2.IMREAD_UNCHANGED)
    gray = cv2.cvtColor(cv2.imread(str(picture)), cv2.COLOR_BGR2GRAY)
    assert np.array_equal(kept, gray[150:190, 210:270])
    assert f"reference: {second}" in calibrate(line, "show").stdout
    assert calibrate(line, "undo").returncode == 0
    first = lines.read(line).config.sight.reference
    assert first.at == (200, 150)
    assert first.picture != second.picture
    assert first.picture.exists()


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--sight", "few"], 66, "at least 10 good pictures, found 1"),
        (["--sight", "nowhere"], 66, "nowhere"),
        (["--frames", "9"], 2, "10"),
        (["--frames", "10"], 69, "x"),
        (["--sight", "few", "--frames", "10"], 2, "found both"),
        (["--reference", "1,2,3"], 2, "4 numbers"),
        (["--reference", "1,2,60.5,40"], 2, "whole numbers"),
        (["--reference", "300,0,60,40", "--picture", "few/0.png"], 78, "within 320 × 240"),
        (["--reference", "-1,0,60,40", "--picture", "few/0.png"], 78, "within 320 × 240"),
        (["--reference", "0,0,15,40", "--picture", "few/0.png"], 78, "at least 16 × 16"),
        (["--reference", "0,0,60,40", "--picture", "few/0.png"], 78, "with contrast"),
        (["--reference", "0,0,60,40", "--picture", "dark.png"], 66, "too_dark"),
        (["--reference", "0,0,60,40", "--picture", "nowhere.png"], 66, "nowhere.png"),
        (["--reference", "0,0,60,40"], 69, "x"),
    ],
)
def test_a_sight_that_cannot_be_had_changes_nothing(line, args, code, message) -> None:
    """Too few pictures, none, no camera, no mark."""
    (line.parent / "few").mkdir()
    flat = np.full((240, 320, 3), 90, np.uint8)
    flat[200:] = 200
    cv2.imwrite(str(line.parent / "few" / "0.png"), flat)
    cv2.imwrite(str(line.parent / "dark.png"), flat // 99)
    before = sorted(line.parent.iterdir())

    done = calibrate(line, *args)

    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(line.parent.iterdir()) == before


def test_a_mark_that_is_gone_stops_check_run_and_inspect(
    line: Path, good: Path, model: Path
) -> None:
    """Nobody judges by a check that cannot be made."""
    gone = "sight: {reference: {picture: gone.png, at: [1, 2]}}\n"
    line.write_text(f"{TEXT}{gone}model: {{bundle: '{model}'}}\n")

    for args in (["check"], ["run"], ["inspect", good]):
        done = run(*args, cwd=line.parent)
        assert (done.returncode, "gone.png" in done.stderr) == (78, True), done.stderr
        assert "Traceback" not in done.stderr


def test_a_running_daemon_looks_for_the_mark(
    start: Start, listener: Listener, tmp_path: Path, pictures: Path
) -> None:
    """From the next part on; it passes where the mark is, and is unknown where it is not."""
    good = cv2.imread(str(pictures / "good.png"))
    cv2.rectangle(good, (200, 300), (230, 330), (255, 255, 255), 4)
    cv2.imwrite(str(pictures / "good.png"), good)
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 3)

    box = ["--reference", "190,290,50,50", "--picture", pictures / "good.png"]
    assert calibrate(tmp_path / "line.yaml", *box).returncode == 0
    listener.wait(lambda heard: verdict_of_bad(heard) == "unknown")

    told = {Path(r["source"]).name: r for r in listener.on("result")}
    assert told["bad.png"]["reasons"][0]["rule"] == "not_in_place"
    assert told["good.png"]["verdict"] == "pass"

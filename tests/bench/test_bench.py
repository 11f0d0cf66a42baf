"""The command, with real runtimes on a tiny model."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inspector", "bench", *arguments],
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip


def test_each_way_is_measured_side_by_side(model: Path, pictures: Path, tmp_path: Path) -> None:
    """A row for each runtime, its stages within its total, and the picture of it."""
    (pictures / "torn.jpg").unlink()
    png = tmp_path / "bench.png"

    done = bench("--model", str(model), "--pictures", str(pictures), "--rounds", "2", "--json",
                 "--png", str(png))  # fmt: skip

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rows = {row["runtime"]: row for row in found["rows"]}
    assert {"openvino/CPU/f32", "onnxruntime/CPU/f32"} <= rows.keys()
    assert "openvino int8" in found["refused"]
    assert found["auto"] == "openvino/CPU/f32"
    for row in rows.values():
        stages = row["stages"]
        assert 0 < row["infer"]["p50"] <= row["infer"]["p95"] <= row["infer"]["p99"]
        assert 0 < stages["segment"]["p50"] < stages["total"]["p50"] * 1.01
        assert row["rss_mb"] > 30
        assert row["first_verdict_s"] > 0
        assert row["parts_per_minute"] > 0
    assert cv2.imread(str(png)) is not None


@pytest.mark.parametrize("after_s", [0.2, 1, 2])
def test_ctrl_c_ends_it_without_a_word(after_s: float) -> None:
    """As from a terminal, which tells the processes that judge as well."""
    command = [sys.executable, "-m", "inspector", "bench", "--rounds", "1000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while not children.read_text():
            time.sleep(0.05)
        time.sleep(after_s)
        os.killpg(running.pid, signal.SIGINT)
        told = running.communicate(timeout=30)

    assert (running.returncode, *told) == (130, "", "")


def test_a_folder_without_pictures_is_no_input(tmp_path: Path) -> None:
    """Exit 66, before any process is started."""
    done = bench("--pictures", str(tmp_path))

    assert done.returncode == 66
    assert "expected" in done.stderr


def test_a_picture_that_cannot_be_read_is_no_input(pictures: Path) -> None:
    """It is named with what is wrong with it, before any process dies of it."""
    done = bench("--pictures", str(pictures))

    assert done.returncode == 66
    assert "torn.jpg: expected a picture to judge, found: expected a" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("png", ["bench.xyz", "nowhere/bench.png"])
def test_a_drawing_that_cannot_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, png: str
) -> None:
    """Exit 2: a long bench would be lost."""
    done = bench("--png", str(tmp_path / png))

    assert (done.returncode, done.stdout) == (2, "")
    assert "expected a name that ends in" in done.stderr


def test_a_model_that_may_not_run_is_bad_data(pictures: Path, tmp_path: Path) -> None:
    """It is refused once, before any process says so for its way."""
    done = bench("--pictures", str(pictures), "--model", str(tmp_path))

    assert (done.returncode, done.stderr.count("expected a bundle's folder")) == (65, 1)

"""What a dense net is taught: targets at half the resolution, in which no hairline breaks."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner

from inspector.errors import ConfigError
from training.__main__ import app
from training.targets import LEFT_OUT, dense_target
from training.train import CONFIG, settings


def target(mask: np.ndarray) -> np.ndarray:
    return dense_target(torch.from_numpy(mask.astype(np.int32))[None])[0].numpy()


@pytest.mark.parametrize("turn", range(0, 180, 20))
def test_a_hairline_stays_in_one_piece(turn: int) -> None:
    """One pixel wide, at any angle: its target is connected, and 2 to 3 cells wide."""
    mask = np.zeros((128, 128), np.uint8)
    a = np.radians(turn)
    ends = [(round(64 + s * 50 * np.cos(a)), round(64 + s * 50 * np.sin(a))) for s in (-1, 1)]
    cv2.line(mask, ends[0], ends[1], 1)

    found = (target(mask) == 1).astype(np.uint8)

    assert cv2.connectedComponents(found, connectivity=4)[0] == 2
    assert 100 / 2 * 1.4 < found.sum() < 100 / 2 * 3.5


def test_what_is_left_out_stays_so_unless_a_scratch_is_nearer() -> None:
    """A scratch that fades into what nobody can see ends where its own pixels end."""
    mask = np.zeros((32, 32), np.int32)
    mask[16, 2:16], mask[16, 16:30] = 1, LEFT_OUT

    found = target(mask)

    assert found.shape == (16, 16)
    assert {*np.unique(found)} == {0, 1, LEFT_OUT}
    assert (found[8, :8] == 1)[1:].all()
    assert (found[8, 9:15] == LEFT_OUT).all()
    assert (found[:6] == 0).all()


def test_a_pixel_at_the_corner_of_the_picture_counts() -> None:
    """Nothing is lost at the border, and nothing comes in from beyond it."""
    mask = np.zeros((16, 16), np.uint8)
    mask[0, 0] = mask[15, 15] = 1

    found = target(mask)

    assert found[0, 0] == found[7, 7] == 1
    assert found.sum() == 2


def test_the_command_line_overrules_the_file() -> None:
    """Keys of ultralytics as well as our own."""
    chosen = settings(None, hours=0.5, batch=4, lr0=None)

    assert (chosen["hours"], chosen["train"]["batch"]) == (0.5, 4)
    assert chosen["train"]["lr0"] > 0


@pytest.mark.parametrize("name", ["default.yaml", "gpu.yaml"])
def test_a_net_beside_the_settings_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Path(settings(CONFIG.with_name(name))["model"]).is_file()
    assert settings(None, model="yolo11n-seg.yaml")["model"] == "yolo11n-seg.yaml"


def test_settings_that_are_not_there_are_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "--config", str(tmp_path / "no.yaml")])

    assert done.exit_code == 66
    assert "no.yaml" in done.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train: [", "expected YAML, found: while parsing"),
        ("", "expected all settings of default.yaml, found no data"),
        ("hours: 1", "expected all settings of default.yaml, found no data"),
        (CONFIG.read_text().partition("\ntrain:")[0] + "\ntrain: 3", "train: expected settings"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """A file of one's own replaces the default one, and does not change keys of it."""
    (tmp_path / "own.yaml").write_text(text)

    done = CliRunner().invoke(app, ["train", "--config", str(tmp_path / "own.yaml")])

    assert done.exit_code == 78
    assert f"own.yaml: {expected}" in done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--hours", "0"], "hours: expected a number above 0, found 0"),
        (["--hours", "nan"], "hours: expected a number above 0, found nan"),
        (["--imgsz", "100"], "imgsz: expected a multiple of 32, at least 64; found 100"),
        (["--imgsz", "32"], "imgsz: expected a multiple of 32, at least 64; found 32"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: list[str], expected: str) -> None:
    """Before anything is opened."""
    done = CliRunner().invoke(app, ["train", *given])

    assert done.exit_code == 78
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("hours", "two", "hours: expected a number above 0, found 'two'"),
        ("hours", True, "hours: expected a number above 0, found True"),
        ("save_minutes", None, "save_minutes: expected a number above 0, found None"),
        ("threads", "all", "threads: expected a whole number from 1 on, found 'all'"),
        ("warmup_steps", -1, "warmup_steps: expected a whole number from 0 on, found -1"),
    ],
)
def test_a_setting_of_another_kind_is_named(
    tmp_path: Path, key: str, value: object, expected: str
) -> None:
    """A word where a number belongs is no reason for a traceback, nor for a late one."""
    known = yaml.safe_load(CONFIG.read_text())
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({**known, key: value}))

    with pytest.raises(ConfigError, match=expected):
        settings(tmp_path / "own.yaml")

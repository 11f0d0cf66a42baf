"""Scratches on a user's own good pictures: held out by file, labelled exactly, never lost."""

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from inspector.errors import InspectorError, NoInputError
from tests.support.datasets import digest
from training.__main__ import app
from training.synth import scene
from training.synth.dataset import Recipe, draw, generate
from training.synth.good import read_folder
from training.synth.surfaces import OwnPart, own

COLOURS = list(product((40, 210), repeat=3))


def _write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def lids(tmp_path: Path) -> Path:
    """Eight lids of eight colours; of the corners of the cube none is near another."""
    for k, colour in enumerate(COLOURS):
        _write(tmp_path / "lid" / f"{k}.png", np.full((120, 130, 3), colour, np.uint8))
    return tmp_path / "lid"


def _smooth(path: Path) -> OwnPart:
    """One mono picture with a slow ramp and no texture."""
    ramp = np.linspace(80, 140, 200, dtype=np.uint8)
    return OwnPart("sheet", (_write(path, np.repeat(np.tile(ramp, (200, 1))[..., None], 3, 2)),))


def _rough(path: Path, noise: float) -> OwnPart:
    grain = np.random.default_rng(0).normal(120, noise, (200, 200, 1))
    return OwnPart("cast", (_write(path, np.repeat(grain.clip(0, 255).astype(np.uint8), 3, 2)),))


def test_the_same_folder_gives_the_same_files_whatever_the_number_of_workers(
    lids: Path, tmp_path: Path
) -> None:
    """One process and two write byte for byte the same, with the folder's name in the truth."""
    recipe = Recipe(seed=3, size=96, own=read_folder(lids).train)
    generate(recipe, tmp_path / "one", "train", 20, workers=1)
    generate(recipe, tmp_path / "two", "train", 20, workers=2)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert '"surface": "lid"' in (tmp_path / "one" / "truth-train.jsonl").read_text()


def test_no_picture_of_the_hold_out_comes_from_a_training_file(
    lids: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every generated picture has the colour of a file of its own side."""
    monkeypatch.setattr(scene.distractors, "scatter", lambda *_: None)  # a stain hides the colour
    good = read_folder(lids)
    assert set(good.train.pictures) | set(good.val.pictures) == set(lids.iterdir())
    assert good.val.pictures
    for part in (good.train, good.val):
        assert list(part.pictures) == sorted(part.pictures)
        recipe = Recipe(seed=5, size=96, own=part, own_share=1.0, pad_share=0)
        files, seen = {int(p.stem) for p in part.pictures}, set()
        for index in range(24):
            middle = np.median(draw(recipe, index).image[:86, :86], axis=(0, 1))
            seen.add(int(np.argmin([np.abs(middle - colour).sum() for colour in COLOURS])))
        assert seen <= files


def test_a_file_keeps_its_side_when_others_come_and_its_copies_are_with_it(lids: Path) -> None:
    """What was trained on yesterday is not held out today, whatever it is called."""
    before = read_folder(lids)
    for k in range(8):
        _write(lids / f"new-{k}.png", np.full((90, 90, 3), 10 * k, np.uint8))
    for path in (before.train.pictures[0], before.val.pictures[0]):
        (lids / f"copy of {path.name}").write_bytes(path.read_bytes())
    after = read_folder(lids)
    assert set(before.train.pictures) <= set(after.train.pictures)
    assert set(before.val.pictures) <= set(after.val.pictures)
    assert lids / f"copy of {before.train.pictures[0].name}" in after.train.pictures
    assert lids / f"copy of {before.val.pictures[0].name}" in after.val.pictures


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_few_pictures_are_enough_for_both_sides(tmp_path: Path, count: int) -> None:
    """Neither side is empty, however the hashes fall."""
    for salt in range(4):
        folder = tmp_path / str(salt)
        for k in range(count):
            _write(folder / f"{k}.png", np.full((64, 64, 3), 20 * salt + k, np.uint8))
        good = read_folder(folder)
        assert len(good.train.pictures) + len(good.val.pictures) == count
        assert good.train.pictures
        assert good.val.pictures


def test_the_picture_is_changed_where_the_mask_is_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same draw without scratches is the clean window, under the same camera."""
    monkeypatch.setattr(scene, "TRIES", 1)
    part, compared = _smooth(tmp_path / "1.png"), 0
    for seed in range(20):
        try:
            made = scene.picture(np.random.default_rng(seed), part, (128, 128), scratched=True)
        except InspectorError:
            continue
        clean = scene.picture(np.random.default_rng(seed), part, (128, 128), scratched=False)
        assert clean.truths == []
        change = np.abs(made.image.astype(np.float32) - clean.image).max(2)
        for truth in made.truths:
            # The contrast is that of the line and its flanks, one pixel around it.
            found = np.median(cv2.dilate(change, np.ones((3, 3), np.uint8))[truth.mask])
            assert found > 0.6 * truth.contrast
            compared += 1
        assert np.median(change) < 4
    assert compared > 20


def test_what_the_picture_s_own_noise_hides_is_not_labelled(tmp_path: Path) -> None:
    """On a smooth sheet faint scratches are labelled, on a rough one only strong ones."""
    faintest = {}
    for part in (_smooth(tmp_path / "1.png"), _rough(tmp_path / "2.png", 22)):
        recipe = Recipe(size=128, own=part, own_share=1.0, good_share=0)
        truths = [t for index in range(40) for t in draw(recipe, index).truths]
        faintest[part.name] = np.quantile([t.contrast for t in truths], 0.05)
    assert faintest["sheet"] < 22
    assert faintest["cast"] > 30


def test_a_mono_camera_s_picture_stays_mono(tmp_path: Path) -> None:
    """Neither scratch nor dirt nor noise has a colour that this camera could not have seen."""
    recipe = Recipe(size=96, own=_smooth(tmp_path / "1.png"), own_share=1.0)
    for index in range(16):
        assert np.ptp(draw(recipe, index).image, axis=2).max() <= own.GREY_SPREAD


def test_windows_keep_the_camera_s_scale(tmp_path: Path) -> None:
    """Bars 10 px apart are 9 to 11 px apart in every window."""
    bars = np.zeros((300, 300, 3), np.uint8)
    bars[:, ::10] = 255
    for seed in range(12):
        cut = own.window(np.random.default_rng(seed), bars, 100, 90).mean(2)
        assert cut.shape == (100, 90)
        for line in (cut.mean(0), cut.mean(1)):
            if np.ptp(line) > 50:
                power = np.abs(np.fft.rfft(line - line.mean(), 4096))
                assert 8.9 < 4096 / (20 + np.argmax(power[20:500])) < 11.1


def test_a_picture_smaller_than_the_window_is_taken_whole(tmp_path: Path) -> None:
    """It is padded like a small frame at the edge, never enlarged."""
    path = _write(tmp_path / "1.png", np.full((70, 80, 3), 200, np.uint8))
    for index in range(8):
        made = draw(Recipe(size=128, own=OwnPart("small", (path,)), own_share=1.0), index)
        assert made.image.shape == (128, 128, 3)
        assert (made.image[90:, 90:] == 114).all()
        assert all(t.mask.shape <= (88, 88) for t in made.truths)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 1.5])
def test_the_blur_of_a_picture_is_measured(sigma: float) -> None:
    """A scratch must not be sharper than the part it lies on."""
    image = np.zeros((160, 160), np.float32)
    image[40:120, 40:120] = 150
    image = cv2.GaussianBlur(image, (0, 0), sigma)
    image += np.random.default_rng(1).normal(20, 2, image.shape).astype(np.float32)
    noise, _, blur = own.measure(np.repeat(image[..., None], 3, 2))
    assert blur == pytest.approx(sigma, abs=0.2)
    assert noise == pytest.approx(2, abs=0.2)


def test_sixteen_bits_and_alpha_are_read_as_the_edge_reads_them(tmp_path: Path) -> None:
    """The upper eight bits are kept, alpha is dropped."""
    deep = _write(tmp_path / "deep.png", np.full((64, 64, 3), 0x8123, np.uint16))
    clear = _write(tmp_path / "clear.png", np.full((64, 64, 4), 77, np.uint8))
    assert (own.load(deep) == 0x81).all()
    assert (own.load(clear) == 77).all()
    assert own.load(clear).shape == (64, 64, 3)


def test_memory_for_pictures_is_bounded(lids: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pictures a folder has, a process keeps only the last ones it used."""
    monkeypatch.setattr(own, "_cache", {})
    monkeypatch.setattr(own, "CACHE_BYTES", 3 * 120 * 130 * 3)
    for path in sorted(lids.iterdir()):
        own.load(path)
        assert len(own._cache) <= 3
    assert list(own._cache) == sorted(lids.iterdir())[-3:]


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.7, 0.6, 0.8), (1.0, 1, 1)])
def test_the_part_has_its_share_of_the_pictures(
    lids: Path, share: float, low: float, high: float
) -> None:
    """The rest are the generator's surfaces."""
    recipe = Recipe(size=64, good_share=0.5, own=read_folder(lids).train, own_share=share)
    names = [draw(recipe, index).surface for index in range(150)]
    assert low <= names.count("lid") / len(names) <= high


def test_a_folder_named_like_a_surface_is_told_apart(lids: Path) -> None:
    """Reports count by name: a user's plates are not the generator's."""
    assert read_folder(lids.rename(lids.with_name("plate"))).train.name == "plate-own"


def test_files_that_are_no_good_are_named_once_each_and_left_out(
    lids: Path, tmp_path: Path
) -> None:
    """A torn and a tiny picture do not stop the others."""
    (lids / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    _write(lids / "tiny.png", np.zeros((20, 90, 3), np.uint8))
    sizes = ["--train", "4", "--val", "2", "--size", "64", "--workers", "1"]
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["synth", "--good", str(lids), "--out", str(out), *sizes])
    assert ran.exit_code == 0, ran.output
    warnings = [line for line in ran.stderr.splitlines() if line.startswith("left out: ")]
    assert len(warnings) == 2
    assert "expected at least 64 × 64 px, found 90 × 20" in warnings[0]
    assert "torn.jpg" in warnings[1]
    assert len(list((out / "images").rglob("*.jpg"))) == 6
    assert ran.stdout.split() == [str(out / "data.yaml")]
    assert yaml.safe_load((out / "data.yaml").read_text())["path"] == str(out)


@pytest.mark.parametrize("content", ["nothing", "torn", "no folder", "a file", "one", "one twice"])
def test_a_folder_that_cannot_serve_is_refused_before_anything_is_written(
    tmp_path: Path, content: str
) -> None:
    """Exit code 66, with what was expected and what was found."""
    folder = tmp_path / "lid"
    if content == "a file":
        folder.write_bytes(b"")
    elif content != "no folder":
        folder.mkdir()
    if content == "torn":
        (folder / "torn.png").write_bytes(b"\x89PNG")
    if content.startswith("one"):
        _write(folder / "1.png", np.zeros((90, 90, 3), np.uint8))
    if content == "one twice":
        (folder / "2.png").write_bytes((folder / "1.png").read_bytes())
    with pytest.raises(NoInputError, match=r"expected .* found"):
        read_folder(folder)
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["synth", "--good", str(folder), "--out", str(out)])
    assert ran.exit_code == 66
    assert "expected" in ran.stderr
    assert not out.exists()


def test_a_size_that_the_net_cannot_take_is_a_wrong_option(tmp_path: Path) -> None:
    """With what was expected, before anything is written."""
    out = tmp_path / "out"

    ran = CliRunner().invoke(app, ["synth", "--size", "300", "--out", str(out)])

    assert ran.exit_code == 2
    assert "expected a multiple of 32" in ran.stderr
    assert not out.exists()

"""Generated pictures: deterministic, balanced, and labelled with the truth."""

import gc
import json
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from PIL import ImageFont
from typer.testing import CliRunner

from tests.support.datasets import digest
from training.__main__ import app
from training.synth import dataset, fonts, optics, strokes
from training.synth.dataset import Recipe, draw, generate, is_good
from training.synth.scene import LABEL_WIDTH_PX, truth_of
from training.synth.surfaces import SURFACES

SMALL = Recipe(seed=3, size=96, good_share=0.4)


def test_the_same_seed_gives_the_same_files_whatever_the_number_of_workers(tmp_path: Path) -> None:
    """One process and two write byte for byte the same data set."""
    generate(SMALL, tmp_path / "one", "train", 20, workers=1)
    generate(SMALL, tmp_path / "two", "train", 20, workers=2)
    one = digest(tmp_path / "one")
    assert len(one) > 40
    assert one == digest(tmp_path / "two")


def test_a_typeface_with_something_odd_is_used_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a machine's typefaces a few have a byte too many in a table."""
    usual = TTFont(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    odd = DefaultTable("post")
    odd.data = usual.getTableData("post") + b"\x05"
    usual["post"] = odd
    usual.save(tmp_path / "odd.ttf")
    monkeypatch.setattr(fonts, "SYSTEM_DIRS", (tmp_path,))

    assert str(tmp_path / "odd.ttf") in fonts.font_files.__wrapped__()
    assert caplog.text == ""


def test_typefaces_do_not_stay_in_memory() -> None:
    """Each size of each of some hundred typefaces takes 150 kB, and a data set needs thousands."""

    def typefaces() -> set[int]:
        gc.collect()
        # Not isinstance: other objects would be asked for what they are, and some complain.
        return {id(o) for o in gc.get_objects() if type(o) is ImageFont.FreeTypeFont}

    before = typefaces()
    for index in range(20):
        draw(SMALL, index)
    assert len(typefaces() - before) == 0


def test_another_seed_gives_other_pictures() -> None:
    """Hold-out pictures of the next seed are not those of training."""
    other = Recipe(seed=4, size=96, good_share=0.4)
    assert not np.array_equal(draw(SMALL, 0).image, draw(other, 0).image)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.45, 0.5])
def test_good_pictures_are_an_exact_share(share: float) -> None:
    """Over any run of 100 pictures the good ones are the asked share."""
    recipe = Recipe(good_share=share)
    for start in (0, 37, 1000):
        count = sum(is_good(recipe, i) for i in range(start, start + 100))
        assert abs(count - share * 100) <= 1


def test_more_than_half_empty_is_refused() -> None:
    """A data set of mostly empty pictures teaches a net to say nothing."""
    with pytest.raises(ValueError, match="good_share"):
        Recipe(good_share=0.6)


def test_a_scratched_picture_shows_a_scratch_and_a_good_one_none() -> None:
    """Truth and the planned share agree picture by picture."""
    for index in range(24):
        assert bool(draw(SMALL, index).truths) != is_good(SMALL, index)


@pytest.mark.parametrize("name", sorted(SURFACES))
def test_every_surface_draws_finite_pictures_of_the_asked_size(name: str) -> None:
    """Windows and whole parts, of any shape, without NaN."""
    for seed in range(4):
        made = SURFACES[name](np.random.default_rng(seed), 80, 130, seed % 2 == 1)
        assert made.image.shape == (80, 130, 3)
        assert made.part.shape == (80, 130)
        assert np.isfinite(made.image).all()


@pytest.mark.parametrize("end", [(110.0, 20.0), (20.0, 95.0), (104.8, 93.6)])
@pytest.mark.parametrize("width", [1.0, 3.0, 6.0])
def test_the_truth_of_a_straight_scratch_is_exact(end: tuple[float, float], width: float) -> None:
    """Length, width and mask area of a drawn line are what geometry says."""
    scratch = strokes.straight((20, 20), end, width)
    truth = truth_of(scratch, (128, 128), contrast=50)
    length = float(np.hypot(end[0] - 20, end[1] - 20))
    assert truth.length_px == pytest.approx(length, abs=0.01)
    assert truth.width_px == pytest.approx(width)
    if width > 1:
        assert truth.mask.sum() == pytest.approx((length + 1) * width, rel=0.12)


def test_training_labels_are_never_thinner_than_the_targets_can_hold() -> None:
    """A hairline's label is widened; its true mask is not."""
    truth = truth_of(strokes.straight((10, 60), (110, 60), 1.0), (128, 128), contrast=50)
    label = np.zeros((128, 128), np.uint8)
    cv2.fillPoly(label, [truth.polygon.astype(np.int32)], 1)
    assert label[:, 60].sum() == LABEL_WIDTH_PX
    assert truth.mask[:, 60].sum() == 1


def test_engraving_changes_the_core_and_little_else() -> None:
    """A bright groove shines inside its mask; far from it nothing changes."""
    image = np.full((64, 64, 3), 40, np.float32)
    look = optics.Look(100, 0, 0, (0, 0, 0), (1, 1, 1), 0, 2)
    mask = optics.engrave(
        image, strokes.straight((8, 32), (56, 32), 3), look, np.random.default_rng(0)
    )
    assert image[32, 32].min() > 130
    assert np.array_equal(image[:24], np.full((24, 64, 3), 40, np.float32))
    assert mask[32, 10:54].min() == 1


def test_labels_on_disk_cover_the_masks_on_disk(tmp_path: Path) -> None:
    """Every true scratch pixel of a main stroke lies inside some polygon of the label file."""
    generate(SMALL, tmp_path, "val", 16, workers=1)
    rows = [json.loads(line) for line in (tmp_path / "truth-val.jsonl").read_text().splitlines()]
    assert len(rows) == 16
    for row in rows:
        label = (
            tmp_path / row["image"].replace("images", "labels").replace(".jpg", ".txt")
        ).read_text()
        assert len(label.splitlines()) == len(row["scratches"])
        if row["mask"] is None:
            assert row["label"] == "good"
            continue
        mask = cv2.imread(str(tmp_path / row["mask"]), cv2.IMREAD_GRAYSCALE) == 255
        painted = np.zeros(mask.shape, np.uint8)
        for line in label.splitlines():
            points = np.array(line.split()[1:], float).reshape(-1, 2) * mask.shape[::-1]
            cv2.fillPoly(painted, [np.floor(points).astype(np.int32)], 1)
        grown = cv2.dilate(painted, np.ones((3, 3), np.uint8)) > 0
        assert mask.any()
        assert grown[mask].mean() > 0.97


def test_a_data_set_that_is_there_is_replaced_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of before, of which the truth says nothing, would be trained on as good ones."""
    out = tmp_path / "out"
    names = iter(["before", "before", "now", "now", "torn"])

    def drawn(_: object, folder: Path, split: str, *__: object, home: Path) -> None:
        (folder / split).mkdir(parents=True)
        (folder / split / next(names)).write_text(str(home))
        (folder / "data.yaml").write_text(str(home))
        (folder / f"truth-{split}.jsonl").write_text("")

    def synth(*more: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["synth", "--out", str(out), *more])
        return done.exit_code, done.stderr

    def there() -> set[str]:
        return {path.name for path in tmp_path.rglob("*") if path.parent.name in ("train", "val")}

    monkeypatch.setattr(dataset, "generate", drawn)
    assert synth() == (0, "")
    assert (out / "data.yaml").read_text() == str(out)
    code, told = synth()
    assert code == 65
    assert f"{out}: expected nothing there, or --replace; found a file or folder" in told
    assert there() == {"before"}
    assert synth("--replace") == (0, "")
    assert there() == {"now"}
    assert synth("--replace")[0] == 1  # interrupted in the hold-out
    assert there() == {"now"}
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("file", ["images/val/000000.jpg", "masks/val/000000.png"])
def test_a_disk_that_takes_no_more_is_told(tmp_path: Path, file: str) -> None:
    """Also of a mask so small that OpenCV calls it written, which would be an empty file."""
    for kind in ("images", "labels", "masks"):
        (tmp_path / kind / "val").mkdir(parents=True)
    (tmp_path / file).symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left on device"):
        dataset.write(SMALL, tmp_path, "val", 0)


def test_a_seed_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """As any other option, before a picture is drawn."""
    for verb in ("synth", "metrology"):
        done = CliRunner().invoke(app, [verb, "--out", str(tmp_path / "out"), "--seed", "-1"])
        assert done.exit_code == 2
        assert "--seed" in done.stderr


def test_only_a_data_set_is_replaced(tmp_path: Path) -> None:
    """Nor one in which the pictures lie of which it is made."""
    (tmp_path / "mine.txt").write_text("keep")
    made = CliRunner().invoke(app, ["synth", "--out", str(tmp_path), "--replace"])
    assert made.exit_code == 65
    assert "expected a data set to replace, with data.yaml" in made.stderr
    for name in ("data.yaml", "truth-train.jsonl", "truth-val.jsonl"):
        (tmp_path / name).write_text("")
    good = ["--good", str(tmp_path / "good")]
    made = CliRunner().invoke(app, ["synth", "--out", str(tmp_path), "--replace", *good])
    assert made.exit_code == 65
    assert "expected no input in what is replaced" in made.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep"

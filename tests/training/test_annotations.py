"""Annotations of every format become the data set that they describe."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from inspector.types import Result, Timing, Verdict
from tests.training import annotated
from tests.training.annotated import HEIGHT, SHAPES, WIDTH
from training.__main__ import app
from training.annotations import coco
from training.annotations.importer import Settings, Summary, run
from training.evaluation import labels
from training.evaluation.matching import compare

SPLITS = ("train", "val")


@pytest.fixture(scope="module", params=annotated.FORMS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The same pictures and scratches, imported whole from each format."""
    folder = tmp_path_factory.mktemp("given")
    given = annotated.write(request.param, folder)
    return run(Settings(given, folder.with_name(f"{folder.name}-out"), crop=0, val_share=0.4))


def rows(summary: Summary) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Root, split and line of the truth for every picture."""
    root = summary.data.parent
    for split in SPLITS:
        for line in (root / f"truth-{split}.jsonl").read_text().splitlines():
            yield root, split, json.loads(line)


def mask_of(root: Path, row: dict[str, Any]) -> np.ndarray:
    if row["mask"] is None:
        return np.zeros((HEIGHT, WIDTH), np.uint8)
    return cv2.imread(str(root / row["mask"]), cv2.IMREAD_UNCHANGED)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def test_the_masks_are_what_was_drawn(made: Summary) -> None:
    """Scratched and ignored pixels of every picture are the known ones, and there is all of it."""
    seen = set()
    for root, _, row in rows(made):
        scratch, ignore = annotated.known(row["picture"])
        found = mask_of(root, row)
        assert set(np.unique(found)) <= {0, 128, 255}
        assert row["label"] == ("bad" if scratch.any() else "good")
        for pixels, value in ((scratch, 255), (ignore, 128)):
            assert (found == value).any() == pixels.any()
            if pixels.any():
                assert iou(found == value, pixels) > 0.97
        seen.add(row["picture"])
    # Of B_2 is only known what is to be ignored: nobody can learn from it.
    assert seen | {"B_2.png"} == set(SHAPES)


def test_the_labels_cover_the_masks(made: Summary) -> None:
    """Each label line is a polygon in the picture, and together they hold the scratches."""
    count = 0
    for root, split, row in rows(made):
        name = row["picture"].removesuffix(".png")
        lines = (root / "labels" / split / f"{name}.txt").read_text().splitlines()
        assert len(lines) == len(row["scratches"])
        painted = np.zeros((HEIGHT, WIDTH), np.uint8)
        for line in lines:
            kind, *values = line.split()
            points = np.array(values, float).reshape(-1, 2)
            assert kind == "0"
            assert len(points) >= 3
            assert ((points >= 0) & (points <= 1)).all()
            cv2.fillPoly(painted, [np.floor(points * (WIDTH, HEIGHT)).astype(np.int32)], 1)
        mask = mask_of(root, row) == 255
        assert (painted[mask] > 0).mean() > 0.97 if mask.any() else not lines
        thin = cv2.erode(painted, np.ones((3, 3), np.uint8))
        assert thin.any() == mask.any()
        count += len(lines)
    assert count >= 8


def test_lengths_are_those_of_the_lines(made: Summary) -> None:
    """What was drawn as a line is as long as the line."""
    for _, _, row in rows(made):
        for shape in SHAPES[row["picture"]]:
            if shape.kind == "polyline":
                length = float(np.hypot(*np.diff(np.array(shape.points), axis=0).T).sum())
                lengths = [s["length_px"] for s in row["scratches"]]
                assert min(abs(found - length) for found in lengths) < 3


def test_the_data_set_is_laid_out_as_training_and_evaluation_read_it(made: Summary) -> None:
    """data.yaml leads to pictures with labels, and the truth of the hold-out is accepted."""
    about = yaml.safe_load(made.data.read_text())
    assert about["names"] == {0: "scratch"}
    root = Path(about["path"])
    assert root == made.data.parent.resolve()
    for split in SPLITS:
        images = {p.stem for p in (root / about[split]).iterdir()}
        assert images
        assert images == {p.stem for p in (root / "labels" / split).iterdir()}
    held = labels.read(root)
    assert held
    for row in held:
        nothing = Result("", Verdict.PASS, (), (), (WIDTH, HEIGHT), Timing())
        marks = labels.read_mask(row.mask, (WIDTH, HEIGHT), row.where) if row.mask else None
        judged = compare(row, marks, nothing)
        assert len(judged.truths) == len(row.scratches)
        assert row.path.is_file()
    assert not list(root.parent.glob(f".{root.name}*"))


def test_coco_run_lengths_are_read_as_cocos_own_code_writes_them() -> None:
    """The text that pycocotools made of a mask with three rectangles."""
    mask = np.zeros((40, 60), bool)
    mask[10:13, 5:50] = mask[20:35, 30:33] = mask[0, 0] = True
    text = (
        "01a62dJ0000000000000000000000000000000000000000000000000RO<8DH<8DH<8D"
        "f00000000000000000000000000000000V<"
    )
    assert coco._counts(text, "") == annotated.run_lengths(mask.T)


def test_good_and_bad_folders(tmp_path: Path) -> None:
    """Good pictures get empty labels; bad ones are in the hold-out alone, and it is said."""
    names = [f"good/p{k}.png" for k in range(6)] + ["bad/p4.png", "bad/q1_1.png"]
    annotated.draw_pictures(tmp_path / "given", names)
    made = run(Settings(tmp_path / "given", tmp_path / "out", val_share=0.3))
    told = {row["picture"]: (split, row["label"]) for _, split, row in rows(made)}
    assert told["bad/p4.png"] == told["bad/q1_1.png"] == ("val", "bad")
    assert told["good/p4.png"] == ("val", "good")
    assert {label for split, label in told.values() if split == "train"} == {"good"}
    written = [p.read_text() for p in (tmp_path / "out" / "labels").rglob("*.txt")]
    assert written
    assert not any(written)
    assert not list((tmp_path / "out" / "images").rglob("*bad*"))
    assert "2 bad pictures without an outline" in made.notes[0]
    held = {row.name: row for row in labels.read(tmp_path / "out")}
    assert held["whole/images/bad-p4.png"].bad


@pytest.mark.parametrize("label", ["ignore", "Ignore"])
def test_a_picture_with_ignored_pixels_alone_is_neither_good_nor_bad(
    tmp_path: Path, label: str
) -> None:
    """A reject of it would be no false one. What of it is sound can be trained on."""
    patch = replace(annotated.PATCH, label=label)
    shapes = {
        **{f"ignored{k}.png": (patch,) for k in range(6)},
        **{f"scratched{k}.png": (annotated.BAR, patch) for k in range(6)},
        **{f"sound{k}.png": () for k in range(6)},
    }
    annotated.draw_pictures(tmp_path / "given", shapes)
    (tmp_path / "given" / "a.json").write_text(json.dumps(annotated.via(shapes)))

    out = tmp_path / "out"
    made = run(Settings(tmp_path / "given", out, crop=192, val_share=0.5))

    held = [row for _, split, row in rows(made) if split == "val"]
    counts = made.counts.values()
    assert {row["picture"][:5] for row in held} == {"scrat", "sound"}
    assert all(row["label"] == "bad" or row["picture"][:5] == "sound" for row in held)
    assert [sum(c.good for c in counts), sum(c.unsure for c in counts)] == [6, 6]
    assert sum(c.pictures for c in counts) == 18
    assert "6 pictures show only what is to be ignored" in made.notes[0]
    assert not list((out / "whole").rglob("ignored*"))
    assert list((out / "images").rglob("ignored*"))


def test_a_width_that_nobody_gave_is_the_default(tmp_path: Path) -> None:
    """--line-width-px is for lines without a width, and only for those."""
    areas = {}
    for width in (3.0, 9.0):
        folder = tmp_path / str(width)
        given = annotated.write("via", folder)
        made = run(Settings(given, folder / "out", crop=0, line_width_px=width))
        areas[width] = {
            row["picture"]: int((mask_of(root, row) == 255).sum()) for root, _, row in rows(made)
        }
    assert areas[9]["E_1.png"] > 2.5 * areas[3]["E_1.png"]
    assert areas[9]["C_2.png"] == areas[3]["C_2.png"]


def test_marks_of_other_labels_are_left_out(tmp_path: Path) -> None:
    """With several labels those to learn are named; the others' shapes need not even be known."""
    data = annotated.via()
    dent = {"name": "circle", "cx": 9, "cy": 9, "r": 4}
    data["D_1.png123"]["regions"].append(
        {"shape_attributes": dent, "region_attributes": {"defect": "dent"}}
    )
    annotated.draw_pictures(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(labels.LabelError, match=r"--label .* found dent \(1 marks\), scratch"):
        run(Settings(tmp_path / "a.json", tmp_path / "out"))
    made = run(Settings(tmp_path / "a.json", tmp_path / "out", labels=("scratch",)))
    assert "dent (1 marks)" in made.notes[0]


def test_the_command(tmp_path: Path) -> None:
    """The verb writes the data set, tells what is in it, and ends with the error's exit code."""
    given = annotated.write("labelme", tmp_path / "given")
    arguments = ["import", str(given), "--out", str(tmp_path / "out"), "--val-share", "0.4"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "train: " in done.stdout
    assert str(tmp_path / "out" / "data.yaml") in done.stdout.splitlines()[-1]
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 65
    assert "refused" in again.stderr
    assert CliRunner().invoke(app, [*arguments, "--replace"]).exit_code == 0
    assert CliRunner().invoke(app, [*arguments, "--crop", "100"]).exit_code == 2

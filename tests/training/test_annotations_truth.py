"""Pixels, outlines and crops: what training sees of a scratch."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.segment.tiles import Tile
from inspector.types import Detection
from tests.training.annotated import HEIGHT, WIDTH, via
from tests.training.annotated import Drawn as Shape
from training.annotations.importer import Settings, run
from training.annotations.shapes import Drawn, draw, fill
from training.annotations.truth import outline, truth
from training.annotations.values import Line, Mark, Picture, Polygon
from training.synth.scene import LABEL_WIDTH_PX

LARGE = (900, 600)


def filled(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.asarray(polygon, np.int32)], 1)
    return canvas > 0


def picture(*shapes: Polygon | Line) -> Picture:
    marks = tuple(Mark(f"shapes.{k}", "scratch", shape) for k, shape in enumerate(shapes))
    return Picture("a.png", Path("a.png"), marks, "a.json")


def test_filling_takes_the_pixels_whose_centres_are_inside() -> None:
    """A box of 4 × 2 px has 8 pixels, not those of its border too."""
    box = np.array([[2, 1], [6, 1], [6, 3], [2, 3]]) - 0.5
    expected = np.zeros((5, 9), bool)
    expected[1:3, 2:6] = True
    assert np.array_equal(fill(box, (5, 9)), expected)
    assert np.array_equal(fill(box[::-1], (5, 9)), expected)
    assert not fill(box + 20, (5, 9)).any()


def test_a_sliver_between_pixels_is_a_pixel_wide() -> None:
    """An outline thinner than a pixel does not fall apart into dots."""
    ring = np.array([[10, 10.2], [90, 40.2], [90, 40.5]])
    drawn = draw(picture(Polygon((ring,))), (100, 100), 3)
    mask = drawn.groups[0][0].mask
    assert cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] == 2
    assert mask.any(axis=0).sum() >= 80


@pytest.mark.parametrize(
    "corners",
    [
        [(10, 10), (90, 30), (90, 36), (10, 16), (10, 10)],  # closed by the first one
        [(10, 10), (10, 10), (90, 30), (90, 36), (90, 36), (10, 16)],  # double clicks
        [(10, 10), (50, 20), (90, 30), (90, 36), (50, 26), (10, 16)],  # in the middle of a side
        [(10, 10), (90, 30), (70, 25), (90, 30), (90, 36), (10, 16)],  # there and back
        [(10, 10), (50, 25), (90, 30), (50, 25)],  # of a mask of one pixel
        [(10, 10), (50, 30), (90, 10), (90, 50), (50, 30), (10, 50)],  # two areas with one corner
        [(10, 10), (90, 30), (90, 31.5), (50, 19.3), (10, 11.5)],  # a side over the other
    ],
)
def test_an_outline_may_touch_itself(corners: list[tuple[float, float]]) -> None:
    """Annotation tools write such, and their pixels are clear."""
    drawn = draw(picture(Polygon((np.array(corners, float) + 0.2,))), (100, 60), 3)
    assert drawn.groups[0][0].mask.sum() >= 80


def test_outlines_of_masks_never_cross_themselves() -> None:
    """However a tool made them of pixels: with thin tails, with holes cut open, or simplified."""
    rng = np.random.default_rng(0)
    count = 0
    for _ in range(12):
        canvas = (cv2.GaussianBlur(rng.random((200, 200)), (0, 0), 4) > 0.52).astype(np.uint8)
        way = rng.integers(5, 195, (6, 2)).astype(np.int32)
        cv2.polylines(canvas, [way], False, 1, int(rng.integers(1, 4)))
        for kind in (cv2.CHAIN_APPROX_NONE, cv2.CHAIN_APPROX_SIMPLE):
            for found in cv2.findContours(canvas, cv2.RETR_LIST, kind)[0]:
                for corners in (found, cv2.approxPolyDP(found, 1.5, True)):
                    ring = corners[:, 0] + 0.3
                    if np.linalg.matrix_rank(ring - ring[0]) == 2:
                        draw(picture(Polygon((ring,))), (200, 200), 3)
                        count += 1
    assert count > 500


def test_a_ring_without_an_area_beside_one_with_an_area_is_kept() -> None:
    """Of a scratch in several pieces one may be a pixel wide."""
    area = np.array([(10, 10), (90, 30), (90, 36), (10, 16)], float)
    speck = np.array([(20, 50), (22, 50), (24, 50)], float)
    drawn = draw(picture(Polygon((area, speck))), (100, 60), 3)
    found = drawn.groups[0][0]
    assert found.mask[50 - found.y, 22 - found.x]


def test_a_hairline_gets_a_label_as_wide_as_training_needs() -> None:
    """The label of a line of 1 px is `LABEL_WIDTH_PX` wide, its marks stay exact."""
    line = Line(np.array([[20.0, 50.0], [120.0, 50.0]]), 1.0)
    seen = truth(draw(picture(line), (200, 100), 3), Tile(0, 0, 200, 100), (200, 100))
    label = filled(seen.scratches[0].polygon, (100, 200))
    assert label[:, 70].sum() == LABEL_WIDTH_PX
    assert (seen.marks[:, 70] == 255).sum() == 1
    assert seen.scratches[0].length_px == pytest.approx(100, abs=1.5)


def test_the_label_of_a_loop_leaves_its_middle_free() -> None:
    """A scratch that closes on itself is not a disk; it still is one outline."""
    canvas = np.zeros((120, 120), np.uint8)
    cv2.circle(canvas, (60, 60), 40, 1, 3)
    cv2.line(canvas, (20, 60), (100, 60), 1, 3)
    exact, area = canvas > 0, np.zeros((120, 120), np.uint8)
    cv2.circle(area, (60, 60), 40, 1, -1)
    polygon = outline((area > 0) | exact, exact)
    label = filled(polygon, (120, 120))
    assert not label[45, 60]
    assert not label[75, 60]
    assert label[exact].mean() > 0.97
    assert label.sum() < 1.8 * exact.sum()


def test_a_gap_in_a_scratch_is_bridged_in_its_label_only() -> None:
    """Two outlines of one scratch, 10 px apart, are one label; between them nothing is marked."""
    left = np.array([[10, 20], [50, 20], [50, 26], [10, 26]], float)
    drawn = draw(picture(Polygon((left, left + np.array([50, 0])))), (120, 60), 3)
    seen = truth(drawn, Tile(0, 0, 120, 60), (120, 60))
    (scratch,) = seen.scratches
    assert scratch.length_px == pytest.approx(90, abs=2)
    assert filled(scratch.polygon, (60, 120))[23, 55]
    assert not seen.marks[:, 52:58].any()


def test_marks_too_small_to_be_scratches_are_ignored() -> None:
    """A speck that the edge takes for noise is neither a scratch nor sound."""
    speck = Detection(1.0, 30, 30, np.ones((2, 2), bool))
    seen = truth(Drawn(((speck,),)), Tile(0, 0, 64, 64), (64, 64))
    assert seen.scratches == ()
    assert seen.noise_px == 4
    assert (seen.marks == 128).sum() == 4


@pytest.mark.parametrize(("right", "scratches"), [(45, 1), (25, 0)])
def test_a_tip_that_a_crop_cuts_off_is_no_scratch(right: int, scratches: int) -> None:
    """What remains of a scratch in a crop counts from 8 px on."""
    long = Detection(1.0, 20, 30, np.ones((4, 200), bool))
    seen = truth(Drawn(((long,),)), Tile(0, 0, right, 64), (300, 64))
    assert len(seen.scratches) == scratches
    assert (seen.marks == (255 if scratches else 128)).any()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Twelve parts larger than a crop, of which each second has scratches."""
    long = Shape("polyline", ((100, 80), (500, 300), (850, 560)), 4)
    short = Shape("polyline", ((290, 510), (340, 530)), 3)
    shapes = {f"P{k}_1.png": (long, short) if k % 2 else () for k in range(12)}
    for k, name in enumerate(shapes):
        noise = np.random.default_rng(k).integers(0, 255, (LARGE[1], LARGE[0], 3), np.uint8)
        cv2.imwrite(str(tmp_path / name), noise)
    (tmp_path / "via.json").write_text(json.dumps(via(shapes)))
    return tmp_path / "via.json"


def test_every_scratch_is_in_crops_and_whole_pictures_are_held_out(large: Path) -> None:
    """Crops show the picture's own pixels; together they hold all of every scratch."""
    out = large.parent / "out"
    made = run(Settings(large, out, val_share=0.3))
    split_of = {}
    for split in ("train", "val"):
        crops = sorted((out / "images" / split).iterdir())
        empty = [p for p in crops if not (out / "labels" / split / f"{p.stem}.txt").read_text()]
        assert 0 < len(empty) <= len(crops) - len(empty)
        assert made.counts[split].crops == len(crops) - len(empty)
        covered: dict[str, np.ndarray] = {}
        for path in crops:
            name, x, y = path.stem.rsplit("-", 2)
            split_of[name] = split
            left, top = int(x), int(y)
            crop = cv2.imread(str(path))
            assert crop.shape == (320, 320, 3)
            whole = cv2.imread(str(large.parent / f"{name}.png"))
            assert np.array_equal(crop, whole[top : top + 320, left : left + 320])
            mask = out / "masks" / split / path.name
            marks = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
            assert (marks == 255).any() == (path not in empty)
            if path not in empty:
                seen = covered.setdefault(name, np.zeros(LARGE[::-1], bool))
                seen[top : top + 320, left : left + 320] |= marks == 255
        for name, seen in covered.items():
            expected = out / "whole" / "masks" / f"{name}.png"
            if split == "val":
                assert np.array_equal(seen, cv2.imread(str(expected), 0) == 255)
            assert seen[510:531, 290:340].any()
            assert seen.any(axis=0)[104:846].all()
    held = [json.loads(line) for line in (out / "truth-val.jsonl").read_text().splitlines()]
    assert {row["part"] for row in held} == {n[:-2] for n, s in split_of.items() if s == "val"}
    for row in held:
        given = large.parent / row["picture"]
        assert (out / row["image"]).read_bytes() == given.read_bytes()
        lengths = sorted(s["length_px"] for s in row["scratches"])
        assert lengths == pytest.approx([53.9, 892.6], abs=4) if lengths else row["label"] == "good"


def test_small_pictures_are_padded_as_the_edge_pads_them(tmp_path: Path) -> None:
    """A picture smaller than a crop stands in its upper left, with labels to that scale."""
    line = Shape("polyline", ((20, 100), (220, 140)), 4)
    shapes = {"A.png": (line,), "B.png": (line,)}
    for name in shapes:
        cv2.imwrite(str(tmp_path / name), np.full((HEIGHT, WIDTH, 3), ord(name[0]), np.uint8))
    (tmp_path / "a.json").write_text(json.dumps(via(shapes)))
    run(Settings(tmp_path / "a.json", tmp_path / "out", crop=640))
    (path,) = (tmp_path / "out" / "images" / "val").iterdir()
    image = cv2.imread(str(path))
    assert image.shape == (640, 640, 3)
    assert (image[HEIGHT:] == 114).all()
    line = (tmp_path / "out" / "labels" / "val" / f"{path.stem}.txt").read_text()
    corners = np.array(line.split()[1:], float).reshape(-1, 2) * 640
    assert corners.max(axis=0) == pytest.approx((220, 141.5), abs=1.5)

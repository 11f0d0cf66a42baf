"""Pictures of one part are never on both sides of the split."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.datasets import digest
from tests.training import annotated
from tests.training.annotated import BAR, HAIR
from training.annotations import split
from training.annotations.importer import Settings, run

SHAPES = {f"P{k:02}_{view}.png": (BAR, HAIR)[:view] for k in range(20) for view in range(3)}


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Twenty parts, three views of each."""
    annotated.draw_pictures(tmp_path / "given", SHAPES)
    file = tmp_path / "given" / "a.json"
    file.write_text(json.dumps(annotated.via(SHAPES)))
    return file


def sides(out: Path) -> dict[str, set[str]]:
    """The pictures of each side."""
    rows = {
        name: [json.loads(x) for x in (out / f"truth-{name}.jsonl").read_text().splitlines()]
        for name in ("train", "val")
    }
    return {name: {row["picture"] for row in found} for name, found in rows.items()}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("P7_2.png", "P7"), ("P7-12.jpg", "P7"), ("line 3/P7 (2).png", "P7"), ("P7.png", "P7"),
        ("007.png", "007"), ("_3.png", "_3"), ("P7_left.png", "P7_left"), ("P7_2_1.png", "P7_2"),
        (r"line 3\P7_2.png", "P7"), ("P7_2_jpg.rf.0a1B2c3D4e5F6a7b.jpg", "P7"),
        ("P7_png.rf.0123456789abcdef0123456789abcdef.jpg", "P7"), ("P7.rf.jpg", "P7.rf"),
    ],
)  # fmt: skip
def test_the_part_is_the_name_without_the_view(name: str, part: str) -> None:
    """By default a trailing _N, -N or (N) tells the view."""
    assert split.part_of(name, None) == part


def test_a_pattern_finds_the_part() -> None:
    """The first group of the pattern, also from a folder's name."""
    pattern = re.compile(r"serial(\d+)/")
    assert split.part_of("serial42/left.png", pattern) == "42"
    assert split.part_of("left.png", pattern) is None


def test_views_of_a_part_stay_together(given: Path) -> None:
    """No part is on both sides, and about the asked share is held out."""
    run(Settings(given, given.parent / "out", val_share=0.4))
    found = sides(given.parent / "out")
    parts = {name: {picture[:3] for picture in pictures} for name, pictures in found.items()}
    assert not parts["train"] & parts["val"]
    assert len(parts["train"] | parts["val"]) == 20
    assert 4 <= len(parts["val"]) <= 12
    crops = {p.name[:3] for p in (given.parent / "out" / "images" / "val").iterdir()}
    assert crops <= parts["val"]


def test_a_part_keeps_its_side_when_others_come(given: Path) -> None:
    """More parts in the next import do not move those of the last one."""
    few = {name: shapes for name, shapes in SHAPES.items() if name < "P12"}
    other = given.with_name("few.json")
    other.write_text(json.dumps(annotated.via(few)))
    run(Settings(given, given.parent / "all", val_share=0.4))
    run(Settings(other, given.parent / "few", val_share=0.4))
    before, after = sides(given.parent / "few"), sides(given.parent / "all")
    assert before["val"]
    assert before["val"] == {name for name in after["val"] if name < "P12"}


def test_the_same_picture_under_two_names_is_one_part(given: Path) -> None:
    """A copy of a picture joins the parts, over several copies too."""
    for a, b in (("P00_0", "P01_0"), ("P01_1", "P02_1"), ("P02_2", "P17_2")):
        shutil.copyfile(given.parent / f"{a}.png", given.parent / f"{b}.png")
    for seed in range(3):
        out = given.parent / f"out{seed}"
        run(Settings(given, out, crop=0, val_share=0.5, seed=seed))
        found = sides(out)
        one = {"P00_1.png", "P01_2.png", "P02_1.png", "P17_1.png"}
        assert len([name for name in found if found[name] & one]) == 1


def test_the_same_seed_gives_the_same_files(given: Path) -> None:
    """Whatever the order of the annotation; another seed gives another split."""
    run(Settings(given, given.parent / "one", val_share=0.4))
    turned = given.with_name("turned.json")
    turned.write_text(json.dumps(annotated.via(dict(reversed(SHAPES.items())))))
    run(Settings(turned, given.parent / "two", val_share=0.4))
    run(Settings(given, given.parent / "other", val_share=0.4, seed=2))
    one = digest(given.parent / "one")
    assert len(one) > 100
    assert one == digest(given.parent / "two")
    assert sides(given.parent / "one") != sides(given.parent / "other")


def test_two_parts_are_enough_for_both_sides() -> None:
    """Neither side is left empty, whatever the share and the seed."""
    for seed in range(20):
        for share in (0.01, 0.5, 0.99):
            assert len(split.held_out(["a", "b", "b"], [False] * 3, share, seed)) == 1


def test_a_part_that_can_only_be_evaluated_with_is_held_out() -> None:
    """With all its pictures; and then another part need not be."""
    assert "a" in split.held_out(["a", "a", "b"], [True, False, False], 0.01, 1)
    assert "b" not in split.held_out(["a", "a", "b"], [True, False, False], 0.99, 1)
    with pytest.raises(ValueError, match=r"at least two parts to train on.* found 0 and 0"):
        split.held_out(["a", "b"], [True, True], 0.2, 1)
    with pytest.raises(ValueError, match="found 1 and 1"):
        split.held_out(["a", "b"], [True, False], 0.2, 1)


def test_good_parts_are_held_out_beside_bad_ones() -> None:
    """However the places fall: training validates on pictures that could be trained on."""
    groups = [f"g{k}" for k in range(14)] + [f"b{k}" for k in range(10)]
    blind = [group.startswith("b") for group in groups]
    for seed in range(40):
        held = split.held_out(groups, blind, 0.1, seed)
        good = [group for group in held if group.startswith("g")]
        assert len(held) - len(good) == 10
        assert 1 <= len(good) < 14


def test_good_and_bad_folders_can_be_trained_on(tmp_path: Path) -> None:
    """Both sides have pictures, and the hold-out has good parts to be judged."""
    names = [f"good/g{k}.png" for k in range(14)] + [f"bad/b{k}.png" for k in range(10)]
    annotated.draw_pictures(tmp_path / "given", names)
    made = run(Settings(tmp_path / "given", tmp_path / "out"))
    assert (made.counts["val"].good, made.counts["val"].pictures) == (1, 11)
    for name in ("train", "val"):
        assert list((tmp_path / "out" / "images" / name).iterdir())

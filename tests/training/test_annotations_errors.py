"""What cannot be true is refused: file, picture, expected, found; and nothing is left behind."""

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inspector.errors import InspectorError, NoInputError
from tests.training import annotated
from training.annotations import dataset
from training.annotations.formats import Format
from training.annotations.importer import Settings, run
from training.evaluation.labels import LabelError

Change = Callable[[Any], Any]


def refused(given: Path, *patterns: str, **settings: Any) -> InspectorError:
    """The import fails with these words in its message, and leaves nothing beside its input."""
    before = sorted(given.parent.rglob("*"))
    out = given.parent / "out"
    with pytest.raises(InspectorError) as caught:
        run(Settings(given, out, **settings))
    for pattern in patterns:
        assert re.search(pattern, str(caught.value)), str(caught.value)
    assert sorted(given.parent.rglob("*")) == before
    return caught.value


def json_file(folder: Path, data: Any) -> Path:
    annotated.draw_pictures(folder)
    (folder / "a.json").write_text(json.dumps(data))
    return folder / "a.json"


def _region(change: Callable[[dict[str, Any]], Any]) -> Change:
    def changed(data: Any) -> Any:
        change(data["A_1.png123"]["regions"][1])

    return changed


def _shape(**values: Any) -> Change:
    return _region(lambda region: region["shape_attributes"].update(values))


def _attributes(**values: Any) -> Change:
    return _region(lambda region: region["region_attributes"].update(values))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_shape(name="rect"), "expected polygon or polyline, found rect"),
        (_shape(all_points_x=[20.5, 400]), r"0 … 320 and 0 … 240, found \(400, 110.5\)"),
        (_shape(all_points_x=[20.5, -30]), r"inside of the picture.* found \(-30, 110.5\)"),
        (_shape(all_points_x=[20.5, float("nan")]), "all_points_x.1: expected a finite number"),
        (_shape(all_points_x=[20.5]), "as many y as x, found 1 x and 2 y"),
        (_shape(all_points_x=[1], all_points_y=[1]), "at least 2 points, found 1"),
        (_shape(all_points_x=[9, 9], all_points_y=[9, 9]), "a line of at least 1 px, found 0.00"),
        (_shape(all_points_x="wide"), "all_points_x: expected a valid list, found 'wide'"),
        (_shape(name="polygon"), "at least 3 points, found 2"),
        (
            _shape(name="polygon", all_points_x=[9, 99, 99, 9], all_points_y=[10, 100, 10, 100]),
            r"an outline that does not cross itself, found that it does at \(54, 55\)",
        ),
        (
            _shape(name="polygon", all_points_x=[9, 209, 9, 209], all_points_y=[10, 10, 13, 13]),
            "an outline that does not cross itself",
        ),
        (
            _shape(name="polygon", all_points_x=[10, 20, 90], all_points_y=[10.3, 20.3, 90.3]),
            "expected an outline of an area, found corners on one line",
        ),
        (_attributes(width="thin"), "width: expected pixels above 0, found 'thin'"),
        (_attributes(width="-2"), "width: expected pixels above 0, found '-2'"),
        (_attributes(who="me"), "expected one of label, class, type, name .*found defect, who"),
        (_attributes(defect={"scratch": True}), "expected text as label, found {'scratch': True}"),
    ],
)  # fmt: skip
def test_a_region_that_cannot_be(tmp_path: Path, change: Change, expected: str) -> None:
    """The message names the file, the picture, the region, what was expected and found."""
    data = annotated.via()
    change(data)
    error = refused(json_file(tmp_path, data), r"a\.json: A_1\.png: regions\.1: ", expected)
    assert isinstance(error, LabelError)
    assert error.exit_code == 65


def test_all_broken_pictures_are_told_at_once(tmp_path: Path) -> None:
    """Who has outlines to mend is told of each picture with one."""
    data = annotated.via()
    for entry in data.values():
        for region in entry["regions"]:
            region["shape_attributes"]["all_points_x"][0] = 1000
    error = refused(json_file(tmp_path, data))
    assert len(str(error).splitlines()) == 6


def test_a_picture_that_is_not_there(tmp_path: Path) -> None:
    """It is named with the place where it was looked for."""
    given = json_file(tmp_path, annotated.via())
    (tmp_path / "C_1.png").unlink()
    error = refused(given, r"a\.json: C_1\.png: expected the picture at .*, or --pictures")
    assert isinstance(error, NoInputError)
    assert error.exit_code == 66


def test_pictures_elsewhere_are_found_by_option(tmp_path: Path) -> None:
    """--pictures says where they lie."""
    annotated.draw_pictures(tmp_path / "there")
    (tmp_path / "a.json").write_text(json.dumps(annotated.via()))
    refused(tmp_path / "a.json", "expected the picture at")
    run(Settings(tmp_path / "a.json", tmp_path / "out", pictures=tmp_path / "there"))


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    """A file that is no picture is named, and so is one whose second half is missing."""
    given = json_file(tmp_path, annotated.via())
    (tmp_path / "C_1.png").write_text("no picture")
    whole = (tmp_path / "D_1.png").read_bytes()
    (tmp_path / "D_1.png").write_bytes(whole[: len(whole) // 2])
    refused(given, r"C_1\.png: expected a JPEG.*found", r"D_1\.png: expected .*found")


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    """The same name twice, or with another suffix, would overwrite each other."""
    data = annotated.via()
    data["again"] = data["A_2.png123"]
    refused(json_file(tmp_path, data), r"A_2\.png: expected a name of its own.*A_2\.png")
    data["again"] = {"filename": "B_1.jpg", "regions": []}
    cv2.imwrite(str(tmp_path / "B_1.jpg"), np.zeros((9, 9, 3), np.uint8))
    refused(json_file(tmp_path, data), r"B_1\.jpg: expected a name of its own.*B_1\.png")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", "{", r"a\.json: expected JSON, found"),
        ("a.json", "[" * 100_000, r"a\.json: expected JSON, found"),
        ("a.json", '{"shapes": 1}', "expected an annotation file .*; found none of these"),
        ("a.json", '{"x": {"filename": 3, "regions": []}}', "x: filename: expected a valid string"),
        ("a.json", "{}", "expected pictures in this via annotation, found none"),
        ("a.txt", "", "expected an annotation file .*; found none of these"),
        ("a.xml", "<annotations>", "expected XML, found: no element found"),
        ("a.xml", "<rss/>", "expected <annotations> of CVAT, found <rss>"),
        ("a.xml", "<annotations><version>2</version></annotations>", "expected 1.1, found 2"),
        (
            "a.xml",
            "<annotations><version>1.1</version><track/></annotations>",
            "expected CVAT for images, found tracks",
        ),
        (
            "a.xml",
            '<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>',
            "expected XML without <!DOCTYPE",
        ),
    ],
)  # fmt: skip
def test_a_broken_file(tmp_path: Path, name: str, text: str, expected: str) -> None:
    """Every message begins with the file."""
    (tmp_path / name).write_text(text)
    assert str(refused(tmp_path / name, expected)).startswith(str(tmp_path / name))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """UTF-16 is told as such; entities cannot be smuggled in by another encoding."""
    (tmp_path / "a.xml").write_text(annotated.cvat(), encoding="utf-16")
    refused(tmp_path / "a.xml", r"a\.xml: expected UTF-8 text, found")


def test_an_input_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path is named."""
    assert isinstance(refused(tmp_path / "none.json", "found nothing there"), NoInputError)


def test_a_folder_with_several_annotation_files(tmp_path: Path) -> None:
    """Which one to read is asked, not guessed."""
    json_file(tmp_path / "given", annotated.via())
    (tmp_path / "given" / "b.json").write_text("{}")
    refused(tmp_path / "given", r"expected one annotation file, found 2: a\.json, b\.json")


def test_another_format_than_the_file_has(tmp_path: Path) -> None:
    """--format wins over what the file looks like, and then it does not fit."""
    given = json_file(tmp_path, annotated.via())
    refused(given, "images: expected this field, found none", form=Format.COCO)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d["annotations"][0].update(image_id=77), "annotations.0: image_id: .*found 77"),
        (lambda d: d["annotations"][0].update(category_id=3), "A_1.png: .*category_id: .*found 3"),
        (lambda d: d["annotations"][0].update(segmentation=[]), "A_1.png: .*found a box alone"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, 2, 3]]), "in turn, found 3"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, 2, 3, 4]]), "3 points, found 2"),
        (
            lambda d: d["annotations"][0].update(
                segmentation={"counts": [5, 9], "size": [240, 320]}
            ),
            "expected runs of 76800 pixels together, found 14",
        ),
        (
            lambda d: d["annotations"][0].update(
                segmentation={"counts": "x\n", "size": [240, 320]}
            ),
            "A_1.png: annotations.0: segmentation: counts.*expected",
        ),
        (
            lambda d: d["annotations"][0].update(
                segmentation={"counts": [999_999], "size": [999, 1001]}
            ),
            "expected a mask inside of 320 × 240 px, found 1001 × 999",
        ),
        (lambda d: d["images"][1].update(id=0), "A_2.png: expected an id of its own, found 0"),
        (lambda d: d["images"][0].update(width=99), "A_1.png: expected a picture of 99 × 240"),
    ],
)  # fmt: skip
def test_coco_that_cannot_be(tmp_path: Path, change: Change, expected: str) -> None:
    """Ids, run lengths and sizes have to fit together."""
    data = annotated.coco()
    change(data)
    refused(json_file(tmp_path, data), r"a\.json: ", expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<polyline", '<box label="scratch"/><polyline', "A_1.png: box.1: .*mask, found box"),
        ("20.50,130.50;", "20.50,130.50,1;", "points: expected x,y;x,y;…, found"),
        ("20.50,130.50;", "20.50,nan;", r"inside of the picture.*found \(20.5, nan\)"),
        ('width="320"', 'width="wide"', "width: expected a whole number ≥ 1, found 'wide'"),
        ('name="A_1.png"', 'nome="A_1.png"', "image: name: expected this attribute, found none"),
        ('left="', 'left="4', r"expected a mask inside of 320 × 240 px, found .* at \(4\d\d, "),
        ('rle="', 'rle="-1, ', "rle: expected run lengths, found '-1, "),
        ('rle="', 'rle="7, ', "expected runs of .* pixels together, found"),
    ],
)  # fmt: skip
def test_cvat_that_cannot_be(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Shapes and attributes of the XML are checked one by one."""
    annotated.draw_pictures(tmp_path)
    text = annotated.cvat(masks=True)
    assert old in text
    (tmp_path / "a.xml").write_text(text.replace(old, new, 1))
    refused(tmp_path / "a.xml", r"a\.xml: ", expected)


def test_labelme_that_cannot_be(tmp_path: Path) -> None:
    """A shape that cannot be read, and a size that is not the picture's."""
    given = annotated.write("labelme", tmp_path / "given")
    data = json.loads((given / "A_1.json").read_text())
    data["shapes"][0]["shape_type"] = "circle"
    (given / "A_1.json").write_text(json.dumps(data))
    data = json.loads((given / "B_1.json").read_text())
    data["imageWidth"] = 100
    (given / "B_1.json").write_text(json.dumps(data))
    refused(
        given,
        r"A_1\.json: A_1\.png: shapes\.0: expected polygon, line or linestrip, found circle",
        r"B_1\.json: B_1\.png: expected a picture of 100 × 240 px as annotated, found 320 × 240",
    )


def test_masks_that_cannot_be(tmp_path: Path) -> None:
    """A missing mask, a mask without picture, another size, and grey levels without meaning."""
    given = annotated.write("masks", tmp_path / "given")
    (given / "masks" / "A_2.png").rename(given / "masks" / "Z_9.png")
    refused(given, r"A_2\.png: expected its mask at", r"Z_9\.png: expected a picture of this name")
    (given / "masks" / "Z_9.png").rename(given / "masks" / "A_2.png")
    cv2.imwrite(str(given / "masks" / "A_1.png"), np.full((240, 320), 7, np.uint8))
    cv2.imwrite(str(given / "masks" / "A_2.png"), np.zeros((24, 32), np.uint8))
    refused(given, r"A_1\.png: .*found 7", r"A_2\.png: .*320 × 240 px .*found 32 × 24")


def test_folders_that_are_a_data_set_already(tmp_path: Path) -> None:
    """good/ and bad/ beside a manifest would lose what the manifest says."""
    annotated.draw_pictures(tmp_path / "given", ["good/a.png", "good/b.png"])
    (tmp_path / "given" / "manifest.jsonl").write_text("")
    refused(tmp_path / "given", r"expected good/ and bad/ alone, found the labels manifest\.jsonl")


def test_one_part_cannot_be_split(tmp_path: Path) -> None:
    """Camera numbers look like views of one part: the message says what a part is."""
    shapes = {f"IMG_{k}.png": () for k in range(5)}
    annotated.draw_pictures(tmp_path, shapes)
    (tmp_path / "a.json").write_text(json.dumps(annotated.via(shapes)))
    given = tmp_path / "a.json"
    refused(given, "expected at least two parts.*found 1", "--part-pattern")
    refused(given, r"IMG_0\.png: .*--part-pattern P\(", part_pattern=re.compile(r"P(\d+)"))
    run(Settings(given, tmp_path / "out", part_pattern=re.compile(r"(\d+)")))


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """Only a data set is replaced, only with --replace, and only by a complete one."""
    given = json_file(tmp_path / "given", annotated.via())
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    for replace in (False, True):
        with pytest.raises(LabelError, match=str(out)):
            run(Settings(given, out, replace=replace))
    assert (out / "mine.txt").read_text() == "keep"
    (out / "mine.txt").unlink()
    out.rmdir()
    run(Settings(given, out))
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    broken = given.with_name("b.json")
    broken.write_text(given.read_text().replace("215.5", "2155"))
    with pytest.raises(LabelError, match="2155"):
        run(Settings(broken, out, replace=True))
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    run(Settings(given, out, seed=5, replace=True))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["given", "out"]
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} != before


def test_the_input_is_not_replaced_by_its_import(tmp_path: Path) -> None:
    """A data set can be imported again as masks, but not onto itself."""
    run(Settings(json_file(tmp_path / "given", annotated.via()), tmp_path / "out"))
    with pytest.raises(LabelError, match="expected no input in what is replaced"):
        run(Settings(tmp_path / "out" / "whole", tmp_path / "out", replace=True))


def test_a_disk_that_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and the half of a data set is removed."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    given = json_file(tmp_path, annotated.via())
    monkeypatch.setattr(dataset, "write_picture", full)
    assert refused(given, "out: expected to write the data set, found: No space").exit_code == 70


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("crop", 100), ("crop", 96), ("crop", -320), ("val_share", 0.0), ("val_share", 1.0),
        ("line_width_px", 0.0), ("line_width_px", float("nan")), ("part_pattern", re.compile("P")),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(key: str, value: Any) -> None:
    """Each names its key, what was expected and what was found."""
    with pytest.raises(ValueError, match=f"{key}: expected .*found"):
        Settings(Path("a.json"), Path("out"), **{key: value})

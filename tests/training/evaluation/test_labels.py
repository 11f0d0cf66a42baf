"""Labels on the disk: what is read, and what is refused with the file, line and field."""

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inspector.errors import InspectorError, NoInputError
from training.evaluation import labels
from training.evaluation.labels import LabelError

BOX = [[1, 1], [9, 1], [9, 3]]
GOOD: dict[str, Any] = {"image": "a.png", "label": "good"}
BAD: dict[str, Any] = {
    "image": "a.png", "label": "bad", "scratches": [{"polygon": BOX, "length_px": 9}],
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two pictures."""
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((20, 30), np.uint8))
    return tmp_path


def write(root: Path, *lines: Any, name: str = "manifest.jsonl") -> Path:
    """A manifest of objects, or of lines as they are."""
    path = root / name
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def test_a_manifest_is_read_whole(root: Path) -> None:
    """Fields that it lacks have defaults, others are left alone, and blank lines are none."""
    scratch = {"polygon": BOX, "length_px": 9, "contrast": 12.5, "kind": "hairline"}
    bad = {**BAD, "scratches": [scratch], "mask": "a.png", "surface": "text", "line": 3}
    manifest = write(root, bad, "", {**GOOD, "image": "b.png", "subset": "hardneg"})

    first, second = labels.read(root)

    assert (first.path, first.mask, first.surface, first.bad, first.hard) == (
        root / "a.png", root / "a.png", "text", True, False,
    )  # fmt: skip
    assert (first.scratches[0].length_px, first.scratches[0].contrast) == (9, 12.5)
    assert (second.surface, second.bad, second.hard, second.where) == (
        "parts", False, True, f"{manifest}:3",
    )  # fmt: skip


def test_a_generated_set_or_a_named_file_is_read_too(root: Path) -> None:
    """The hold-out of a data set's folder, or any file of lines."""
    write(root, GOOD, name="truth-val.jsonl")
    marked = write(
        root, "\ufeff" + json.dumps({**GOOD, "image": "b.png"}), name="truth-train.jsonl"
    )

    assert [row.name for row in labels.read(root)] == ["a.png"]
    assert [row.name for row in labels.read(marked)] == ["b.png"]


def test_folders_tell_good_from_bad(tmp_path: Path) -> None:
    """Of one surface, or of several; more is not known."""
    for folder in ("good", "bad", "phone/good"):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "1.png"), np.zeros((20, 30), np.uint8))

    rows = labels.read(tmp_path)

    assert [(r.name, r.surface, r.bad) for r in rows] == [
        ("good/1.png", "parts", False), ("bad/1.png", "parts", True),
        ("phone/good/1.png", "phone", False),
    ]  # fmt: skip
    assert {(r.mask, r.scratches) for r in rows} == {(None, ())}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "expected one JSON object, found '{'"),
        ("[]", "line: expected a valid dictionary"),
        ({"image": "a.png"}, "label: expected this field, found none"),
        ({**GOOD, "label": "ok"}, "label: expected 'good' or 'bad', found 'ok'"),
        ({**BAD, "label": "good"}, "label: expected 'bad' for a picture with scratches"),
        ({**GOOD, "mask": "m.png"}, "m.png, found none"),
        ({**BAD, "scratches": [{"polygon": BOX}]}, "scratches.0.length_px: expected this field"),
        (
            {**BAD, "scratches": [{"polygon": [], "length_px": 9}]},
            "scratches.0.polygon: expected 1 at least, found 0",
        ),
        (
            {**BAD, "scratches": [{"polygon": [*BOX, [1, 2, 3]], "length_px": 9}]},
            f"scratches.0.polygon.{len(BOX)}: expected 2 at most, found 3",
        ),
        (
            {**BAD, "scratches": [{"polygon": [[float("nan"), 1]], "length_px": 9}]},
            "scratches.0.polygon.0.0: expected a finite number, found nan",
        ),
        (
            {**BAD, "scratches": [{"polygon": [[1e300, 1]], "length_px": 9}]},
            "scratches.0.polygon.0.0: expected less than or equal to 1000000",
        ),
        (
            {**BAD, "scratches": [{"polygon": BOX, "length_px": 0}]},
            "scratches.0.length_px: expected greater than 0, found 0",
        ),
    ],
)
def test_a_wrong_line_is_refused(root: Path, line: Any, expected: str) -> None:
    """The message names file, line, field, what was expected and what was found."""
    manifest = write(root, {**GOOD, "image": "b.png"}, line)

    with pytest.raises(LabelError) as refused:
        labels.read(root)

    assert str(refused.value).startswith(f"{manifest}:2: ")
    assert expected in str(refused.value)


def test_a_picture_counts_once(root: Path) -> None:
    """A manifest that was joined from two must not make the figures surer than they are."""
    manifest = write(root, GOOD, {**GOOD, "image": "./a.png"})

    with pytest.raises(LabelError, match=f"once, found it at {manifest}:1 too"):
        labels.read(root)


def test_missing_pictures_are_told_together(root: Path) -> None:
    """Some of them and a count, before anything is judged."""
    write(root, GOOD, *({**GOOD, "image": f"{k}.png"} for k in range(30)))

    with pytest.raises(NoInputError) as refused:
        labels.read(root)

    told = str(refused.value).splitlines()
    assert len(told) == labels.SHOWN + 1
    assert told[-1] == "… and 10 more"


@pytest.mark.parametrize("lines", [None, ()])
def test_nothing_to_judge_is_an_error(root: Path, lines: tuple[str, ...] | None) -> None:
    """A folder without labels, or with none in its manifest."""
    if lines is not None:
        write(root, *lines)

    with pytest.raises(NoInputError, match="expected"):
        labels.read(root)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (np.zeros((30, 20), np.uint8), "expected 30 × 20 px as the picture has, found 20 × 30"),
        (np.full((20, 30), 1, np.uint8), "expected grey levels 0, 128 (ignore) and 255 (scratch)"),
        (b"torn", "mask: expected a picture at"),
        (b"", "mask: expected a picture at"),
    ],
)
def test_a_mask_must_be_one(root: Path, mask: Any, expected: str) -> None:
    """Of the picture's size, and of the three grey levels only."""
    (root / "m.png").write_bytes(mask) if isinstance(mask, bytes) else cv2.imwrite(
        str(root / "m.png"), mask
    )
    write(root, {**BAD, "mask": "m.png"})
    (row,) = labels.read(root)

    with pytest.raises(InspectorError) as refused:
        labels.read_mask(row.mask, (30, 20), row.where)

    assert expected in str(refused.value)
    assert refused.value.exit_code == 65


def test_a_mask_is_read_in_a_folder_whose_name_is_no_text(root: Path, tmp_path: Path) -> None:
    """Archives of another code page leave such names; OpenCV ends the process over them."""
    write(root, {**BAD, "mask": "b.png"})
    given = tmp_path / "given" / "k\udcfcrz"
    shutil.copytree(root, given)
    (row,) = labels.read(given)

    assert row.mask
    assert labels.read_mask(row.mask, (30, 20), row.where).shape == (20, 30)

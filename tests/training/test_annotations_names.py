"""Files and names as other machines leave them."""

import json
from pathlib import Path

import pytest

from tests.training import annotated
from training.annotations.importer import Settings, run
from training.evaluation.labels import LabelError

SIDECAR = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X\xa3"
"""How the file begins that macOS writes beside another one on a share, as `._NAME`."""


@pytest.mark.parametrize("form", ["via", "labelme", "cvat", "masks"])
def test_what_macos_leaves_beside_each_file_is_passed_over(tmp_path: Path, form: str) -> None:
    """Its pictures are, so its annotations and masks are too: neither is one."""
    annotated.write(form, tmp_path / "given")
    for file in [path for path in (tmp_path / "given").rglob("*") if path.is_file()]:
        file.with_name(f"._{file.name}").write_bytes(SIDECAR)

    made = run(Settings(tmp_path / "given", tmp_path / "out"))

    assert sum(count.pictures for count in made.counts.values()) == len(annotated.SHAPES)


@pytest.mark.parametrize("root", ["C:\\data\\", "/home/other/data/", "\\\\server\\share\\"])
@pytest.mark.parametrize("form", ["via", "coco", "cvat", "labelme"])
def test_paths_of_another_machine_are_names(tmp_path: Path, root: str, form: str) -> None:
    """An annotator's own disk is not here: the pictures lie where it is said."""
    shapes = {root + name: drawn for name, drawn in annotated.SHAPES.items()}
    annotated.draw_pictures(tmp_path / "pictures")
    given = tmp_path / "given"
    given.mkdir()
    if form == "cvat":
        (given / "a.xml").write_text(annotated.cvat(shapes))
    elif form == "labelme":
        for number, (name, drawn) in enumerate(shapes.items()):
            (given / f"{number}.json").write_text(json.dumps(annotated.labelme(name, drawn)))
    else:
        (given / "a.json").write_text(json.dumps(getattr(annotated, form)(shapes)))

    made = run(Settings(given, tmp_path / "out", crop=0, pictures=tmp_path / "pictures"))

    names = {path.stem for path in (tmp_path / "out" / "images").rglob("*.png")}
    assert not any(name.startswith("-") for name in names)
    assert sum(count.pictures for count in made.counts.values()) == len(annotated.SHAPES)


@pytest.mark.parametrize("folders", [("images", "masks"), ("good", "bad")])
def test_a_name_that_is_no_text_is_told(tmp_path: Path, folders: tuple[str, str]) -> None:
    """As old archives of Windows leave it; in what is written of a data set it cannot stand."""
    for folder in (tmp_path / "given" / name for name in folders):
        annotated.draw_pictures(folder, ["A.png", "B.png", "C.png"])
        (folder / "C.png").rename(folder / "C_\udcfc.png")

    with pytest.raises(LabelError, match=r"expected a name in UTF-8, found '\S*C_\\udcfc\.png'"):
        run(Settings(tmp_path / "given", tmp_path / "out"))

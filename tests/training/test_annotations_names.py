"""Files and names as other machines leave them."""

from pathlib import Path

import pytest

from tests.training import annotated
from training.annotations.importer import Settings, run

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

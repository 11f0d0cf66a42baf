"""What no target can have, as a user types it: a sentence, the usual exit code and no record."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector import lines
from tests.test_cli import run


@pytest.mark.parametrize("squares", ["2x2", "-9x6", "9x2", "0x0", "9x1e9"])
def test_a_checkerboard_that_there_cannot_be(tmp_path: Path, squares: str) -> None:
    """It says which there can be."""
    refused(
        tmp_path,
        *("--target", "checkerboard", f"--squares={squares}", "--known-mm", "5"),
        says="--squares: expected 3 to 1000 inner corners each way, found",
    )


@pytest.mark.parametrize("known_mm", ["1e9", "1e300", "5e-324"])
def test_a_scale_that_no_line_has(tmp_path: Path, known_mm: str) -> None:
    """Above a metre per px, or nothing at all."""
    refused(
        tmp_path,
        *("--known-mm", known_mm, "--between", "10,10,310,10"),
        says="--known-mm: expected a scale of more than 0 and at most 1000 mm per px, found",
    )


def refused(folder: Path, *args: str, says: str) -> None:
    line = folder / "line.yaml"
    line.write_text("site: a\nline: b\ncamera: {source: 'folder:x'}\n")
    cv2.imwrite(str(folder / "part.png"), np.zeros((300, 400, 3), np.uint8))

    done = run("calibrate", *args, "--picture", "part.png", cwd=folder)

    assert (done.returncode, says in done.stderr) == (78, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not lines.history_of(line).exists()

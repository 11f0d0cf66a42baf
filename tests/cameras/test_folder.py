"""A folder of pictures as a camera."""

from pathlib import Path

import cv2
import pytest

from inspector.cameras import FolderCamera
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame, Unseen
from tests.cameras.conftest import checker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("1.png", "2.png", "10.png"):
        cv2.imwrite(str(tmp_path / name), checker())
    (tmp_path / "2.png").write_text("no picture")
    return tmp_path


def test_each_picture_is_one_part(folder: Path) -> None:
    """In order, a bad one between good ones, and then the end, which stays."""
    camera = FolderCamera(folder)
    camera.open()
    parts = [camera.read() for _ in range(5)]
    assert [type(part) for part in parts] == [Frame, Unseen, Frame, type(None), type(None)]
    assert [part.source for part in parts if part] == [
        str(folder / name) for name in ("1.png", "2.png", "10.png")
    ]


def test_a_loop_begins_again_and_sees_new_pictures(folder: Path) -> None:
    """Every round lists the folder anew."""
    camera = FolderCamera(folder, loop=True)
    camera.open()
    first = [camera.read() for _ in range(3)]
    cv2.imwrite(str(folder / "11.png"), checker())
    second = [camera.read() for _ in range(4)]
    again = camera.read()
    assert [Path(p.source).stem for p in (*first, *second, again) if p] == [
        *("1", "2", "10"),
        *("1", "2", "10", "11"),
        "1",
    ]


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    """It may be a share that is mounted later."""
    with pytest.raises(CameraUnavailable, match="gone: expected a folder of pictures, found noth"):
        FolderCamera(tmp_path / "gone").open()


def test_a_folder_that_cannot_be_looked_for_is_unavailable() -> None:
    """Here its name is too long; in a folder that is closed to us it is the same."""
    with pytest.raises(CameraUnavailable, match="expected a folder of pictures, found: File name"):
        FolderCamera("n" * 300).open()


def test_an_empty_folder_is_unavailable(tmp_path: Path) -> None:
    """Pictures may come later."""
    with pytest.raises(CameraUnavailable, match=r"expected pictures .* found none"):
        FolderCamera(tmp_path).open()


def test_a_folder_that_vanishes_between_rounds_is_lost(folder: Path) -> None:
    """A loop ends in an error that the grabber heals, never in silence."""
    camera = FolderCamera(folder, loop=True)
    camera.open()
    for _ in range(3):
        camera.read()
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(CameraLost, match="found none"):
        camera.read()

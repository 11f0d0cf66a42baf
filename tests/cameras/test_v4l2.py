"""V4L2, as far as a machine without a camera allows."""

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.cameras import V4l2Camera
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame, Unseen


class FakeCapture:
    """What OpenCV would give for a camera that knows one size."""

    def __init__(self, size: tuple[int, int] = (64, 48)) -> None:
        self.size = size
        self.opened: list[tuple[str, int]] = []
        self.released = 0
        self.grabs = True
        self.image: np.ndarray | None = np.zeros((size[1], size[0], 3), np.uint8)

    def __call__(self, path: str, backend: int) -> "FakeCapture":
        self.opened.append((path, backend))
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, key: int, value: float) -> bool:
        return True

    def get(self, key: int) -> float:
        return self.size[0] if key == cv2.CAP_PROP_FRAME_WIDTH else self.size[1]

    def grab(self) -> bool:
        return self.grabs

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        return self.image is not None, self.image

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def by_id(tmp_path: Path) -> Path:
    """A folder of links as udev makes it; the camera behind them is any character device."""
    folder = tmp_path / "by-id"
    folder.mkdir()
    for name in ("usb-Basler_1-index0", "usb-Acme_2-index0"):
        (folder / name).symlink_to("/dev/null")
    return folder


def test_a_missing_camera_is_told_with_those_that_are_there(by_id: Path) -> None:
    """The error names the path and what could have been meant, at once."""
    camera = V4l2Camera(by_id / "usb-Basler_9-index0", by_id=by_id)
    begun = time.monotonic()
    with pytest.raises(CameraUnavailable) as error:
        camera.open()
    assert time.monotonic() - begun < 0.5
    assert str(error.value) == (
        f"{by_id}/usb-Basler_9-index0: expected a camera, found: No such file or directory; "
        f"{by_id} has usb-Acme_2-index0, usb-Basler_1-index0"
    )


def test_without_any_camera_it_says_so(tmp_path: Path) -> None:
    """A machine without a camera has no such folder."""
    with pytest.raises(CameraUnavailable, match="by-id has no camera"):
        V4l2Camera(tmp_path / "video0", by_id=tmp_path / "by-id").open()


def test_a_plain_file_is_no_camera(tmp_path: Path) -> None:
    """A path to something else is told as what it is."""
    path = tmp_path / "video0"
    path.touch()
    with pytest.raises(CameraUnavailable, match="expected a video device, found another kind"):
        V4l2Camera(path, by_id=tmp_path).open()


def test_a_device_that_is_no_camera_does_not_open(by_id: Path) -> None:
    """OpenCV itself refuses a character device which captures no video."""
    begun = time.monotonic()
    with pytest.raises(CameraUnavailable, match="in use by another program, or no video device"):
        V4l2Camera(by_id / "usb-Acme_2-index0", by_id=by_id).open()
    assert time.monotonic() - begun < 3


def test_each_opening_is_a_fresh_capture_of_the_linked_device(by_id: Path) -> None:
    """After plugging in again the link may point elsewhere, so it is followed every time."""
    capture = FakeCapture()
    camera = V4l2Camera(by_id / "usb-Acme_2-index0", by_id=by_id, capture=capture)
    camera.open()
    (by_id / "usb-Acme_2-index0").unlink()
    (by_id / "usb-Acme_2-index0").symlink_to("/dev/zero")
    camera.open()
    camera.close()
    camera.close()
    assert capture.opened == [("/dev/null", cv2.CAP_V4L2), ("/dev/zero", cv2.CAP_V4L2)]
    assert capture.released == 2


def test_another_size_than_asked_is_refused(by_id: Path) -> None:
    """A camera sets the nearest size that it knows, in silence; lengths would be wrong."""
    capture = FakeCapture((640, 480))
    device = by_id / "usb-Acme_2-index0"
    V4l2Camera(device, size=(640, 480), capture=capture).open()
    with pytest.raises(CameraUnavailable, match=r"expected 1920 × 1080 pixels, .* 640 × 480"):
        V4l2Camera(device, size=(1920, 1080), capture=capture).open()
    assert capture.released == 1


def test_frames_are_numbered_on_across_a_loss(by_id: Path) -> None:
    """The source of a frame is the device and a number that does not come again."""
    device = by_id / "usb-Acme_2-index0"
    camera = V4l2Camera(device, capture=FakeCapture())
    sources = []
    for _ in range(2):
        camera.open()
        part = camera.read()
        assert isinstance(part, Frame)
        sources.append(part.source)
    assert sources == [f"{device}#1", f"{device}#2"]


def test_a_silent_camera_is_lost(by_id: Path) -> None:
    """No frame within the deadline."""
    capture = FakeCapture()
    camera = V4l2Camera(by_id / "usb-Acme_2-index0", capture=capture)
    camera.open()
    capture.grabs = False
    with pytest.raises(CameraLost, match="expected a frame within 2 s, found none"):
        camera.read()


def test_an_unplugged_camera_is_lost_though_frames_seem_to_come(by_id: Path) -> None:
    """OpenCV may report success for a device that is gone; its name is gone with it."""
    device = by_id / "usb-Acme_2-index0"
    camera = V4l2Camera(device, capture=FakeCapture())
    camera.open()
    device.unlink()
    with pytest.raises(CameraLost, match="found it unplugged"):
        camera.read()


@pytest.mark.parametrize("image", [None, np.zeros((4, 4), np.uint16)])
def test_a_frame_that_cannot_be_unpacked_is_unseen(by_id: Path, image: np.ndarray | None) -> None:
    """One damaged frame is one unseen part, and no loss."""
    capture = FakeCapture()
    camera = V4l2Camera(by_id / "usb-Acme_2-index0", capture=capture)
    camera.open()
    capture.image = image
    assert isinstance(camera.read(), Unseen)


def test_a_gray_camera_gives_bgr(by_id: Path) -> None:
    """Everything behind the camera counts on three channels."""
    capture = FakeCapture()
    capture.image = np.full((48, 64), 9, np.uint8)
    camera = V4l2Camera(by_id / "usb-Acme_2-index0", capture=capture)
    camera.open()
    part = camera.read()
    assert isinstance(part, Frame)
    assert part.image.shape == (48, 64, 3)


def test_the_wait_for_a_frame_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV's 10 s become the whole seconds within the line's timeout; what is set stays."""
    name = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"
    monkeypatch.delenv(name, raising=False)
    V4l2Camera("/dev/video0", timeout_s=1.8)
    assert os.environ[name] == "1"
    V4l2Camera("/dev/video0", timeout_s=7)
    assert os.environ[name] == "1"

"""A video file as a camera."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.cameras import VideoCamera
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame, Unseen

FRAMES = 12


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    assert writer.isOpened()
    for number in range(FRAMES):
        writer.write(np.full((48, 64, 3), number * 20, np.uint8))
    writer.release()
    return path


def test_every_frame_is_one_part(video: Path) -> None:
    """As many frames as were written, in their order, and then the end, which stays."""
    camera = VideoCamera(video)
    camera.open()
    parts = [camera.read() for _ in range(FRAMES + 2)]
    assert parts[FRAMES:] == [None, None]
    for number, part in enumerate(parts[:FRAMES]):
        assert isinstance(part, Frame)
        assert part.source == f"{video}#{number}"
        assert abs(float(part.image.mean()) - number * 20) < 3
    camera.close()
    camera.close()


def test_a_loop_begins_again(video: Path) -> None:
    """After the last frame comes the first."""
    camera = VideoCamera(video, loop=True)
    camera.open()
    sources = [part.source for _ in range(2 * FRAMES) if (part := camera.read())]
    camera.close()
    assert sources == [f"{video}#{number}" for number in range(FRAMES)] * 2


def test_a_damaged_frame_is_unseen_and_the_reading_goes_on(video: Path) -> None:
    """A frame that cannot be decoded is a part that nobody saw, not the end."""
    data = bytearray(video.read_bytes())
    frames = [match.start() for match in re.finditer(rb"\xff\xd8\xff", data)]
    assert len(frames) == FRAMES
    data[frames[5] : frames[5] + 200] = bytes(200)
    video.write_bytes(data)
    camera = VideoCamera(video)
    camera.open()
    kinds = [type(camera.read()) for _ in range(FRAMES + 1)]
    camera.close()
    assert kinds == [Frame] * 5 + [Unseen] + [Frame] * 6 + [type(None)]


def test_a_video_that_stops_early_is_told(video: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Frames that the file promises and lacks are in the log."""
    data = video.read_bytes()
    frames = [match.start() for match in re.finditer(rb"\xff\xd8\xff", data)]
    video.write_bytes(data[: frames[7]])
    camera = VideoCamera(video)
    camera.open()
    while camera.read():
        pass
    camera.close()
    assert f"expected {FRAMES} frames, found 7" in caplog.text


@pytest.mark.parametrize("content", [None, b"", b"no video at all"])
def test_what_is_no_video_is_unavailable(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or foreign file is told by its name."""
    path = tmp_path / "line.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CameraUnavailable, match=r"line\.avi: expected a video"):
        VideoCamera(path).open()


def test_a_closed_video_is_lost(video: Path) -> None:
    """Reading without opening is an error, not the end of the file."""
    with pytest.raises(CameraLost, match="expected an open video"):
        VideoCamera(video).read()

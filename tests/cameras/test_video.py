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


def write(path: Path, code: str, side: int = 96) -> Path:
    """A video of parts with a sensor's noise, which no codec makes small."""
    rng = np.random.default_rng(4)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 25, (side, side))
    assert writer.isOpened()
    for number in range(FRAMES):
        noise = rng.normal(90 + number, 20, (side, side, 3))
        writer.write(np.clip(noise, 0, 255).astype(np.uint8))
    writer.release()
    return path


def kinds_of(path: Path) -> list[str]:
    """What a camera of the file hands over until its end, which has to stay."""
    camera = VideoCamera(path)
    camera.open()
    kinds = []
    while (part := camera.read()) is not None:
        kinds.append("frame" if isinstance(part, Frame) else part.reason.rule.value)
    assert camera.read() is None
    camera.close()
    return kinds


UNREADABLE = "unreadable_image"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.avi", "MJPG"), ("a.avi", "XVID"), ("a.avi", "FFV1"), ("a.mp4", "mp4v"),
        ("a.mov", "mp4v"), ("a.mkv", "MJPG"), ("a.mkv", "mp4v"), ("a.ts", "mp4v"),
    ],
)  # fmt: skip
def test_a_whole_video_lacks_nothing(tmp_path: Path, name: str, code: str) -> None:
    """Whatever its container says about their number, there are as many parts as frames."""
    assert kinds_of(write(tmp_path / name, code)) == ["frame"] * FRAMES


@pytest.mark.parametrize("name", ["a.avi", "a.mkv"])
def test_a_frame_of_motion_jpeg_that_lacks_data_is_unseen(tmp_path: Path, name: str) -> None:
    """FFmpeg shows what is left of it, and gray, or rows of another frame."""
    path = write(tmp_path / name, "MJPG")
    data = bytearray(path.read_bytes())
    frames = [match.start() for match in re.finditer(rb"\xff\xd8\xff", data)]
    middle = (frames[5] + frames[6]) // 2
    data[middle : middle + 1500] = bytes(1500)
    path.write_bytes(data)

    assert kinds_of(path) == ["frame"] * 5 + [UNREADABLE] + ["frame"] * 6


def test_a_frame_of_another_size_than_the_video_is_unseen(tmp_path: Path) -> None:
    """Half a frame, as interlaced video has them, is no part."""
    path = write(tmp_path / "a.avi", "MJPG")
    data = bytearray(path.read_bytes())
    fourth = [match.start() for match in re.finditer(rb"\xff\xd8\xff", data)][3]
    half = cv2.imencode(".jpg", np.full((48, 96, 3), 90, np.uint8))[1].tobytes()
    data[fourth : fourth + len(half)] = half
    path.write_bytes(data)

    assert kinds_of(path) == ["frame"] * 3 + [UNREADABLE] + ["frame"] * (FRAMES - 4)


@pytest.mark.parametrize("code", ["MJPG", "XVID"])
def test_frames_that_an_avi_promises_and_lacks_are_unseen(
    tmp_path: Path, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Cut, or with a hole over frames and their headers: each frame is a part, and told."""
    path = write(tmp_path / "a.avi", code)
    whole = path.read_bytes()
    start = whole.index(b"movi")
    for share in (0.1, 0.4, 0.6, 0.9):
        cut = start + int((len(whole) - start) * share)
        for rest in (b"", bytes(len(whole) // 5) + whole[cut + len(whole) // 5 :]):
            caplog.clear()
            path.write_bytes(whole[:cut] + rest)
            kinds = kinds_of(path)
            assert len(kinds) == FRAMES
            assert UNREADABLE in kinds
            if not rest:
                assert f"expected {FRAMES} frames, found " in caplog.text


def test_what_is_missing_has_a_name_and_a_reason(video: Path) -> None:
    """Each has its number, and the next round of a loop begins with the first frame again."""
    data = video.read_bytes()
    frames = [match.start() for match in re.finditer(rb"\xff\xd8\xff", data)]
    video.write_bytes(data[: frames[7]])
    camera = VideoCamera(video, loop=True)
    camera.open()
    parts = [camera.read() for _ in range(2 * FRAMES)]
    camera.close()
    assert [part.source for part in parts] == [f"{video}#{n}" for n in range(FRAMES)] * 2
    assert [type(part) for part in parts] == ([Frame] * 7 + [Unseen] * 5) * 2
    assert parts[7].detail == "expected 12 frames, found the end of the file"


@pytest.mark.parametrize("stated", [0, 5, 0xFFFFFFFF])
def test_a_number_that_cannot_be_is_not_believed(video: Path, stated: int) -> None:
    """A recording that was broken off says 0; damage may say anything."""
    data = bytearray(video.read_bytes())
    length = data.index(b"vids", data.index(b"strh")) + 32
    assert data[length : length + 4] == FRAMES.to_bytes(4, "little")
    data[length : length + 4] = stated.to_bytes(4, "little")
    video.write_bytes(data)

    assert kinds_of(video) == ["frame"] * FRAMES


def test_a_container_that_only_estimates_promises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A Matroska file that was cut ends early, which the log tells; no part is made up."""
    path = write(tmp_path / "a.mkv", "mp4v")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])

    kinds = kinds_of(path)

    assert kinds == ["frame"] * len(kinds)
    assert f"expected {FRAMES} frames, found {len(kinds)}" in caplog.text


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

"""A video file as a camera."""

import logging
import re
import struct
import time
from collections import deque
from pathlib import Path

import cv2

from inspector.cameras.camera import Part
from inspector.cameras.capture import open_ffmpeg, retrieve, unreadable
from inspector.cameras.pictures import decode
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame, Reason, Rule, Unseen

log = logging.getLogger(__name__)

DAMAGED_IN_A_ROW = 25  # OpenCV does not tell a damaged frame from the end; so many failures are one
MJPEG = cv2.VideoWriter.fourcc(*"MJPG")
AS_PACKED = {cv2.CAP_PROP_FORMAT: -1}  # frames come as the file holds them
AVI = re.compile(rb"RIFF....AVI .*?strh....vids.{28}(....)", re.DOTALL)
HEAD = 65_536  # bytes in which an AVI describes its streams


class VideoCamera:
    """Every frame of a video file once, or again and again.

    Frames that are damaged or missing are `Unseen`, as far as the file lets it be known. FFmpeg
    makes a picture of what is left of a JPEG: those of Motion JPEG are held against what a picture
    file is held against (a frame in two halves, interlaced, is `Unseen`). An AVI says how many
    frames it has; other containers only estimate it, or cut some of them.
    """

    live = False

    def __init__(self, path: Path | str, *, loop: bool = False) -> None:
        self.path = Path(path)
        self.loop = loop
        self._capture: cv2.VideoCapture | None = None
        self._waiting: deque[Part] = deque()
        self._frame = 0
        self._size: tuple[int, int] | None = None  # of frames that are unpacked here, not by FFmpeg
        self._promised = self._missing = 0

    def open(self) -> None:
        """Open at the first frame.

        Raises:
            CameraUnavailable: there is no such file, or it is no video.
        """
        self.close()
        try:
            if not self.path.is_file():
                raise CameraUnavailable(f"{self.path}: expected a video file, found none")
        except OSError as error:  # a folder on the way is closed to us
            found = error.strerror
            raise CameraUnavailable(f"{self.path}: expected a video file, found: {found}") from None
        self._capture = open_ffmpeg(str(self.path), "", {})
        self._size = _size_of_mjpeg(self._capture) if self._capture is not None else None
        if self._size is not None:
            self._capture = open_ffmpeg(str(self.path), "", AS_PACKED)
        if self._capture is None:
            raise CameraUnavailable(
                f"{self.path}: expected a video, found none that can be decoded"
            )
        self._promised = _frames_of_avi(self.path)

    def read(self) -> Part | None:
        """The next frame; None after the last one unless it loops.

        Raises:
            CameraLost: it is not open, or another round has no frame.
        """
        part = self._next()
        if part is None and self.loop:
            try:
                self.open()
            except CameraUnavailable as error:
                raise CameraLost(str(error)) from None
            part = self._next()
            if part is None:
                raise CameraLost(f"{self.path}: expected frames, found none")
        return part

    def close(self) -> None:
        """Release the file."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None
        self._waiting.clear()
        self._frame = self._missing = 0

    def _next(self) -> Part | None:
        if self._capture is None:
            raise CameraLost(f"{self.path}: expected an open video")
        if not self._waiting and not self._missing:
            self._grab(self._capture)
        if self._waiting:
            return self._waiting.popleft()
        return self._lack() if self._missing else None

    def _grab(self, capture: cv2.VideoCapture) -> None:
        for damaged in range(DAMAGED_IN_A_ROW):
            if capture.grab():
                self._waiting += [unreadable(self._name(number)) for number in range(damaged)]
                self._waiting.append(self._retrieve(capture, self._name(damaged)))
                self._frame += damaged + 1
                return
        stated = self._promised or int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if stated > self._frame:
            log.warning("%s: expected %d frames, found %d", self.path, stated, self._frame)
            self._missing = max(0, self._promised - self._frame)

    def _retrieve(self, capture: cv2.VideoCapture, source: str) -> Part:
        grabbed_s = time.monotonic()
        if self._size is None:
            return retrieve(capture, source, grabbed_s)
        found, packed = capture.retrieve()
        if not found or packed is None:
            return unreadable(source)
        try:
            image = decode(packed.tobytes())
        except (ValueError, MemoryError, cv2.error) as error:
            detail = " ".join(str(error).split())
        else:
            if image.shape[1::-1] == self._size:
                return Frame(image, source, grabbed_s, (time.monotonic() - grabbed_s) * 1000)
            detail = f"expected a frame of {self._size}, found {image.shape[1::-1]}"
        grab_ms = (time.monotonic() - grabbed_s) * 1000
        return Unseen(source, Reason(Rule.UNREADABLE_IMAGE), detail, grab_ms)

    def _lack(self) -> Unseen:
        """One of the frames that the file promises and does not hold."""
        detail = f"expected {self._frame + self._missing} frames, found the end of the file"
        part = Unseen(self._name(0), Reason(Rule.UNREADABLE_IMAGE), detail)
        self._frame += 1
        self._missing -= 1
        return part

    def _name(self, ahead: int) -> str:
        return f"{self.path}#{self._frame + ahead}"


def _size_of_mjpeg(capture: cv2.VideoCapture) -> tuple[int, int] | None:
    if int(capture.get(cv2.CAP_PROP_FOURCC)) != MJPEG:
        return None
    width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
    return int(capture.get(width)), int(capture.get(height))


def _frames_of_avi(path: Path) -> int:
    """How many frames an AVI says that it has; 0 for other files, and if it does not say it."""
    with path.open("rb") as file:
        found = AVI.match(file.read(HEAD))
        size = file.seek(0, 2)
    frames = struct.unpack("<I", found[1])[0] if found else 0
    return int(frames) if frames <= size else 0  # else it is no number of frames

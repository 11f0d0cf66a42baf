"""A video file as a camera."""

import logging
import time
from collections import deque
from pathlib import Path

import cv2

from inspector.cameras.camera import Part
from inspector.cameras.capture import open_ffmpeg, retrieve, unreadable
from inspector.errors import CameraLost, CameraUnavailable

log = logging.getLogger(__name__)

DAMAGED_IN_A_ROW = 25  # OpenCV does not tell a damaged frame from the end; so many failures are one


class VideoCamera:
    """Every frame of a video file once, or again and again. Damaged frames are `Unseen`."""

    live = False

    def __init__(self, path: Path | str, *, loop: bool = False) -> None:
        self.path = Path(path)
        self.loop = loop
        self._capture: cv2.VideoCapture | None = None
        self._waiting: deque[Part] = deque()
        self._frame = 0

    def open(self) -> None:
        """Open at the first frame.

        Raises:
            CameraUnavailable: there is no such file, or it is no video.
        """
        self.close()
        if not self.path.is_file():
            raise CameraUnavailable(f"{self.path}: expected a video file, found none")
        self._capture = open_ffmpeg(str(self.path), "", {})
        if self._capture is None:
            raise CameraUnavailable(
                f"{self.path}: expected a video, found none that can be decoded"
            )

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
        self._frame = 0

    def _next(self) -> Part | None:
        if self._capture is None:
            raise CameraLost(f"{self.path}: expected an open video")
        if not self._waiting:
            self._grab(self._capture)
        return self._waiting.popleft() if self._waiting else None

    def _grab(self, capture: cv2.VideoCapture) -> None:
        for damaged in range(DAMAGED_IN_A_ROW):
            if capture.grab():
                self._waiting += [unreadable(self._name(number)) for number in range(damaged)]
                self._waiting.append(retrieve(capture, self._name(damaged), time.monotonic()))
                self._frame += damaged + 1
                return
        stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if stated > self._frame:  # an estimate in some containers, so this is no error
            log.warning("%s: expected %d frames, found %d", self.path, stated, self._frame)

    def _name(self, ahead: int) -> str:
        return f"{self.path}#{self._frame + ahead}"

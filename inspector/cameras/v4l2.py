"""A USB or built-in camera through Video4Linux2."""

import math
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from inspector.cameras.camera import Part
from inspector.cameras.capture import retrieve
from inspector.errors import CameraLost, CameraUnavailable

BY_ID = Path("/dev/v4l/by-id")
"""Names that stay the same when a camera is plugged in again; `/dev/videoN` changes."""


class V4l2Camera:
    """A camera by its device file.

    OpenCV bounds a wait for a frame only through the environment, in whole seconds, and reads it
    once in a process: what is set there already stays. `timeout_s` is rounded down to them,
    to one at least.
    """

    live = True

    def __init__(
        self,
        device: Path | str,
        *,
        size: tuple[int, int] | None = None,
        timeout_s: float = 2.0,
        by_id: Path = BY_ID,
        capture: Callable[[str, int], cv2.VideoCapture] = cv2.VideoCapture,
    ) -> None:
        """`size`: (width, height) to ask for, None for the camera's own."""
        self.device = Path(device)
        self.size = size
        self._timeout_s = max(1, math.floor(timeout_s))
        self._by_id = by_id
        self._make_capture = capture
        self._capture: cv2.VideoCapture | None = None
        self._frame = 0
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(self._timeout_s))

    def open(self) -> None:
        """Open a fresh capture and set its size.

        Raises:
            CameraUnavailable: no such device, no permission, no camera, or another size than asked.
        """
        self.close()
        self._check_device()
        # By the name of the day: a link may have come to point to another /dev/videoN.
        capture = self._make_capture(str(self.device.resolve()), cv2.CAP_V4L2)
        self._capture = capture
        if not capture.isOpened():
            self.close()
            raise CameraUnavailable(
                f"{self.device}: expected a camera that captures video, found one that does not "
                "open: it is in use by another program, or no video device"
            )
        if self.size is not None:
            self._set_size(capture, self.size)

    def read(self) -> Part:
        """Wait for the next frame.

        Raises:
            CameraLost: no frame within the deadline, or the device is gone.
        """
        if self._capture is None:
            raise CameraLost(f"{self.device}: expected an open camera")
        grabbed = self._capture.grab()
        grabbed_s = time.monotonic()
        # After unplugging OpenCV may go on reporting success (opencv/opencv#14044).
        if not self.device.exists():
            raise CameraLost(f"{self.device}: expected a camera, found it unplugged")
        if not grabbed:
            raise CameraLost(
                f"{self.device}: expected a frame within {self._timeout_s} s, found none"
            )
        self._frame += 1
        return retrieve(self._capture, f"{self.device}#{self._frame}", grabbed_s)

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None

    def _check_device(self) -> None:
        try:
            mode = self.device.stat().st_mode
        except OSError as error:
            raise CameraUnavailable(
                f"{self.device}: expected a camera, found: {error.strerror}; {self._present()}"
            ) from None
        if not stat.S_ISCHR(mode):
            raise CameraUnavailable(
                f"{self.device}: expected a video device, found another kind of file; "
                + self._present()
            )
        if not os.access(self.device, os.R_OK | os.W_OK):
            raise CameraUnavailable(
                f"{self.device}: expected permission to read and write, found none: "
                "is this user in the group `video`?"
            )

    def _present(self) -> str:
        try:
            names = sorted(path.name for path in self._by_id.iterdir())
        except OSError:
            names = []
        return f"{self._by_id} has " + (", ".join(names) or "no camera")

    def _set_size(self, capture: cv2.VideoCapture, size: tuple[int, int]) -> None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        found = (
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
        if found != size:
            self.close()
            raise CameraUnavailable(
                f"{self.device}: expected {size[0]} × {size[1]} pixels, found that the camera "
                f"sets {found[0]} × {found[1]}"
            )

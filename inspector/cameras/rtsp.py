"""A network camera through RTSP, read by FFmpeg inside OpenCV."""

import socket
import time
from urllib.parse import urlsplit

import cv2

from inspector.cameras.camera import Part
from inspector.cameras.capture import open_ffmpeg, retrieve
from inspector.config import redacted
from inspector.errors import CameraLost, CameraUnavailable

PORTS = {"rtsp": 554, "rtsps": 322}

# tcp: a lost datagram would smear over the picture until the next key frame.
# nobuffer: otherwise the first frame after opening is 1.1 s old, and nothing tells it.
# fpsprobesize: opening takes 0.4 s instead of 1.2 s, because nobody asks for the frame rate.
OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|fpsprobesize;0"

DAMAGED_IN_A_ROW = 5  # a packet that cannot be decoded fails one read, and is no loss yet


class RtspCamera:
    """A camera by its address. `rtsp://user:password@host/…` never shows outside of FFmpeg.

    A host name that no name server answers for can outlast the deadline; a numeric address cannot.
    """

    live = True

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        """`timeout_s` bounds opening, and each wait for a frame."""
        self.name = redacted(url)
        self._url = url
        self._timeout_s = timeout_s
        self._capture: cv2.VideoCapture | None = None
        self._frame = 0

    def open(self) -> None:
        """Open a fresh capture.

        Raises:
            CameraUnavailable: nobody listens there, or no stream came within the deadline.
        """
        self.close()
        deadline_s = time.monotonic() + self._timeout_s
        self._knock()
        left_ms = max(1, int((deadline_s - time.monotonic()) * 1000))
        settings = {
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: left_ms,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC: int(self._timeout_s * 1000),
            cv2.CAP_PROP_N_THREADS: 1,  # with more the decoder holds back a frame for each
        }
        self._capture = open_ffmpeg(self._url, OPTIONS, settings)
        if self._capture is None:
            late = time.monotonic() >= deadline_s
            found = "none" if late else "it refused: wrong path, user or password, or no video"
            raise CameraUnavailable(
                f"{self.name}: expected a stream within {self._timeout_s:g} s, found {found}"
            )

    def read(self) -> Part:
        """Wait for the next frame.

        FFmpeg knows that a frame is whole when the next one begins, and gives out the last one when
        the stream ends, however long ago it came. So a frame is stamped with the moment at which
        the wait for it began: it arrived about then.

        Raises:
            CameraLost: no frame within the deadline, or the server hung up.
        """
        if self._capture is None:
            raise CameraLost(f"{self.name}: expected an open stream")
        began_s = time.monotonic()
        for _ in range(DAMAGED_IN_A_ROW):
            grabbed = self._capture.grab()
            if time.monotonic() - began_s >= self._timeout_s:
                raise CameraLost(
                    f"{self.name}: expected a frame within {self._timeout_s:g} s, found none"
                )
            if grabbed:
                self._frame += 1
                return retrieve(self._capture, f"{self.name}#{self._frame}", began_s)
        raise CameraLost(f"{self.name}: expected a frame, found the stream closed")

    def close(self) -> None:
        """Hang up."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None

    def _knock(self) -> None:
        """FFmpeg says only on stderr why it failed, so ask the network first."""
        try:
            parts = urlsplit(self._url)
            address = (parts.hostname or "", parts.port or PORTS[parts.scheme])
            socket.create_connection(address, timeout=self._timeout_s).close()
        except OSError as error:
            reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or error
            raise CameraUnavailable(
                f"{self.name}: expected a camera that listens, found: {reason}"
            ) from None
        except (KeyError, ValueError):
            raise CameraUnavailable(
                f"{self.name}: expected an address like rtsp://host:554/path"
            ) from None

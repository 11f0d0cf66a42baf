"""What the sources that OpenCV captures from have in common."""

import os
import threading
import time

import cv2
import numpy as np

from inspector.cameras.camera import Part
from inspector.types import Frame, Reason, Rule, Unseen

FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_SET_BY_HAND = FFMPEG_OPTIONS in os.environ
_opening = threading.Lock()


def open_ffmpeg(target: str, options: str, settings: dict[int, int]) -> cv2.VideoCapture | None:
    """A fresh FFmpeg capture of a file or an address, None if it does not open.

    OpenCV hands options to FFmpeg only through the environment of the process, so a stream's would
    reach a file too (with `nobuffer` a file loses its first frame): they are set for each opening,
    and written only when they change. Options that were in the environment from the start stay.
    """
    flat = [number for setting in settings.items() for number in setting]
    with _opening:
        if not _SET_BY_HAND and os.environ.get(FFMPEG_OPTIONS) != options:
            os.environ[FFMPEG_OPTIONS] = options
        capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, flat)
    return capture if capture.isOpened() else None


def retrieve(capture: cv2.VideoCapture, source: str, grabbed_s: float) -> Part:
    """The frame that was just grabbed, as 8-bit BGR; `grabbed_s` is the moment nearest to its
    exposure, and `grab_ms` what unpacking took, without the wait for the camera.
    """
    started_s = time.monotonic()
    found, image = capture.retrieve()
    grab_ms = (time.monotonic() - started_s) * 1000
    if not found or image is None:
        return unreadable(source, grab_ms)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.dtype != np.uint8:
        detail = f"expected 8 bits per channel, found {image.dtype}"
        return Unseen(source, Reason(Rule.UNREADABLE_IMAGE), detail, grab_ms)
    return Frame(image.astype(np.uint8, copy=False), source, grabbed_s, grab_ms)


def unreadable(source: str, grab_ms: float = 0.0) -> Unseen:
    """A frame that arrived and could not be decoded."""
    detail = "expected a whole frame, found one that cannot be decoded"
    return Unseen(source, Reason(Rule.UNREADABLE_IMAGE), detail, grab_ms)

"""What the sources that OpenCV captures from have in common."""

import time

import cv2
import numpy as np

from inspector.cameras.camera import Part
from inspector.types import Frame, Reason, Rule, Unseen


def retrieve(capture: cv2.VideoCapture, source: str) -> Part:
    """The frame that was just grabbed, as 8-bit BGR.

    It is stamped before it is unpacked: that moment is nearest to the exposure. `grab_ms` is what
    unpacking took, without the wait for the camera.
    """
    grabbed_s = time.monotonic()
    found, image = capture.retrieve()
    grab_ms = (time.monotonic() - grabbed_s) * 1000
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

"""A judged part as a JPEG for people: its scratches drawn in, small enough for fifty viewers."""

import cv2
import numpy as np

from inspector import overlay
from inspector.publish.message import ResultMessage
from inspector.types import Image

LARGEST = 1280  # px, either way; on a screen that the operator stands in front of more is not seen
QUALITY = 80


def jpeg(image: Image, message: ResultMessage) -> bytes:
    """The picture with outlines and lengths, encoded.

    Raises:
        ValueError: it cannot be encoded.
    """
    canvas = overlay.shrunk(_as_bgr(image), message.scratches, LARGEST)
    done, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"expected a picture to encode, found an array of {image.shape}")
    return data.tobytes()


def _as_bgr(image: Image) -> Image:
    """What the inspector refused as no camera frame is shown all the same, where it can be."""
    if image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"expected 8 bits per pixel, found {image.dtype} {image.shape}")
    if image.ndim == 2:
        return np.repeat(image[:, :, None], 3, axis=2)
    if image.ndim == 3 and image.shape[2] == 3:
        return image
    raise ValueError(f"expected a picture (H, W, 3), found {image.shape}")

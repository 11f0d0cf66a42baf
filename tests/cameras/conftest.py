"""Pictures and patience for the tests of cameras."""

import time
from collections.abc import Callable

import numpy as np

from inspector.types import Frame, Image


def eventually(condition: Callable[[], object], within_s: float = 5.0) -> float:
    """Poll until the condition holds; how many seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, "expected this to come true in time"
        time.sleep(0.005)
    return time.monotonic() - started


def frame(gray: int = 0, source: str = "test") -> Frame:
    return Frame(np.full((4, 4, 3), gray, np.uint8), source, 0.0)


def checker(width: int = 64, height: int = 48) -> Image:
    """A picture in which each corner has a colour of its own."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    return image

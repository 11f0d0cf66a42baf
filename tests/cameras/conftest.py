"""Pictures, patience, and grabbers whose clock is a script, for the tests of cameras."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from inspector.cameras import Camera, Grabber, Part, ScriptedCamera
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


HOLD = 0.0
"""The step at which `Held` waits until the test is over."""


class Held(ScriptedCamera):
    """A script that stands still at `HOLD`, so that the state before it can be looked at."""

    released = threading.Event()

    def read(self) -> Part | None:
        if self._script and self._script[0] == HOLD:
            self.released.wait(30)
        return super().read()


class FakeTime:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.waited: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waited.append(seconds)
        self.now_s += seconds
        return event.is_set()


@pytest.fixture
def started() -> Iterator[list[Grabber]]:
    """Grabbers that are stopped when the test is over."""
    grabbers: list[Grabber] = []
    Held.released.clear()
    yield grabbers
    Held.released.set()
    for grabber in grabbers:
        grabber.stop(5)


def run(camera: Camera, started: list[Grabber], fake: FakeTime | None = None, **more) -> Grabber:
    fake = fake or FakeTime()
    grabber = Grabber(camera, clock=fake.clock, wait=fake.wait, jitter=lambda: 0.0, **more)
    started.append(grabber)
    grabber.start()
    return grabber


def take_all(grabber: Grabber) -> Iterator[Part]:
    while not grabber.state.ended:
        part = grabber.take(1)
        if part is not None:
            yield part

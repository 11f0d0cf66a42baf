"""What is taken from a line's camera to learn from."""

import time

import pytest

from inspector.calibrate import pictures
from inspector.cameras import Part, ScriptedCamera
from inspector.config import CameraConfig
from tests.cameras.conftest import frame


def taken(monkeypatch: pytest.MonkeyPatch, arrive_s: list[float], count: int) -> list[int]:
    """The numbers of the frames that are taken; each arrives so many seconds after opening."""
    now_s = [100.0]
    arrivals = iter(arrive_s)

    class Ticking(ScriptedCamera):
        def read(self) -> Part | None:
            now_s[0] = 100.0 + next(arrivals, 1e6)
            return super().read()

    camera = Ticking([frame(source=str(number)) for number in range(len(arrive_s))])
    monkeypatch.setattr(pictures, "make_camera", lambda _: camera)
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    config = CameraConfig(source="v4l2:/dev/video0", every_ms=200)
    return [int(part.source) for part in pictures._frames(config, count)]


def test_frames_are_taken_at_the_pace_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in between show the same part."""
    assert taken(monkeypatch, [0.05 * number for number in range(20)], 4) == [0, 4, 8, 12]


def test_a_camera_at_that_pace_gives_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one comes a little early."""
    assert taken(monkeypatch, [0.0, 0.199, 0.401, 0.599, 0.8], 5) == [0, 1, 2, 3, 4]


def test_a_stall_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After it one part counts once: the beats that were missed are skipped."""
    burst = [1.0 + 0.01 * number for number in range(20)]

    assert taken(monkeypatch, [0.0, *burst, 1.2, 1.4], 4) == [0, 1, 21, 22]

"""Which frames are parts where the line has a pace (`every_s`)."""

import pytest

from inspector.cameras import Grabber, Part, ScriptedCamera
from tests.cameras.conftest import FakeTime, eventually, frame, run, take_all


def test_files_are_paced(started: list[Grabber]) -> None:
    """`every_s` hands over one picture per beat, the first at once."""
    fake = FakeTime()
    grabber = run(ScriptedCamera([frame()] * 4, live=False), started, fake, every_s=2.0)
    assert len(list(take_all(grabber))) == 4
    assert fake.now_s == 100 + 3 * 2.0


def taken_live(started: list[Grabber], intervals_s: list[float], every_s: float) -> list[int]:
    """The numbers of the frames that are parts; each comes so long after the one before it."""
    fake = FakeTime()
    taken: list[int] = []
    waits = iter([*intervals_s, 0.0])

    class Ticking(ScriptedCamera):
        """It takes what the grabber offered, and lets time pass before every frame."""

        def read(self) -> Part | None:
            if (part := grabber.take(0)) is not None:
                taken.append(int(part.source))
            fake.now_s += next(waits)
            return super().read()

    camera = Ticking([frame(source=str(n)) for n in range(len(intervals_s))])
    grabber = Grabber(camera, every_s=every_s, clock=fake.clock, wait=fake.wait)
    started.append(grabber)
    grabber.start()
    eventually(lambda: grabber.state.ended)
    assert grabber.state.dropped == 0
    return taken


def test_live_frames_between_beats_are_no_parts(started: list[Grabber]) -> None:
    """Of frames at 3/8, 6/8, 9/8 … s the nearest to the beats at 1, 2 and 3 s; the others are read
    and neither handed over nor dropped.
    """
    assert taken_live(started, [0.375] * 10, 1.0) == [0, 2, 4, 7]


@pytest.mark.parametrize("period_s", [0.3, 0.5])
def test_a_camera_at_the_pace_of_the_line_is_judged_throughout(
    started: list[Grabber], period_s: float
) -> None:
    """Its frames come a little early or late, and each is a part."""
    jitter = [0.0, -0.02, 0.02, -0.001, 0.001, 0.04, -0.04, -0.03, 0.03]
    frames = [period_s + early for early in jitter * 20]

    assert taken_live(started, frames, period_s) == list(range(180))


@pytest.mark.parametrize("faster", [0.01, 0.3, 0.49, 0.9])
def test_a_faster_camera_gives_no_more_parts_than_beats(
    started: list[Grabber], faster: float
) -> None:
    """Being early once is not being early each time: one part per beat on the average."""
    frames = round(50 / (1 - faster))

    assert 49 <= len(taken_live(started, [1 - faster] * frames, 1.0)) <= 51


def test_beats_that_were_missed_are_not_made_up_for(started: list[Grabber]) -> None:
    """After a stall of ten beats the frames come in a burst, and one of them is a part."""
    before, burst, after = [1.0] * 5, [10.0, *[0.01] * 20], [1.0] * 5

    taken = taken_live(started, [*before, *burst, *after], 1.0)

    assert taken == [0, 1, 2, 3, 4, 5, *range(26, 31)]

"""The grabber's thread: hand over, lose, heal, stop."""

import logging
import threading
import time
from itertools import pairwise
from pathlib import Path

import cv2
import pytest

from inspector.cameras import FolderCamera, Grabber, Part, ScriptedCamera
from inspector.cameras.grabber import FIRST_DELAY_S, LAST_DELAY_S, STABLE_S
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame, Reason, Rule, Unseen
from tests.cameras.conftest import HOLD, FakeTime, Held, checker, eventually, frame, run, take_all

LOST = CameraLost("cable pulled")
AWAY = CameraUnavailable("no such device")


def test_files_are_handed_over_completely(started: list[Grabber]) -> None:
    """A slow taker gets every part once, in order, and then the end, which stays."""
    unseen = Unseen("bad", Reason(Rule.UNREADABLE_IMAGE), "")
    script = [frame(source=str(n)) for n in range(20)]
    grabber = run(ScriptedCamera([*script[:7], unseen, *script[7:]], live=False), started)
    parts = []
    for part in take_all(grabber):
        time.sleep(0.002)
        parts.append(part.source)
    assert parts == [*map(str, range(7)), "bad", *map(str, range(7, 20))]
    state = grabber.state
    assert (state.frames, state.dropped, state.ended, state.online) == (21, 0, True, False)
    assert state.detail == "ended"
    assert grabber.take(0.01) is None
    assert grabber.stop(1)


def test_it_has_not_ended_while_the_last_part_lies_there(started: list[Grabber]) -> None:
    """`ended` never comes before the last part was taken."""
    grabber = run(ScriptedCamera([frame()], live=False), started)
    eventually(lambda: grabber.state.detail == "ended")
    assert not grabber.state.ended
    assert grabber.take(1) is not None
    assert grabber.state.ended


def test_live_frames_overwrite(started: list[Grabber]) -> None:
    """Who takes late gets the newest frame; the others are counted."""
    grabber = run(ScriptedCamera([frame(source=str(n)) for n in range(9)]), started)
    eventually(lambda: grabber.state.detail == "ended")
    part = grabber.take(1)
    assert part is not None
    assert part.source == "8"
    assert grabber.state.dropped == 8


@pytest.mark.parametrize(("every_s", "level"), [(0.0, "INFO"), (1e-9, "WARNING")])
def test_frames_that_were_overwritten_are_told(
    started: list[Grabber], caplog: pytest.LogCaptureFixture, every_s: float, level: str
) -> None:
    """At the 1st, 2nd, 4th, …: a judge that is too slow for its camera does not fill the log."""
    caplog.set_level(logging.INFO)
    fake = FakeTime()

    class Ticking(ScriptedCamera):
        def read(self) -> Part | None:
            fake.now_s += 1
            return super().read()

    grabber = run(Ticking([frame()] * 18), started, fake, every_s=every_s)
    eventually(lambda: grabber.state.detail == "ended")
    told = [(r.levelname, r.getMessage()) for r in caplog.records if "by now" in r.message]
    assert told == [
        (level, f"frames that came before the last one was taken: {number} by now")
        for number in (1, 2, 4, 8, 16)
    ]


def test_a_loss_is_healed(started: list[Grabber]) -> None:
    """Opened again after each loss; the state tells how often, and why while it lasts."""
    fake = FakeTime()
    camera = Held([frame(source="1"), LOST, AWAY, AWAY, frame(source="2"), HOLD])
    grabber = run(camera, started, fake)
    eventually(lambda: grabber.state.reconnects == 1)
    state = grabber.state
    assert state.online
    assert state.detail == ""
    assert fake.now_s == 100 + 0.5 + 1 + 2
    assert state.since_s == fake.now_s
    assert state.frames == 2


def test_the_state_says_why_it_is_offline(started: list[Grabber]) -> None:
    """Before the first frame and after a loss the detail is the error's sentence."""
    grabber = run(Held([AWAY, HOLD]), started)
    eventually(lambda: grabber.state.detail == "no such device")
    assert not grabber.state.online
    assert grabber.state.since_s == 100


def test_the_delay_grows_up_to_its_limit(started: list[Grabber]) -> None:
    """0.5 s, doubled up to the limit, in small steps that show progress."""
    fake = FakeTime()
    opened: list[float] = []

    class Late(ScriptedCamera):
        def open(self) -> None:
            opened.append(fake.now_s)
            super().open()

    grabber = run(Late([AWAY] * 7), started, fake)
    eventually(lambda: grabber.state.ended)
    delays = [after - before for before, after in pairwise(opened)]
    assert delays == [FIRST_DELAY_S, 1, 2, 4, LAST_DELAY_S, LAST_DELAY_S, LAST_DELAY_S]
    assert max(fake.waited) <= 0.25


def test_jitter_shortens_the_delay(started: list[Grabber]) -> None:
    """Cameras of one line do not come back in step, and none comes back later for it."""
    fake = FakeTime()
    script = [AWAY, frame(), HOLD]
    grabber = Grabber(Held(script), clock=fake.clock, wait=fake.wait, jitter=lambda: 1.0)
    started.append(grabber)
    grabber.start()
    eventually(lambda: grabber.state.online)
    assert fake.now_s == 100 + FIRST_DELAY_S / 2


@pytest.mark.parametrize(("lasted_s", "delay_s"), [(STABLE_S - 1, 1.0), (STABLE_S, FIRST_DELAY_S)])
def test_only_a_stable_camera_starts_over(
    started: list[Grabber], lasted_s: float, delay_s: float
) -> None:
    """A camera that flaps is asked less and less often."""
    fake = FakeTime()

    class Aging(Held):
        def read(self) -> Part | None:
            try:
                return super().read()
            except CameraLost:
                fake.now_s += lasted_s
                raise

    grabber = run(Aging([frame(), LOST, frame(), LOST, frame(), HOLD]), started, fake)
    eventually(lambda: grabber.state.reconnects == 2)
    assert fake.now_s == 100 + 2 * lasted_s + FIRST_DELAY_S + delay_s


def test_a_frame_from_before_a_loss_is_not_judged_after_it(started: list[Grabber]) -> None:
    """What lies in the slot of a live camera is dropped with the connection."""
    grabber = run(Held([frame(), LOST, AWAY, AWAY, HOLD]), started)
    eventually(lambda: grabber.state.detail == "no such device")
    assert grabber.take(0) is None
    assert grabber.state.dropped == 1


def test_an_unexpected_error_is_a_loss(
    started: list[Grabber], caplog: pytest.LogCaptureFixture
) -> None:
    """The thread survives it, heals, and the traceback stands in the log once."""
    camera = Held(
        [frame(), ZeroDivisionError("boom"), frame(), ZeroDivisionError("boom"), frame(), HOLD]
    )
    grabber = run(camera, started)
    eventually(lambda: grabber.state.reconnects == 2)
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert "ZeroDivisionError: boom" in caplog.text
    assert "read" in caplog.text


def test_the_same_failure_is_told_once(
    started: list[Grabber], caplog: pytest.LogCaptureFixture
) -> None:
    """A camera that is away for the weekend does not fill the log."""
    caplog.set_level(logging.INFO)
    run(Held([*[AWAY] * 100, frame(), HOLD]), started)
    eventually(lambda: "camera online" in caplog.messages)
    assert caplog.messages == ["camera lost, will be opened again: no such device", "camera online"]


def test_an_error_in_close_is_survived(started: list[Grabber]) -> None:
    """A capture that does not even close is left behind, and the next one is opened."""

    class Sticky(Held):
        def close(self) -> None:
            raise OSError("busy")

    grabber = run(Sticky([frame(), LOST, frame(), HOLD]), started)
    eventually(lambda: grabber.state.reconnects == 1)


def test_a_camera_that_is_not_believed_is_opened_again(started: list[Grabber]) -> None:
    """Its frame is dropped, the state says why until new frames come, and it is opened once."""
    fake = FakeTime()
    opened: list[float] = []
    doubted = threading.Event()

    class Doubted(ScriptedCamera):
        """Each time that it is open it gives one frame, and then stands still."""

        def open(self) -> None:
            opened.append(fake.now_s)
            super().open()

        def read(self) -> Part | None:
            if len(opened) == 2:
                Held.released.wait(30)
            elif grabber.state.online:
                doubted.wait(30)
            return super().read()

    grabber = Grabber(
        Doubted([frame(), frame(), frame()]), clock=fake.clock, wait=fake.wait, jitter=lambda: 0.0
    )
    started.append(grabber)
    grabber.start()
    assert isinstance(grabber.take(5), Frame)
    grabber.renew("cam1: expected new frames, found equal ones")
    doubted.set()

    eventually(lambda: len(opened) == 2)
    assert opened == [100, 100 + FIRST_DELAY_S]
    assert not grabber.state.online
    assert grabber.state.detail == "cam1: expected new frames, found equal ones"
    assert grabber.take(0) is None
    assert grabber.state.dropped == 1


def test_a_hung_read_does_not_hang_the_stop() -> None:
    """`stop` says in time that the thread hangs, and the state shows that it does not move."""
    hang = threading.Event()

    class Hung(ScriptedCamera):
        def read(self) -> Part | None:
            hang.wait(30)
            return super().read()

    grabber = Grabber(Hung([frame()]))
    grabber.start()
    eventually(lambda: grabber.state.last_progress_s > grabber.state.since_s)
    moved_s = grabber.state.last_progress_s
    begun = time.monotonic()
    assert not grabber.stop(0.1)
    assert time.monotonic() - begun < 1
    assert grabber.state.last_progress_s == moved_s
    hang.set()
    assert grabber.stop(5)
    assert grabber.take(0) is None, "a frame that comes after the stop is nobody's"


@pytest.mark.parametrize("script", [[AWAY, AWAY], [frame(), frame(), frame()]])
def test_stopping_interrupts_every_wait(script: list) -> None:
    """Neither a delay nor a full slot holds the stop back, and the camera is closed."""
    camera = ScriptedCamera(script, live=False)
    grabber = Grabber(camera)
    grabber.start()
    eventually(lambda: grabber.state.frames or grabber.state.detail == "no such device")
    begun = time.monotonic()
    assert grabber.stop(5)
    assert time.monotonic() - begun < 1
    assert not camera.is_open
    assert grabber.state.detail == "stopped"


def test_a_grabber_that_never_started_stops() -> None:
    """Cleaning up needs no care for how far the start came."""
    assert Grabber(ScriptedCamera([])).stop(0)


def test_progress_shows_while_nobody_takes(started: list[Grabber]) -> None:
    """A full slot is the taker's affair: the thread goes on showing that it lives."""
    grabber = Grabber(ScriptedCamera([frame(), frame()], live=False))
    started.append(grabber)
    grabber.start()
    eventually(lambda: grabber.state.frames == 2)
    moved_s = grabber.state.last_progress_s
    eventually(lambda: grabber.state.last_progress_s > moved_s)


def test_a_folder_that_comes_later_is_judged(tmp_path: Path, started: list[Grabber]) -> None:
    """A share that is not mounted yet is waited for, then every picture is one part."""
    folder = tmp_path / "share"
    waits: list[float] = []

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 5:
            folder.mkdir()
            for number in range(3):
                cv2.imwrite(str(folder / f"{number}.png"), checker())
        return event.is_set()

    grabber = Grabber(FolderCamera(folder), wait=wait)
    started.append(grabber)
    grabber.start()
    parts = list(take_all(grabber))
    assert [type(part) for part in parts] == [Frame] * 3
    assert grabber.stop(1)

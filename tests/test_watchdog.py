"""Who is stuck; and what the daemon tells systemd, over a real socket."""

import math
import os
import socket
import time

import pytest

from inspector.cameras import Grabber, ScriptedCamera
from inspector.config import CameraConfig
from inspector.watchdog import (
    Pulse,
    Watchdog,
    allowed_s,
    ask_for_time,
    grabber_limit_s,
    stuck,
)


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """What listens where systemd would; the daemon has to speak every 50 ms.

    Mosquitto would speak to it too: a test that has a broker asks for the broker first.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield listening


def told(listening):
    return listening.recv(4096).decode().split("\n")


@pytest.mark.parametrize(
    ("moved_s", "expected"),
    [
        ((100.0, 100.0), None),
        ((90.0, 40.0), None),
        ((89.9, 100.0), "grabber"),
        ((100.0, 39.9), "publisher"),
        ((math.inf, 100.0), None),  # it has done all that it had to do
        ((math.nan, 100.0), "grabber"),
    ],
)
def test_a_thread_is_stuck_when_it_stands_still_for_longer_than_it_may(moved_s, expected):
    """At 100 s, with 10 s for the grabber and 60 s for the publisher."""
    pulses = Pulse("grabber", moved_s[0], 10.0), Pulse("publisher", moved_s[1], 60.0)

    found = stuck(100.0, *pulses)

    assert (found and found.thread) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_time_comes_from_systemd(environ, expected):
    """And only if it is meant for this process."""
    assert allowed_s(environ, pid=7) == expected


@pytest.mark.parametrize("source", ["folder:x", "v4l2:/dev/video0", "rtsp://10.0.0.1/s"])
def test_a_camera_that_keeps_its_deadline_is_not_stuck(source):
    """A read may take it twice, an address may have to be looked up first."""
    camera = CameraConfig(source=source, timeout_ms=60_000)

    assert grabber_limit_s(camera) > 2 * 60 + (30 if source.startswith("rtsp") else 0)


def test_it_speaks_in_time_and_asks_to_be_replaced(systemd):
    """Not at every call; the status is one line, whatever a camera says."""
    watchdog, systemd_waits_s = Watchdog(), 0.2
    began_s = time.monotonic()
    watchdog.pet("all\nWATCHDOG=trigger is well")
    watchdog.pet("again")
    assert told(systemd) == ["WATCHDOG=1", "STATUS=all WATCHDOG=trigger is well"]

    while time.monotonic() < began_s + systemd_waits_s / 2:
        watchdog.pet("", Pulse("grabber", began_s - 100, 10.0))
    trigger, status = told(systemd)
    assert trigger == "WATCHDOG=trigger"
    assert "the grabber has not moved for 100 s, expected 10 s" in status


def test_a_start_with_an_outbox_of_days_asks_for_time(systemd, tmp_path):
    """All of it is read, at 5 MiB/s at least; a small one, and none, need nothing."""
    path = tmp_path / "outbox.db"
    ask_for_time(path)
    for size_bytes in (1 << 20, 10 << 30):
        with path.open("wb") as file:
            file.truncate(size_bytes)
        ask_for_time(path)

    assert told(systemd) == [f"EXTEND_TIMEOUT_USEC={2048 * 1_000_000}"]


def test_without_systemd_it_says_nothing(systemd, monkeypatch):
    """Also where somebody listens who does not wait for us."""
    monkeypatch.delenv("WATCHDOG_USEC")
    Watchdog().pet("")
    systemd.setblocking(False)

    with pytest.raises(BlockingIOError):
        told(systemd)


def test_a_manager_that_is_gone_does_not_stop_the_line(systemd, monkeypatch, caplog):
    """A warning, and life goes on."""
    monkeypatch.setenv("NOTIFY_SOCKET", os.environ["NOTIFY_SOCKET"] + "-gone")

    Watchdog().pet("")

    assert "expected a service manager that listens" in caplog.text


def test_files_that_have_ended_leave_no_stuck_thread():
    """However long the last part takes to judge."""
    grabber = Grabber(ScriptedCamera([], live=False))
    grabber.start()
    assert grabber.stop(2)

    assert stuck(time.monotonic() + 1e6, Pulse("x", grabber.state.last_progress_s, 1.0)) is None


def test_the_daemon_lives_while_its_camera_is_gone_and_when_all_is_judged(
    start, pictures, broker, systemd
):
    """READY first, then signs of life from an endless line without camera and broker."""
    for picture in pictures.iterdir():
        picture.unlink()
    broker.stop()
    daemon = start()

    messages = [told(systemd) for _ in range(4)]
    daemon.terminate()
    rest = told(systemd)
    while rest[0] == "WATCHDOG=1":
        rest = told(systemd)

    assert messages[0][0] == "READY=1"
    assert {first for first, *_ in messages[1:]} == {"WATCHDOG=1"}
    assert "broker away" in messages[-1][1]
    assert rest == ["STOPPING=1"]
    assert daemon.wait(30) == 0


def test_the_daemon_lives_while_it_waits_for_the_broker_with_everything_judged(
    start, broker, systemd
):
    """The grabber has ended by then."""
    broker.stop()
    start(loop=False)

    seen = [told(systemd)]
    until_s = time.monotonic() + 30
    while "camera: ended" not in seen[-1][-1]:
        assert time.monotonic() < until_s
        seen.append(told(systemd))
    seen += [told(systemd) for _ in range(3)]

    assert {first for first, *_ in seen[1:]} == {"WATCHDOG=1"}

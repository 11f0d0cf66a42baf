"""RTSP against a real server: fresh frames, every way to lose it, and healing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import numpy as np
import pytest

from inspector.cameras import Grabber, Part, RtspCamera
from inspector.errors import CameraLost, CameraUnavailable
from inspector.types import Frame
from tests.cameras.conftest import eventually
from tests.support.rtsp import RtspServer

BITS = 24


def drawn_s(frame: Frame) -> float:
    """When the server drew this frame, of the same monotonic clock: the picture tells."""
    height, width = frame.image.shape[:2]
    centres = (np.arange(BITS) + 0.5) * width / BITS
    bars = frame.image[height // 2, centres.astype(int), 1] > 128
    drawn_ms = sum(1 << bit for bit, bar in zip(reversed(range(BITS)), bars, strict=True) if bar)
    now_ms = time.monotonic_ns() // 1_000_000
    return (now_ms - (now_ms - drawn_ms) % (1 << BITS)) / 1000


def age_s(part: Part | None) -> float:
    assert isinstance(part, Frame)
    return time.monotonic() - drawn_s(part)


def read_on(camera: RtspCamera) -> NoReturn:
    while True:
        camera.read()


@pytest.fixture
def camera(rtsp_server: RtspServer) -> Iterator[RtspCamera]:
    camera = RtspCamera(rtsp_server.url, timeout_s=1.0)
    yield camera
    camera.close()


def test_frames_are_fresh_from_the_first_on(camera: RtspCamera) -> None:
    """No frame after opening is an old one out of a buffer, and each has a name of its own."""
    camera.open()
    sources = set()
    for _ in range(25):
        part = camera.read()
        assert age_s(part) < 0.3
        assert isinstance(part, Frame)
        assert part.image.shape == (240, 384, 3)
        sources.add(part.source)
    assert sources == {f"{camera.name}#{number}" for number in range(1, 26)}


def test_a_killed_server_is_noticed_and_healed(
    rtsp_server: RtspServer, record_property: Callable[[str, object], None]
) -> None:
    """Lost within 2 s, and frames again soon after it is back, in the same process."""
    grabber = Grabber(RtspCamera(rtsp_server.url))
    grabber.start()
    try:
        assert isinstance(grabber.take(5), Frame)
        rtsp_server.kill()
        lost_s = eventually(lambda: not grabber.state.online, 2.0)
        assert grabber.take(0) is None
        eventually(lambda: "Connection refused" in grabber.state.detail)
        rtsp_server.start()
        healed_s = eventually(lambda: grabber.state.online, 10.0)
        assert age_s(grabber.take(1)) < 0.3
        assert grabber.state.reconnects == 1
        record_property("lost_s", lost_s)
        record_property("healed_s", healed_s)
    finally:
        assert grabber.stop(5)


def test_a_server_that_falls_silent_is_lost(camera: RtspCamera, rtsp_server: RtspServer) -> None:
    """A connection that stays open and gives nothing ends with the read timeout."""
    camera.open()
    assert isinstance(camera.read(), Frame)
    rtsp_server.freeze()
    begun = time.monotonic()
    with pytest.raises(CameraLost, match="expected a frame within 1 s, found none"):
        read_on(camera)
    assert 0.9 < time.monotonic() - begun < 2.0


def test_the_last_frame_of_a_stream_keeps_its_age(
    camera: RtspCamera, rtsp_server: RtspServer
) -> None:
    """What FFmpeg held back until the connection ended is not stamped as if it were new."""
    camera.open()
    camera.read()
    time.sleep(0.06)  # one more frame is on its way, as a whole
    rtsp_server.freeze()
    killer = threading.Timer(0.6, rtsp_server.kill)
    killer.start()
    stamps_late_s = []
    with pytest.raises(CameraLost):  # noqa: PT012
        while True:
            part = camera.read()
            assert isinstance(part, Frame)
            stamps_late_s.append(part.grabbed_s - drawn_s(part))
    killer.join()
    assert max(stamps_late_s) < 0.2


def test_a_frozen_server_does_not_hang_the_opening(
    camera: RtspCamera, rtsp_server: RtspServer
) -> None:
    """The kernel still accepts the connection, nobody answers, and the deadline ends it."""
    rtsp_server.freeze()
    begun = time.monotonic()
    with pytest.raises(CameraUnavailable, match="expected a stream within 1 s, found none"):
        camera.open()
    assert time.monotonic() - begun < 2.0


def test_a_port_where_nobody_listens_is_unavailable() -> None:
    """Refused at once, with the address and the reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        camera = RtspCamera(f"rtsp://127.0.0.1:{port}/line1", timeout_s=1.0)
        begun = time.monotonic()
        with pytest.raises(CameraUnavailable, match=f":{port}/line1: .* Connection refused"):
            camera.open()
        assert time.monotonic() - begun < 1.0


def test_a_wrong_path_is_unavailable(rtsp_server: RtspServer) -> None:
    """The server is there and has no such stream."""
    with pytest.raises(CameraUnavailable, match="it refused: wrong path"):
        RtspCamera(rtsp_server.url + "x", timeout_s=1.0).open()


@pytest.mark.parametrize("url", ["rtsp://", "rtsp://cam:port/x", "rtsp://u:s3cr/t@cam/x"])
def test_an_address_that_is_none_is_unavailable(url: str) -> None:
    """It is told as such, and still without the password."""
    with pytest.raises(CameraUnavailable) as error:
        RtspCamera(url, timeout_s=0.2).open()
    assert "s3cr" not in str(error.value)


def test_a_password_is_used_and_never_shown(
    rtsp_server: RtspServer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in names, errors and logs nor in what the libraries write to the terminal."""
    caplog.set_level(0)
    rtsp_server.kill()
    rtsp_server.start("operator", "s3cret")
    right = RtspCamera(f"rtsp://operator:s3cret@127.0.0.1:{rtsp_server.port}/line1", timeout_s=1.0)
    right.open()
    part = right.read()
    assert isinstance(part, Frame)
    assert part.source == f"{rtsp_server.url}#1"
    texts = [repr(right), right.name]
    wrong = RtspCamera(right._url.replace("s3cret", "s3cre7"), timeout_s=1.0)
    with pytest.raises(CameraUnavailable, match="wrong path, user or password") as refused:
        wrong.open()
    rtsp_server.kill()
    with pytest.raises(CameraLost) as lost:
        read_on(right)
    right.close()
    with pytest.raises(CameraUnavailable) as gone:
        right.open()
    texts += [
        str(refused.value),
        str(lost.value),
        str(gone.value),
        caplog.text,
        *capfd.readouterr(),
    ]
    for secret in ("s3cre", "operator"):
        assert not [text for text in texts if secret in text]

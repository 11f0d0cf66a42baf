"""The whole daemon as a process, with a real broker."""

import contextlib
import json
import shutil
import signal
import socket
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator

from inspector import lines
from inspector.broker import Broker
from inspector.daemon import Line
from inspector.errors import InferenceError
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.publish import message
from inspector.publish.message import ModelInfo
from inspector.record.outbox import Outbox
from inspector.segment import bundle
from inspector.segment.manifest import Golden
from inspector.segment.runtime import FakeRuntime, Outputs
from inspector.segment.segmenter import Segmenter
from inspector.types import Reason, Rule, Unseen
from tests.support.bundles import manifest_of
from tests.support.daemon import Start
from tests.support.listener import Listener
from tests.support.rtsp import RtspServer
from tests.test_cli import run
from tests.test_daemon_parts import FRAME, noise

SLACK_S = 1.0
"""For a machine that runs other tests beside this one."""
SCHEMA = Path(message.__file__).parent / "schemas" / "result.json"


def test_one_result_per_picture_reaches_a_subscriber(start: Start, listener: Listener) -> None:
    """The daemon ends with 0 when all is judged and delivered; status, birth and count are told."""
    daemon = start()

    assert daemon.wait(30) == 0, daemon.stderr.read()
    listener.wait(lambda heard: heard.on("status")[-1:] == [offline(heard, "stopped")])
    results = listener.on("result")
    for result in results:
        Draft202012Validator(json.loads(SCHEMA.read_text())).validate(result)
    assert [(Path(r["source"]).name, r["verdict"]) for r in results] == [
        ("bad.png", "fail"),
        ("good.png", "pass"),
        ("torn.jpg", "unknown"),
    ]
    assert [r["seq"] for r in results] == [1, 2, 3]
    assert listener.on("status")[0]["online"] is True
    assert listener.on("status")[-2]["state"] == "finished"
    assert "camera_lost" not in [status.get("state") for status in listener.on("status")]
    assert listener.on("alarm/camera") == [None]
    assert listener.on("birth")[0]["limits"] == {"min_scratch_px": 40}
    assert listener.on("count")[-1]["since_start"] == {
        "parts": 3,
        "pass": 1,
        "fail": 1,
        "unknown": 1,
    }


def offline(heard: Listener, reason: str) -> dict[str, object]:
    return {"online": False, "session": heard.on("birth")[0]["session"], "reason": reason}


def test_a_killed_daemon_leaves_its_will(start: Start, listener: Listener) -> None:
    """The broker says `lost` for a daemon that cannot say anything any more."""
    daemon = start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 3)

    daemon.kill()

    listener.wait(lambda heard: heard.on("status")[-1] == offline(heard, "lost"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_cleanly(
    start: Start, listener: Listener, tmp_path: Path, number: int
) -> None:
    """The part in work is finished, everything is delivered, the status says `stopped`."""
    daemon = start(loop=True, every_ms=50)
    listener.wait(lambda heard: len(heard.on("result")) >= 3)

    daemon.send_signal(number)

    assert daemon.wait(10) == 0, daemon.stderr.read()
    listener.wait(lambda heard: heard.on("status")[-1] == offline(heard, "stopped"))
    states = [status["state"] for status in listener.on("status") if status["online"]]
    assert states[-1] == "stopping"
    assert "finished" not in states
    state = tmp_path / "state" / "line1"
    assert not (state / "outbox.db-wal").exists()
    with sqlite3.connect(state / "outbox.db") as outbox:
        rows = outbox.execute("SELECT id, acked_at IS NULL FROM outbox ORDER BY seq").fetchall()
    outbox.close()
    assert [name for name, _ in rows] == [result["id"] for result in listener.on("result")]
    assert not any(waiting for _, waiting in rows)


def told(channel: socket.socket) -> bytes:
    """What has come and was not read."""
    channel.settimeout(0.1)
    said = b""
    with contextlib.suppress(TimeoutError):
        while True:
            said += channel.recv(4096)
    return said


def test_a_model_that_fails_its_self_test_is_never_ready(
    start: Start, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its golden picture shows a scratch that it does not find. systemd hears nothing but the end;
    of a sound one it hears READY.
    """
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        sound = start(loop=True, every_ms=50)
        while b"READY=1" not in heard.recv(4096):
            pass
        sound.kill()
        sound.wait()

        made = bundle.load(Path(shutil.copytree(model, tmp_path / "blind")))
        labels = np.zeros(made.golden()[0].shape[:2], np.uint8)
        labels[10:14, 10:60] = 1
        cv2.imwrite(str(made.root / "golden-labels.png"), labels)
        fields = made.manifest.model_dump(exclude={"files"})
        bundle.write(made.root, **fields | {"golden": Golden(confidences=(0.9,))})
        path = tmp_path / "line.yaml"
        line = yaml.safe_load(path.read_text()) | {"model": {"bundle": str(made.root)}}
        path.write_text(yaml.safe_dump(line))
        told(heard)

        done = run("run", cwd=tmp_path)
        assert done.returncode == 65
        assert "expected golden detection 1" in done.stderr
        assert b"READY=1" not in told(heard)


def test_a_damaged_outbox_is_an_alarm_until_somebody_takes_it_away(
    start: Start, listener: Listener, tmp_path: Path
) -> None:
    """Also after the next start; the line goes on with an empty one."""
    state = tmp_path / "state" / "line1"
    state.mkdir(parents=True)
    (state / "outbox.db").write_bytes(b"no database" * 1000)
    for begun in (1, 2):
        daemon = start(loop=True, every_ms=50)
        listener.wait(lambda heard, n=begun: len(heard.on("birth")) == n)
        listener.wait(lambda heard: heard.on("result"))
        listener.wait(
            lambda heard: "outbox.db.corrupt-1" in heard.on("alarm/outbox_damaged")[-1]["text"]
        )
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(10) == 0, daemon.stderr.read()
    assert (state / "outbox.db.corrupt-1").read_bytes() == b"no database" * 1000

    (state / "outbox.db.corrupt-1").rename(tmp_path / "looked at")
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: heard.on("alarm/outbox_damaged")[-1] is None)


def test_another_size_than_the_calibrated_one_is_an_alarm(
    start: Start, listener: Listener, pictures: Path
) -> None:
    """Each part is unknown, and somebody is told why the gate rejects all of them."""
    (pictures / "torn.jpg").unlink()
    height, width = cv2.imread(str(pictures / "good.png")).shape[:2]
    small = np.zeros((height // 2, width // 2, 3), np.uint8)
    start(loop=True, every_ms=50, size=[width, height])
    listener.wait(lambda heard: heard.on("result"))
    assert not any(heard for heard in listener.on("alarm/frame_size"))

    for path in pictures.iterdir():
        cv2.imwrite(str(path), small)
    listener.wait(lambda heard: any(heard.on("alarm/frame_size")))

    text = listener.on("alarm/frame_size")[-1]["text"]
    assert f"expected {width} × {height}, found {width // 2} × {height // 2}" in text
    listener.wait(lambda heard: heard.on("result")[-1]["verdict"] == "unknown")
    for path in pictures.iterdir():
        cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    listener.wait(lambda heard: heard.on("alarm/frame_size")[-1] is None)


def test_a_broker_that_refuses_results_is_no_good_end(
    start: Start, listener: Listener, broker: Broker, tmp_path: Path
) -> None:
    """69 and a sentence; those of an earlier run, refused again, let a later one end well."""
    if broker.mqtt_version != 5:
        pytest.skip("needs MQTT 5: no mosquitto is installed")
    acl = tmp_path / "acl"
    acl.write_text("topic write inspector/v1/plant-a/line1/status\ntopic read #\n")
    with Broker.start("mosquitto", extra=[f"acl_file {acl}"]) as strict:
        first = start(mqtt={"port": strict.port})
        assert first.wait(30) == 69
    said = first.stderr.read()
    assert "expected it to take all results of this run, found 3 refused" in said
    assert "Traceback" not in said

    state = tmp_path / "state" / "line1"
    with closing(sqlite3.connect(state / "outbox.db")) as outbox:
        outbox.execute("UPDATE outbox SET topic = 'inspector/v1/plant-a/line1/other'")
        outbox.commit()
    acl.write_text("topic write inspector/v1/plant-a/line1/result\ntopic read #\n")
    with Broker.start("mosquitto", extra=[f"acl_file {acl}"]) as mended:
        second = start(mqtt={"port": mended.port})
        assert second.wait(30) == 0, second.stderr.read()
    told = json.loads(run("outbox", "--json", cwd=tmp_path).stdout)
    assert (told["parked"], told["acknowledged"]) == (3, 3)


class Broken(FakeRuntime):
    """Finds nothing, or fails while it is told to."""

    fails = False

    def infer(self, tile: np.ndarray) -> Outputs:
        if self.fails:
            raise InferenceError("broken")
        return super().infer(tile)


def test_a_model_that_fails_is_an_alarm_until_it_judges_again(tmp_path: Path) -> None:
    """A part that it was not asked about says nothing of it; the alarm is raised once."""
    path = tmp_path / "line.yaml"
    path.write_text("site: a\nline: b\ncamera: {source: 'folder:x'}\nevidence: null\n")
    manifest = manifest_of()
    runtime = Broken(FakeRuntime.none(manifest))
    inspector = Inspector(Segmenter(manifest, runtime), Limits())
    info = ModelInfo(name="m", sha256="0" * 64, runtime=runtime.name)
    fresh, unseen = (replace(FRAME, image=noise(1)), Unseen("x", Reason(Rule.NO_FRAME), "gone"))
    dark = replace(FRAME, image=np.zeros_like(fresh.image))
    with closing(Outbox(tmp_path / "outbox.db")) as outbox:
        line = Line(lines.read(path).config, inspector, info, outbox)
        raised = []
        for fails, part in (
            (False, fresh),
            (True, fresh),
            (True, fresh),
            (False, unseen),
            (False, dark),
            (False, fresh),
        ):
            runtime.fails = fails
            line.judge(part)
            raised.append([(a.code, a.text, a.since) for a in line.publisher.alarms])
        line.publisher.stop(0.0)
    assert [[code for code, *_ in alarms] for alarms in raised] == ([[]] + [["model"]] * 4 + [[]])
    assert raised[1] == raised[2]
    assert raised[1][0][1] == "m on fake/none/f32: model_error: no part is judged"


def test_pictures_of_a_few_pixels_are_an_alarm(
    start: Start, listener: Listener, pictures: Path
) -> None:
    """It says how large they have to be, on a line that takes any size."""
    for path in pictures.iterdir():
        cv2.imwrite(str(path), np.full((8, 300, 3), 90, np.uint8))
    start(loop=True, every_ms=50)
    listener.wait(lambda heard: any(heard.on("alarm/frame_size")))

    assert "expected at least 16 px, found 8" in listener.on("alarm/frame_size")[-1]["text"]


def test_nothing_is_lost_over_a_kill(start: Start, listener: Listener, tmp_path: Path) -> None:
    """What was recorded before a kill -9 is delivered after it, each id once, without a gap."""
    for wanted in (3, 8):
        daemon = start(loop=True, every_ms=20)
        listener.wait(lambda heard, n=wanted: len(heard.on("result")) >= n)
        daemon.kill()
        daemon.wait()
    assert start().wait(30) == 0

    with sqlite3.connect(tmp_path / "state" / "line1" / "outbox.db") as outbox:
        recorded = [row[0] for row in outbox.execute("SELECT id FROM outbox ORDER BY seq")]
    outbox.close()
    listener.wait(lambda heard: {r["id"] for r in heard.on("result")} >= set(recorded))
    assert sorted({r["seq"] for r in listener.on("result")}) == list(range(1, len(recorded) + 1))


def test_a_camera_that_is_not_there_is_told(
    start: Start, listener: Listener, pictures: Path
) -> None:
    """Alarm, state and an unknown part; when the folder comes back the line heals by itself."""
    away = pictures.rename(pictures.with_name("away"))
    start(loop=True, every_ms=50, timeout_ms=300)

    listener.wait(lambda heard: heard.on("result"))
    assert listener.on("result")[0]["reasons"][0]["rule"] == "no_frame"
    listener.wait(lambda heard: heard.on("alarm/camera")[-1:] != [None])
    listener.wait(lambda heard: heard.on("status")[-1]["state"] == "camera_lost")
    away.rename(pictures)
    listener.wait(lambda heard: {"pass", "fail"} <= {r["verdict"] for r in heard.on("result")})
    listener.wait(lambda heard: heard.on("alarm/camera")[-1] is None)
    listener.wait(lambda heard: heard.on("status")[-1]["state"] == "running")


def test_a_network_camera_that_dies_and_comes_back(
    start: Start, listener: Listener, rtsp_server: RtspServer
) -> None:
    """Verdicts from its frames; noticed within 2 s when it is gone; healed without a restart."""
    start(source=rtsp_server.url)
    # Bars of plain white and black: nothing that could be judged is wrong with them but the burn.
    listener.wait(lambda heard: len(heard.on("result")) >= 3)
    first = listener.on("result")[-1]
    assert first["image"] == {"width": 384, "height": 240}
    assert first["source"].startswith(rtsp_server.url)

    rtsp_server.kill()
    pulled_s = time.monotonic()
    listener.wait(lambda heard: heard.on("alarm/camera")[-1:] not in ([], [None]))
    listener.wait(lambda heard: reason(heard.on("result")[-1]) == "no_frame")
    listener.wait(lambda heard: heard.on("status")[-1]["state"] == "camera_lost")
    assert time.monotonic() - pulled_s < 2.0 + SLACK_S
    assert listener.on("result")[-1]["verdict"] == "unknown"

    rtsp_server.start()
    listener.wait(lambda heard: reason(heard.on("result")[-1]) != "no_frame")
    listener.wait(lambda heard: heard.on("alarm/camera")[-1] is None)
    listener.wait(lambda heard: heard.on("status")[-1]["state"] == "running")


def reason(result: dict[str, Any]) -> str | None:
    return result["reasons"][0]["rule"] if result["reasons"] else None

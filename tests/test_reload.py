"""What a running line takes over from its file, and what it names instead."""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest
import yaml

from inspector import lines
from inspector.calibration import Calibrated, History
from inspector.reload import Reload
from tests.support.daemon import Start
from tests.support.listener import Listener
from tests.test_calibration import T0

LINE = {
    "site": "a",
    "line": "b",
    "camera": {"source": "folder:x", "size": [100, 100]},
    "limits": {"min_scratch_px": 40},
}
ZONE = {"name": "z", "polygon": [[0, 0], [90, 0], [90, 90]], "limits": {"min_scratch_px": 9}}


class Running:
    """A line that was started with `LINE`: what it judges by now, and the alarms that stand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "line.yaml"
        self.write(LINE)
        self.taken: list[object] = []
        self.alarms: dict[str, str] = {"configuration": "of an earlier session"}
        self._asked = threading.Event()
        told = lines.read(self.path)
        self._reload = Reload(told, take_over=self.taken.append, alarm=self._hear)
        self._reload.tend(self._asked)

    def _hear(self, code: str, text: str | None) -> None:
        self.alarms.pop(code, None)
        if text is not None:
            self.alarms[code] = text

    def write(self, line: dict[str, object] | str) -> None:
        self.path.write_text(line if isinstance(line, str) else yaml.safe_dump(line))

    def calibrate(self, px: float) -> None:
        history = lines.read_history(self.path)
        made = history.set(Calibrated(min_scratch_px=px), by="eve", time=T0)
        lines.write_history(self.path, made)
        self.tend()

    def tend(self) -> None:
        self._reload.tend(self._asked)

    def reload(self, **change: object) -> None:
        self.write({**LINE, **change})
        self.hang_up()

    def hang_up(self) -> None:
        self._asked.set()
        self.tend()
        assert not self._asked.is_set()


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path)


def test_a_start_takes_nothing_over(running: Running) -> None:
    """It has been read already; alarms of an earlier session are over."""
    assert (running.taken, running.alarms) == ([], {})


def test_limits_zones_and_scale_are_taken_over(running: Running) -> None:
    """All of them, and nothing needs a new start."""
    running.reload(limits={"min_scratch_mm": 2, "zones": [ZONE]}, scale={"mm_per_px": 0.1})

    (config,) = running.taken
    assert config.limits.min_scratch_mm == 2
    assert [zone.name for zone in config.limits.zones] == ["z"]
    assert config.scale.mm_per_px == 0.1
    assert running.alarms == {}


def test_the_file_is_read_only_when_asked(running: Running) -> None:
    """Somebody may be in the middle of editing it."""
    running.write({**LINE, "limits": {"min_scratch_px": 9}})
    running._reload.tend(threading.Event())

    assert running.taken == []


def test_what_needs_a_new_start_is_named(running: Running) -> None:
    """Key by key, while the rest is taken over; until the file is as it was at the start."""
    mqtt = {"port": 1884}
    running.reload(line="c", mqtt=mqtt, state_dir="s", limits={"min_scratch_px": 50})

    assert running.alarms == {
        "restart_needed": "from the next start on: line, mqtt.port, state_dir"
    }
    assert [config.limits.min_scratch_px for config in running.taken] == [50]
    assert running.taken[0].line == "b"
    running.reload(mqtt=mqtt, state_dir="state/b")
    assert running.alarms == {"restart_needed": "from the next start on: mqtt.port"}
    running.reload()
    assert running.alarms == {}


def test_zones_for_a_new_camera_wait_for_it(running: Running) -> None:
    """They would lie beyond the frames of the one that runs."""
    zone = {**ZONE, "polygon": [[0, 0], [190, 0], [190, 190]]}
    running.reload(
        camera={**LINE["camera"], "size": [200, 200]},
        limits={"min_scratch_px": 50, "zones": [zone]},
    )

    assert running.taken == []
    assert running.alarms == {
        "restart_needed": "from the next start on: camera.size, scale, sight, limits"
    }


def test_classes_of_a_new_model_wait_for_it(running: Running) -> None:
    """The one that runs has none of that name; a file without them is taken over."""
    model, dent = {"bundle": "dents"}, {"name": "dent", "limits": {"min_scratch_px": 30}}
    running.reload(model=model, limits={"min_scratch_px": 50, "classes": [dent]})

    assert running.taken == []
    assert running.alarms == {
        "restart_needed": "from the next start on: model.bundle, scale, sight, limits"
    }
    running.reload(model=model, limits={"min_scratch_px": 50})
    assert [config.limits.min_scratch_px for config in running.taken] == [50]
    assert running.alarms == {"restart_needed": "from the next start on: model.bundle"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site: a\nline: b\ncamera: {source: 'folder:x'}\nlimits: {min_scratch_px: -1}\n", ":4: "),
        ("site: [", "line.yaml"),
        (None, "No such file"),
    ],
    ids=["refused", "torn", "gone"],
)
def test_a_bad_file_changes_nothing(running: Running, text: str | None, message: str) -> None:
    """It is an alarm with the sentence that a start would end with; a good one clears it."""
    running.reload(limits={"min_scratch_px": 50})
    if text is None:
        running.path.unlink()
    else:
        running.write(text)
    running.hang_up()

    assert [config.limits.min_scratch_px for config in running.taken] == [50]
    assert running.alarms.keys() == {"configuration"}
    assert message in running.alarms["configuration"]
    running.reload(limits={"min_scratch_px": 60})
    assert [config.limits.min_scratch_px for config in running.taken] == [50, 60]
    assert running.alarms == {}


def test_a_file_that_became_a_link_to_itself_changes_nothing(running: Running) -> None:
    """The line goes on, with its calibrations, and says what is wrong."""
    running.calibrate(70)
    running.path.unlink()
    running.path.symlink_to(running.path)
    running.tend()
    running.hang_up()

    assert [config.limits.min_scratch_px for config in running.taken] == [70]
    assert "symbolic links" in running.alarms["configuration"]
    running.path.unlink()
    running.reload()
    assert running.alarms == {}


def test_calibrations_stay_above_the_file(running: Running) -> None:
    """Whichever of the two changes; undo goes back to what the file says now."""
    running.calibrate(70)
    running.reload(limits={"min_scratch_px": 50, "min_scratch_count": 3})
    lines.write_history(running.path, lines.read_history(running.path).undo(by="eve", time=T0))
    running.tend()

    assert [
        (config.limits.min_scratch_px, config.limits.min_scratch_count) for config in running.taken
    ] == [(70, None), (70, 3), (50, 3)]


@pytest.mark.parametrize("damage", ["emptied", "removed", "torn", "dangling", "begun anew"])
def test_records_that_are_gone_change_nothing(running: Running, damage: str) -> None:
    """Whoever empties the file has not calibrated: scale and limit stay, and somebody is told."""
    running.calibrate(70)
    beside = lines.history_of(running.path)
    whole = beside.read_text()
    beside.unlink()
    match damage:
        case "emptied":
            beside.write_text("")
        case "torn":
            beside.write_text(whole[:50])
        case "dangling":
            beside.symlink_to("nowhere")
        case "begun anew":
            other = History().set(Calibrated(min_scratch_px=90), by="eve", time=T0)
            lines.write_history(running.path, other)
    running.tend()

    assert [config.limits.min_scratch_px for config in running.taken] == [70]
    assert str(beside) in running.alarms["calibration"]

    beside.unlink(missing_ok=True)
    beside.write_text(whole)
    running.calibrate(80)
    assert [config.limits.min_scratch_px for config in running.taken] == [70, 80]
    assert running.alarms == {}


def test_a_file_that_contradicts_the_calibration_is_refused(running: Running) -> None:
    """As a start would refuse it; what is in force stays, for later calibrations too."""
    running.calibrate(2)
    running.reload(limits={"min_scratch_px": 50, "guard": {"px": 3}})

    assert "guard band" in running.alarms["configuration"]
    running.calibrate(5)
    assert [config.limits.min_scratch_px for config in running.taken] == [2, 5]
    assert all(config.limits.guard is None for config in running.taken)


def test_a_calibration_between_reading_and_running_is_not_missed(tmp_path: Path) -> None:
    """Loading the model takes a while."""
    path = tmp_path / "line.yaml"
    path.write_text(yaml.safe_dump(LINE))
    told = lines.read(path)
    history = History().set(Calibrated(min_scratch_px=70), by="eve", time=T0)
    lines.write_history(path, history)
    taken: list[object] = []

    Reload(told, take_over=taken.append, alarm=lambda *_: None).tend(threading.Event())

    assert [config.limits.min_scratch_px for config in taken] == [70]


def test_systemd_hears_of_it(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """RELOADING with the moment, then READY, also after a bad file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(1)
        manager.bind(f"\0inspector-tests-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@inspector-tests-{os.getpid()}")
        for text in (yaml.safe_dump(LINE), "site: ["):
            running.write(text)
            running.hang_up()
            first, second = manager.recv(999).decode(), manager.recv(999).decode()
            assert first.startswith("RELOADING=1\nMONOTONIC_USEC=")
            assert int(first.rpartition("=")[2]) > 0
            assert second.splitlines()[0] == "READY=1"


def test_a_running_daemon_takes_its_file_over(
    start: Start, listener: Listener, tmp_path: Path
) -> None:
    """SIGHUP: the next parts are judged by it, and `birth` says so; a bad file is an alarm."""
    daemon = start(loop=True, every_ms=50)
    path = tmp_path / "line.yaml"
    line = yaml.safe_load(path.read_text())
    listener.wait(lambda heard: len(heard.on("result")) >= 3)

    def reload(**change: object) -> None:
        path.write_text(yaml.safe_dump({**line, **change}))
        daemon.send_signal(signal.SIGHUP)

    reload(limits={"min_scratch_px": 300}, site="plant-b")
    listener.wait(lambda heard: heard.on("result")[-1]["limits"] == {"min_scratch_px": 300})
    listener.wait(lambda heard: heard.on("birth")[-1]["limits"] == {"min_scratch_px": 300})
    listener.wait(lambda heard: alarm(heard, "restart_needed") == "from the next start on: site")
    reload(limits={"min_scratch_px": -1})
    listener.wait(lambda heard: "limits.min_scratch_px" in (alarm(heard, "configuration") or ""))
    seen = len(listener.on("result"))
    listener.wait(lambda heard: len(heard.on("result")) > seen + 3)
    assert listener.on("result")[-1]["limits"] == {"min_scratch_px": 300}
    # Only the model shows that this class has no part in it.
    reload(limits={"classes": [{"name": "dent", "limits": "none"}]})
    listener.wait(lambda heard: "found dent" in (alarm(heard, "configuration") or ""))
    assert listener.on("result")[-1]["limits"] == {"min_scratch_px": 300}
    classes = [{"name": "scratch", "limits": {"min_scratch_px": 70}}]
    reload(limits={"classes": classes})
    listener.wait(lambda heard: heard.on("result")[-1]["limits"].get("classes") == classes)
    reload()
    listener.wait(lambda heard: heard.on("result")[-1]["limits"] == {"min_scratch_px": 40})
    listener.wait(lambda heard: alarm(heard, "configuration") is None)
    listener.wait(lambda heard: alarm(heard, "restart_needed") is None)
    assert {birth["session"] for birth in listener.on("birth")} == {1}


def alarm(heard: Listener, code: str) -> str | None:
    last = heard.on(f"alarm/{code}")[-1:]
    return last[0]["text"] if last and last[0] else None

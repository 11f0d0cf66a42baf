"""What the doctor finds on a PC that is ready, and on one that is not."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
import trustme
import yaml

from inspector import doctor, lines
from inspector.config import CameraConfig
from inspector.doctor import certificates, machine, parts, pc
from inspector.doctor.finding import Finding, Status
from inspector.doctor.network import expiry
from inspector.errors import CameraLost
from inspector.record import database

SECRET = "swordfish-4711"
NOW = datetime(2027, 3, 1, tzinfo=UTC)
needs_other_user = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")


@pytest.fixture
def line(tmp_path, pictures, model, broker):
    """Writes the line of a PC that is ready, with changes, and examines it."""
    (pictures / "torn.jpg").unlink()

    def examine(**changes):
        mqtt = {"port": broker.port, "version": broker.mqtt_version}
        settings = {
            "site": "plant-a",
            "line": "line1",
            "camera": {"source": f"folder:{pictures}"},
            "model": {"bundle": str(model)},
            "mqtt": mqtt | changes.pop("mqtt", {}),
            "state_dir": str(tmp_path / "state"),
            "page": None,
        }
        path = tmp_path / "line.yaml"
        path.write_text(yaml.safe_dump(settings | changes))
        return {finding.check: finding for finding in doctor.examine(path)}

    return examine


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", "inspector", "doctor", *map(str, args)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_pc_that_is_ready(line, tmp_path):
    """Nothing bad, exit 0, one row per check; nothing is left behind."""
    found = line()

    assert [f for f in found.values() if f.status is Status.BAD] == []
    done = run("--config", tmp_path / "line.yaml")
    assert done.returncode == 0, done.stdout
    assert [row.split()[1] for row in done.stdout.splitlines()] == list(found)
    assert not (tmp_path / "state").exists()


def test_a_pc_that_is_not(line, tmp_path):
    """Exit 69; each row that is not ok has advice; as JSON too."""
    line(camera={"source": f"folder:{tmp_path}/none"}, mqtt={"port": 1})

    done = run("--config", tmp_path / "line.yaml", "--json")
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert done.returncode == 69
    assert {row["check"] for row in rows if row["status"] == "bad"} == {"camera", "broker"}
    assert all(row["advice"] for row in rows if row["status"] != "ok")
    assert all(set(row) == {"check", "status", "found", "advice"} for row in rows)


def test_a_port_that_somebody_else_has(line, tmp_path):
    """Bad, unless this line itself is running; an address that is not ours is bad as well."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        page = {"listen": f"127.0.0.1:{other.getsockname()[1]}"}
        taken = line(page=page)["page"]
        assert (taken.status, "ss -ltnp" in taken.advice) == (Status.BAD, True), taken

        (tmp_path / "state").mkdir()
        held = database.hold(tmp_path / "state" / "outbox.db")
        assert line(page=page)["page"].status is Status.OK
        os.close(held)
        assert line(page=page)["page"].status is Status.BAD

    free = line(page=page, metrics={"listen": "192.0.2.1:9100"})
    assert free["page"].status is Status.OK
    assert (free["metrics"].status, "192.0.2.1" in free["metrics"].found) == (Status.BAD, True)


def test_a_wrong_configuration(line, tmp_path):
    """Exit 78; what does not depend on it is still examined."""
    found = line(limits={"min_scratch_px": -1})

    assert found["configuration"].status is Status.BAD
    assert "limits.min_scratch_px" in found["configuration"].found
    assert list(found) == ["processor", "clock", "configuration"]
    assert run("--config", tmp_path / "line.yaml").returncode == 78


@pytest.mark.parametrize(
    ("camera", "status", "told"),
    [
        ({"size": [400, 400]}, Status.OK, "400 × 400"),
        ({"size": [640, 480]}, Status.BAD, "400 × 400"),
        ({"roi": [0, 0, 401, 10]}, Status.BAD, "400 × 400"),
    ],
)
def test_the_frame_is_held_against_what_the_line_expects(line, pictures, camera, status, told):
    """Its size, and the region that is judged."""
    found = line(camera={"source": f"folder:{pictures}", **camera})["camera"]

    assert (found.status, told in found.found) == (status, True), found


@pytest.mark.parametrize(("size", "status"), [((400, 400), Status.OK), ((400, 399), Status.BAD)])
def test_the_frame_is_held_against_the_size_of_the_scale(line, size, status):
    """A scale holds for the frames that it was measured on: of others every part is unknown."""
    found = line(scale={"mm_per_px": 0.05, "size": list(size)})["camera"]

    assert found.status is status, found
    assert (f"expected {size}" in found.advice) is (status is Status.BAD)


def test_a_frame_of_a_few_pixels_is_bad(line, pictures):
    """Whatever size the line expects, on such a one no part can be judged."""
    for path in pictures.iterdir():
        cv2.imwrite(str(path), np.zeros((400, 4, 3), np.uint8))

    found = line()["camera"]

    assert (found.status, "a larger one" in found.advice) == (Status.BAD, True), found


def test_a_line_without_a_window_of_sharpness_is_a_warning(line):
    """Its blurred parts pass, until it has learned how sharp its pictures are."""
    bare = line()["sight"]
    assert (bare.status, "blurred parts pass" in bare.found) == (Status.WARN, True)
    assert "calibrate --sight" in bare.advice

    assert line(sight={"min_sharpness": 0.3})["sight"].status is Status.OK


def test_a_dark_picture_is_a_warning(line, pictures):
    """The lens cap is on, or the light is off."""
    for path in pictures.iterdir():
        cv2.imwrite(str(path), np.zeros((400, 400, 3), np.uint8))

    found = line()["camera"]

    assert (found.status, "too_dark" in found.found) == (Status.WARN, True)


def test_a_driver_that_hangs_does_not_hang_the_doctor(monkeypatch):
    """It has the time that the daemon gives it."""
    never = threading.Event()

    class Hanging:
        live = True

        def open(self):
            never.wait()

        def close(self):
            pass

    with pytest.raises(CameraLost, match=r"within 0\.1 s"):
        parts._first(Hanging(), 0.1)
    never.set()


def test_a_device_that_may_not_be_used(line):
    """Its rights and its group are told; without it, where to look for names."""
    gone = line(camera={"source": "v4l2:/dev/v4l/by-id/none"})
    assert (gone["device"].status, gone["camera"].status) == (Status.BAD, Status.BAD)
    assert "by-id" in gone["device"].advice


@needs_other_user
def test_root_examines_as_the_user_that_will_run_the_line(tmp_path):
    """Once it has become somebody else, it finds what root would not have noticed."""
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "password").touch(mode=0o640)
    program = f"""
from pathlib import Path
from inspector import config
from inspector.doctor import machine, pc
line = config.parse("{{site: a, line: b, camera: {{source: 'folder:x'}}, state_dir: state, "
                    "mqtt: {{password_file: password}}}}", path=Path("{tmp_path}/line.yaml"))
print([*pc.state(line)][0].status, *(f.status for f in pc.secrets(line, Path("x"))))
for folder in Path("{tmp_path}").parents:
    folder.chmod(folder.stat().st_mode | 0o1) if "pytest" in str(folder) else None
Path("{tmp_path}").chmod(0o755)
assert machine.become("nobody")
print([*pc.state(line)][0].status, *(f.status for f in pc.secrets(line, Path("x"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == ["ok", "ok", "bad", "bad"], done.stderr


def test_the_broker_is_asked_for_what_the_line_needs(line, tmp_path):
    """A password that it does not know is bad, and never shown."""
    secret = tmp_path / "password"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    found = line(mqtt={"username": "line1", "password_file": str(secret)})

    assert found["secret"].status is Status.BAD
    assert "everybody" in found["secret"].found
    secret.chmod(0o640)
    done = run("--config", tmp_path / "line.yaml", "--json")
    assert SECRET not in done.stdout + done.stderr
    assert '"secret", "status": "ok"' in done.stdout


def test_an_address_with_a_password_makes_the_file_a_secret(line, tmp_path):
    """And the doctor tells neither."""
    source = f"rtsp://admin:{SECRET}@127.0.0.1:1/stream"
    found = line(camera={"source": source, "timeout_ms": 200})
    assert found["secret"].status is Status.BAD
    assert found["camera"].status is Status.BAD
    assert SECRET not in "".join(map(str, found.values()))


def test_what_is_closed_to_the_line_is_told_in_words(line):
    """Here names are too long; a folder of somebody else on the way is the same."""
    name = "n" * 300
    found = line(state_dir=name, camera={"source": f"video:{name}"}, model={"bundle": name})

    for check in ("state", "camera", "model"):
        assert found[check].status is Status.BAD
        assert "File name too long" in found[check].found
        assert "it should not fail so" not in found[check].advice


def test_a_state_that_is_a_file(line, tmp_path):
    """What cannot be a folder cannot be written."""
    (tmp_path / "state").write_text("")

    assert line()["state"].status is Status.BAD


@pytest.mark.parametrize(
    ("now", "synchronised", "status"),
    [
        (NOW, True, Status.OK),
        (NOW, False, Status.WARN),
        (NOW, None, Status.WARN),
        (datetime(1970, 1, 1, tzinfo=UTC), True, Status.BAD),
    ],
)
def test_the_clock(now, synchronised, status):
    """Its year is sane, and something keeps it right."""
    assert pc.clock(now, synchronised=synchronised).status is status


def test_the_kernel_is_asked_about_the_clock():
    """As timedatectl does."""
    assert machine.is_clock_synchronised() in {True, False}


@pytest.mark.parametrize(
    ("left", "status"),
    [
        (timedelta(days=31), Status.OK),
        (timedelta(days=29), Status.WARN),
        (timedelta(), Status.BAD),
        (timedelta(days=-400), Status.BAD),
    ],
)
def test_certificates_are_told_a_month_before_they_end(left, status):
    """And are bad from their last moment on."""
    assert expiry("x", NOW + left, NOW).status is status


def test_dates_are_read_out_of_certificates(tmp_path):
    """Of the CA and of our own."""
    ca = trustme.CA()
    issued = ca.issue_cert("line1", not_after=datetime(2041, 5, 6, 7, 8, 9, tzinfo=UTC))
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "own.pem")
    (tmp_path / "none.pem").write_text("none")

    assert certificates.ca_end(tmp_path / "ca.pem") > datetime(2030, 1, 1, tzinfo=UTC)
    assert certificates.own_end(tmp_path / "own.pem") == datetime(2041, 5, 6, 7, 8, 9, tzinfo=UTC)
    for end in (certificates.ca_end, certificates.own_end):
        with pytest.raises(OSError, match=r"none\.pem|PEM|X509"):
            end(tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("model name : N100\nflags : fpu avx2\n\nflags : x", ("N100", {"fpu", "avx2"})),
        ("processor : 0\nFeatures : fp asimd", (os.uname().machine, {"fp", "asimd"})),
        ("", (os.uname().machine, set())),
    ],
)  # fmt: skip
def test_the_processor(cpuinfo, expected):
    """Its name and features, on Intel and on ARM."""
    assert machine.processor(cpuinfo) == expected


def test_a_row_is_one_line():
    """Whatever an error says."""
    row = str(Finding("camera", Status.BAD, "no\nframe", "look"))

    assert re.fullmatch(r"bad   camera +no frame → look", row)


def test_the_example_of_a_line_is_a_valid_line():
    """What the installer puts beside the lines; its state is where the service may write."""
    example = Path(__file__).parents[1] / "deploy" / "line.example.yaml"
    told = lines.read(example).config
    assert str(told.state_dir) == "/var/lib/inspector/line1"
    assert isinstance(told.camera, CameraConfig)

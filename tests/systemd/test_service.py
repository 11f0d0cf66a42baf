"""The real daemon as a real service: installed by the script, in its sandbox, with a broker."""

import json
import shutil
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from inspector.broker import find_mosquitto
from tests.support.wheels import write_real
from tests.systemd.conftest import DEPLOY

LINE = "inspector@line1.service"
SETTINGS = Path("etc/inspector/lines/line1.yaml")
HURRY = "[Service]\nRestartSec=100ms\nWatchdogSec=2s\n"
SECRETS = "/etc/inspector/secrets/line1.password"


class Installed:
    """A line PC that also is the broker's, with everything as the documents say."""

    def __init__(self, machine, model):
        self.machine, self.run = machine, machine.run
        share = machine.share
        shutil.copytree(DEPLOY, share / "deploy")
        write_real(share / "wheels", "/opt/libraries")
        shutil.copytree(model, share / "model")
        (share / "pictures").mkdir()
        picture = np.zeros((400, 400, 3), np.uint8)
        picture[:, :, 0] = np.arange(400) % 200
        picture[100:108, 100:300, 2] = 255
        cv2.imwrite(str(share / "pictures" / "bad.png"), picture)
        self.run("chmod", "-R", "a+rX", "/share")
        self.run("/share/deploy/install.sh", "--python", "/opt/python/bin/python3",
                 "--wheelhouse", "/share/wheels")  # fmt: skip
        setup = "/share/deploy/mosquitto/setup.sh"
        self.run(setup, "certificates", "localhost")
        self.sh(f"{setup} line plant-a line1 >{SECRETS}; {setup} dashboard panel >/share/panel")
        self.sh(f"chgrp inspector {SECRETS} && chmod 640 {SECRETS}")
        self.run("cp", "/etc/mosquitto/inspector/ca.crt", "/etc/inspector/ca.crt")
        self.run("mosquitto", "-d", "-c", "/share/deploy/mosquitto/inspector.conf")
        self.hurry(LINE, HURRY)
        self.line = yaml.safe_load((DEPLOY / "line.example.yaml").read_text())
        self.line["camera"] = {"source": "folder:/share/pictures", "loop": True, "every_ms": 100}
        self.line["model"] = {"bundle": "/share/model"}
        self.line["mqtt"]["host"] = "localhost"
        self.write(self.line)

    def sh(self, script):
        return self.run("sh", "-euc", script)

    def hurry(self, unit, text):
        """What a site changes: a drop-in."""
        folder = f"/etc/systemd/system/{unit}.d"
        (self.machine.share / "drop-in").write_text(text)
        self.run("install", "-D", "-m", "644", "/share/drop-in", f"{folder}/tests.conf")
        self.run("systemctl", "daemon-reload")

    def write(self, settings):
        (self.machine.share / "line1.yaml").write_text(yaml.safe_dump(settings))
        self.run("install", "-m", "640", "-g", "inspector", "/share/line1.yaml", f"/{SETTINGS}")

    def results(self):
        """Of the outbox, in order."""
        # Not the whole folder: its evidence comes and goes meanwhile.
        self.sh(
            "rm -rf /share/state; mkdir /share/state; "
            "cp /var/lib/inspector/line1/outbox.db* /share/state"
        )
        with sqlite3.connect(self.machine.share / "state" / "outbox.db") as database:
            rows = database.execute("SELECT payload FROM outbox ORDER BY seq").fetchall()
        database.close()
        return [json.loads(payload) for (payload,) in rows]


@pytest.fixture(scope="module")
def installed(machine, model):
    if find_mosquitto() is None:
        pytest.skip("needs mosquitto, which is not installed")
    return Installed(machine, model)


@pytest.fixture
def pc(installed):
    """The line's file is right and nothing runs, before and after."""
    yield installed
    installed.run("systemctl", "stop", LINE)
    installed.run("systemctl", "reset-failed", LINE, check=False)
    installed.write(installed.line)


def main_pid(pc):
    return pc.machine.show(LINE, "MainPID")


def restarts(pc):
    return int(pc.machine.show(LINE, "NRestarts"))


def test_a_line_judges_and_the_dashboard_hears_it(pc):
    """`systemctl start` returns when it is ready; the doctor has nothing bad to say."""
    doctor = pc.run("inspector", "doctor", "--line", "line1", "--json", check=False)
    findings = [json.loads(row) for row in doctor.stdout.splitlines()]
    assert doctor.returncode == 0, doctor
    checks = {finding["check"] for finding in findings}
    assert checks >= {"configuration", "secret", "state", "model", "camera", "broker", "tls"}
    assert (
        "inspector can write there" in next(f for f in findings if f["check"] == "state")["found"]
    )

    pc.run("systemctl", "start", LINE)
    heard = pc.sh(
        "mosquitto_sub -h localhost -p 8883 --cafile /etc/inspector/ca.crt -u panel "
        '-P "$(cat /share/panel)" -V 5 -C 1 -W 20 -t "inspector/v1/plant-a/+/result"'
    )
    assert json.loads(heard.stdout)["verdict"] == "fail"
    pc.machine.until(lambda: "broker connected" in pc.machine.show(LINE, "StatusText"))
    assert pc.machine.show(LINE, "User") == "inspector"


def test_the_page_of_an_installed_line_can_set_its_limit(pc):
    """As the service does it: by its user, in its view of the disk, where nearly all is read-only;
    the line's own file stays root's, and others of the group may read the record.
    """
    pc.run("systemctl", "start", LINE)
    change = (
        "import os, pathlib; from datetime import UTC, datetime; from inspector import lines; "
        "from inspector.calibration import Calibrated; os.umask(0o077); "
        f"lines.recalibrate(pathlib.Path('/{SETTINGS}'), lambda history: history.set("
        "Calibrated(min_scratch_px=333.0), by='page', time=datetime.now(UTC)))"
    )
    user = ("setpriv", "--reuid=inspector", "--regid=inspector", "--clear-groups")
    python = "/opt/inspector/current/bin/python"
    pc.run("nsenter", "--mount", f"--target={main_pid(pc)}", *user, python, "-c", change)

    pc.machine.until(lambda: pc.results()[-1]["limits"] == {"min_scratch_px": 333.0})
    told = pc.sh("cd /etc/inspector/lines; stat -c '%U:%G %a' line1.yaml line1.calibration.jsonl")
    assert told.stdout.split("\n")[:2] == ["root:inspector 640", "inspector:inspector 640"]
    pc.run("inspector", "calibrate", "undo", "--line", "line1")
    pc.machine.until(lambda: pc.results()[-1]["limits"] == {"min_scratch_px": 40.0})
    pc.run("rm", "/etc/inspector/lines/line1.calibration.jsonl")


@pytest.fixture
def credential(pc):
    """The password as a credential of the unit: its file is root's alone. Yields the password."""
    pc.sh(f"chown root:root {SECRETS}; chmod 600 {SECRETS}")
    pc.hurry(LINE, f"{HURRY}LoadCredential=broker:{SECRETS}\n")
    yield pc.run("cat", SECRETS).stdout.strip()
    pc.sh(f"chgrp inspector {SECRETS}; chmod 640 {SECRETS}")
    pc.hurry(LINE, HURRY)


def test_a_password_comes_as_a_credential_and_shows_nowhere(pc, credential):
    """The line logs in with it; a user of the group `inspector` cannot read its file; neither the
    command line nor the environment, the journal, the state or the unit's status has it.
    """
    given = "/run/credentials/inspector@line1.service/broker"
    pc.write({**pc.line, "mqtt": {**pc.line["mqtt"], "password_file": given}})
    pc.run("systemctl", "start", LINE)
    pc.machine.until(lambda: "broker connected" in pc.machine.show(LINE, "StatusText"))
    refused = pc.run("setpriv", "--reuid=inspector", "--regid=inspector", "--clear-groups",
                     "cat", SECRETS, check=False)  # fmt: skip
    assert "Permission denied" in refused.stderr

    pid = main_pid(pc)
    shown = [pc.run("cat", f"/proc/{pid}/{name}").stdout for name in ("cmdline", "environ")]
    shown += [pc.run("journalctl", "--no-pager").stdout, pc.run("systemctl", "show", LINE).stdout]
    assert "CREDENTIALS_DIRECTORY" in shown[1]
    assert not [text for text in shown if credential in text]
    leaked = pc.run("grep", "-rlF", credential, "/var/lib/inspector", "/etc/inspector/lines",
                    "/var/cache/inspector", check=False)  # fmt: skip
    assert (leaked.returncode, leaked.stdout) == (1, "")


def test_a_killed_line_comes_back_and_has_lost_nothing(pc):
    """kill -9; the numbers go on without a gap."""
    pc.run("systemctl", "start", LINE)
    killed = main_pid(pc)
    pc.machine.until(lambda: len(pc.results()) > 3)
    pc.run("kill", "-9", killed)
    pc.machine.until(lambda: main_pid(pc) not in {killed, "0"})
    pc.run("systemctl", "start", LINE)  # returns when it is ready
    before = len(pc.results())
    pc.machine.until(lambda: len(pc.results()) > before)

    numbers = [result["seq"] for result in pc.results()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_line_that_hangs_is_replaced(pc):
    """It stands still as in a native call that never returns."""
    pc.run("systemctl", "start", LINE)
    hung = main_pid(pc)
    pc.run("kill", "-STOP", hung)
    pc.machine.until(lambda: main_pid(pc) not in {hung, "0"})
    # What each thread did at that moment is in the journal.
    assert "Fatal Python error: Aborted" in pc.machine.journal()
    assert "inspector/cameras/grabber.py" in pc.machine.journal()
    assert restarts(pc) == 1


@pytest.fixture
def hanging(pc):
    """The line's camera hangs in a read that never returns while the file it yields is there."""
    shutil.copy(Path(__file__).with_name("hanging.py"), pc.machine.share / "hanging.py")
    hang = pc.machine.share / "hang"
    program = "/opt/inspector/current/bin/python /share/hanging.py run --line line1"
    pc.hurry(LINE, f"{HURRY}ExecStart=\nExecStart={program}\n")
    yield hang
    hang.unlink(missing_ok=True)
    pc.hurry(LINE, HURRY)


def test_a_read_that_never_comes_back_ends_with_another_process(pc, hanging):
    """One thread is stuck in a native call while all others move: the daemon asks systemd to be
    replaced, and the line judges again once the camera is well.
    """
    pc.run("systemctl", "start", LINE)
    hung = main_pid(pc)
    pc.machine.until(lambda: len(pc.results()) > 1)
    hanging.touch()
    pc.machine.until(lambda: main_pid(pc) not in {hung, "0"})
    hanging.unlink()
    assert "the grabber has not moved for" in pc.machine.journal()
    assert restarts(pc) == 1

    before = len(pc.results())
    pc.machine.until(lambda: len(pc.results()) > before + 1)
    results = pc.results()
    assert [result["seq"] for result in results] == list(range(1, len(results) + 1))
    assert results[-1]["verdict"] == "fail"


def test_a_reload_takes_the_limits_over(pc):
    """The same process goes on; systemd sees it active before and after, also with a bad file."""
    pc.run("systemctl", "start", LINE)
    pid = main_pid(pc)
    pc.write({**pc.line, "limits": {"min_scratch_px": 300}})
    pc.run("systemctl", "reload", LINE)
    pc.machine.until(lambda: pc.results()[-1]["limits"] == {"min_scratch_px": 300})
    pc.write({**pc.line, "limits": {"min_scratch_px": -1}})
    pc.run("systemctl", "reload", LINE)
    pc.machine.until(lambda: "limits.min_scratch_px" in pc.machine.journal())
    pc.machine.until(lambda: pc.machine.show(LINE, "ActiveState") == "active")

    before = len(pc.results())
    pc.machine.until(lambda: len(pc.results()) > before)
    assert pc.results()[-1]["limits"] == {"min_scratch_px": 300}
    assert main_pid(pc) == pid


def test_a_wrong_configuration_is_not_tried_again(pc):
    """Exit 78 once, and the reason in the journal."""
    pc.write({**pc.line, "limits": {"min_scratch_px": -1}})
    done = pc.run("systemctl", "start", LINE, check=False)

    assert done.returncode != 0
    assert pc.machine.show(LINE, "ActiveState") == "failed"
    assert (pc.machine.show(LINE, "ExecMainStatus"), restarts(pc)) == ("78", 0)
    assert "limits.min_scratch_px" in pc.machine.journal()


def test_the_sandbox_denies_all_but_the_line_needs(pc):
    """The same unit with a probe in place of the daemon."""
    probe = "[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart={}\n"
    shutil.copy(Path(__file__).with_name("probe.py"), pc.machine.share / "probe.py")
    program = "/opt/python/bin/python3 /share/probe.py"
    pc.hurry("inspector@probe.service", probe.format(program))
    pc.run("systemctl", "start", "inspector@probe.service")

    found = json.loads(pc.run("cat", "/var/lib/inspector/probe/probe.json").stdout)
    assert found == ["write its state", "write its cache", "read its line", "open TCP"]

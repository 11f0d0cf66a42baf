"""The unit by itself: systemd understands all of it, and finds little to complain about."""

import re
import subprocess
from configparser import RawConfigParser

import pytest

from inspector.errors import BundleError, ConfigError
from tests.systemd.conftest import DEPLOY

UNIT = DEPLOY / "inspector@.service"


def test_systemd_understands_every_line(systemd_analyze):
    """The only complaint is that the program is not installed on this machine."""
    done = subprocess.run(
        [systemd_analyze, "verify", UNIT], capture_output=True, text=True, check=False
    )

    told = [row for row in done.stderr.splitlines() if "/opt/inspector/current/bin" not in row]
    assert told == []


def test_the_sandbox_leaves_little_exposed(systemd_analyze):
    """At most 1.5 of 10; a unit without hardening has 9.6."""
    done = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--no-pager", "--threshold=15", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert float(re.search(r"exposure level .*: ([\d.]+)", done.stdout)[1]) <= 1.5


def test_a_reload_is_a_signal():
    """Which the daemon answers by itself; an older systemd does not know notify-reload."""
    unit = RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(UNIT)

    assert unit["Service"]["Type"] == "notify"
    assert "kill -HUP $MAINPID" in unit["Service"]["ExecReload"]


@pytest.mark.parametrize("error", [BundleError, ConfigError])
def test_what_a_person_has_to_correct_is_not_tried_again(error):
    """The exit codes of a refused model and a refused configuration are in the unit."""
    unit = RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(UNIT)

    assert str(error.exit_code) in unit["Service"]["RestartPreventExitStatus"].split()

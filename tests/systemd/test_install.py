"""install.sh on a real system: users, folders, versions, and what it must never touch."""

import os
import shutil
import subprocess

import pytest

from tests.support.machine import Machine
from tests.support.wheels import write_stub
from tests.systemd.conftest import DEPLOY

LINE = "inspector@line1.service"
PYTHON = "/opt/python/bin/python3"


class Pc:
    """A machine, and the scripts as they come to it on a stick."""

    umask = "022"

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.run = machine.run
        shutil.copytree(DEPLOY, machine.share / "deploy", dirs_exist_ok=True)

    def install(self, version: str, *, broken: bool = False, check: bool = True):
        wheels = self.machine.share / f"wheels-{version}{'-broken' * broken}"
        write_stub(wheels, version, broken=broken)
        return self.script(
            "install", "--python", PYTHON, "--wheelhouse", f"/share/{wheels.name}", check=check
        )

    def script(self, *arguments: str, check: bool = True):
        script = f'umask {self.umask}; exec /share/deploy/install.sh "$@"'
        return self.run("sh", "-c", script, "sh", *arguments, check=check)

    def version(self) -> str:
        return self.run("inspector", "--version").stdout.strip()

    def files(self, folder: str) -> str:
        return self.run("find", folder, "-printf", "%p %U %G %m %T@ %i\n").stdout

    def keep_data(self) -> str:
        """Write a line's file and a result; what `data` has to say from now on."""
        self.run("sh", "-c", "echo line >/etc/inspector/lines/line1.yaml")
        self.run("install", "-d", "-o", "inspector", "/var/lib/inspector/line1")
        self.run("sh", "-c", "echo result >/var/lib/inspector/line1/outbox.db")
        return self.data()

    def data(self) -> str:
        return self.run(
            "sh", "-c", "cd / && sha256sum etc/inspector/lines/* var/lib/inspector/line1/*"
        ).stdout


@pytest.fixture
def pc(machine):
    """As it comes from the shop."""
    yield Pc(machine)
    machine.run("/share/deploy/install.sh", "uninstall", "--purge")


def test_it_installs_without_a_network_and_twice_is_once(pc):
    """User in the group of cameras, folders with few rights, the command; again changes nothing."""
    pc.install("1.0")
    before = pc.files("/opt/inspector/1.0")
    pc.install("1.0")

    assert pc.files("/opt/inspector/1.0") == before
    assert pc.version() == "1.0"
    assert "video" in pc.run("id", "-nG", "inspector").stdout.split()
    rights = pc.run("stat", "-c", "%U:%G %a", "/etc/inspector/secrets",
                    "/etc/inspector/lines", "/var/lib/inspector")  # fmt: skip
    assert rights.stdout.split("\n")[:3] == [
        "root:inspector 2750", "root:inspector 2770", "inspector:inspector 750"
    ]  # fmt: skip


@pytest.mark.parametrize("umask", ["027", "077"])
def test_the_line_can_run_what_root_keeps_from_others(pc, umask):
    """On a hardened PC new files of root are for root alone; the programs are for all."""
    pc.umask = umask
    pc.install("1.0")

    assert pc.version() == "1.0"
    pc.run("setpriv", "--reuid", "inspector", "--regid", "inspector", "--init-groups",
           "inspector", "--version")  # fmt: skip


def test_upgrade_and_rollback_keep_the_data(pc):
    """The running line is restarted with the other version each time."""
    pc.install("1.0")
    data = pc.keep_data()
    pc.run("systemctl", "enable", "--now", LINE)
    first = pc.machine.show(LINE, "MainPID")

    pc.install("2.0")
    assert pc.version() == "2.0"
    second = pc.machine.show(LINE, "MainPID")
    assert first != second
    assert pc.machine.show(LINE, "ActiveState") == "active"
    pc.script("rollback")
    assert pc.version() == "1.0"
    assert pc.machine.show(LINE, "MainPID") != second
    pc.script("rollback")
    assert pc.version() == "2.0"
    assert pc.data() == data


def test_a_version_with_which_a_line_does_not_come_up_is_taken_back(pc):
    """Exit 70, and the line runs on the version before."""
    pc.install("1.0")
    pc.run("systemctl", "start", LINE)

    done = pc.install("2.0", broken=True, check=False)

    assert done.returncode == 70, done
    assert "1.0 is in force again" in done.stderr
    assert pc.version() == "1.0"
    assert pc.machine.show(LINE, "ActiveState") == "active"


def test_what_was_cut_off_is_made_anew(pc):
    """Half a version is never in force, and is whole after the next try."""
    pc.install("1.0")
    pc.run("mkdir", "-p", "/opt/inspector/2.0/bin")

    assert pc.version() == "1.0"
    pc.install("2.0")
    assert pc.version() == "2.0"


def test_the_same_version_from_other_wheels_is_refused(pc):
    """A number means one content."""
    pc.install("1.0")

    done = pc.install("1.0", broken=True, check=False)

    assert done.returncode == 65
    assert "other wheels" in done.stderr


def test_two_versions_are_kept(pc):
    """The one in force and the one before."""
    for version in ("1.0", "2.0", "3.0"):
        pc.install(version)

    assert pc.run("ls", "/opt/inspector").stdout.split() == ["2.0", "3.0", "current", "previous"]


def test_uninstalling_leaves_the_data_and_purging_takes_it(pc):
    """A line that runs is stopped first."""
    pc.install("1.0")
    data = pc.keep_data()
    pc.run("systemctl", "enable", "--now", LINE)

    pc.script("uninstall")
    assert pc.data() == data
    assert pc.machine.show(LINE, "ActiveState") == "inactive"
    left = ("/opt/inspector", "/usr/local/bin/inspector", "/etc/systemd/system/inspector@.service")
    assert pc.run("ls", *left, check=False).stdout == ""
    pc.script("uninstall", "--purge")
    left = ("/etc/inspector", "/var/lib/inspector")
    assert pc.run("ls", "-d", *left, check=False).stdout == ""
    assert pc.run("id", "inspector", check=False).returncode != 0


def test_without_wheels_nothing_is_installed(pc):
    """Exit 66, and the folder that was looked into."""
    done = pc.script("install", "--wheelhouse", "/share", check=False)

    assert (done.returncode, "/share" in done.stderr) == (66, True)
    assert pc.run("ls", "/opt/inspector", check=False).returncode != 0


@pytest.mark.parametrize("arguments", [["upgrade"], ["rollback", "--purge"], ["--force"]])
def test_what_it_does_not_know_it_does_not_do(arguments):
    """Exit 2 with the usage, before anything else."""
    done = subprocess.run(
        [DEPLOY / "install.sh", *arguments], capture_output=True, text=True, check=False
    )

    assert (done.returncode, "install.sh rollback" in done.stderr) == (2, True)


def test_it_needs_root():
    """Exit 77, and it says so."""
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    script = (DEPLOY / "install.sh").read_text()
    done = subprocess.run(
        [*(nobody if os.geteuid() == 0 else []), "bash", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
    )

    assert done.returncode == 77, done
    assert "expected root" in done.stderr


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_clean(script):
    """shellcheck has nothing to say."""
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("needs shellcheck")
    done = subprocess.run([program, script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout

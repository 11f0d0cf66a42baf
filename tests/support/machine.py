"""A line PC: a real systemd as process 1 of its own namespaces, over a copy-on-write view of this
machine. What happens in it leaves nothing behind: its files lie in memory, its network is its own.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

NO_RIGHT = "no right to boot a systemd of its own here"
UNSHARE = (
    "unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net", "--cgroup",
)  # fmt: skip
BOOT_S = 30.0
SYSTEMD = Path("/lib/systemd/systemd")
# Services that would speak to the kernel that all share.
FOREIGN = (
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "modprobe@.service",
    "systemd-remount-fs.service",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "mosquitto.service",
)
BOOT = r"""
set -eu
mount -t tmpfs tmpfs "$1" -o mode=755
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
R=$1/root
mount -t proc proc "$R/proc"
mount -o bind,ro /proc/sys "$R/proc/sys"
mount -t sysfs sysfs "$R/sys" -o ro
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
for place in run tmp dev; do mount -t tmpfs tmpfs "$R/$place"; done
chmod 755 "$R/dev" "$R/run"
for node in null zero full random urandom tty; do
    touch "$R/dev/$node"
    mount --bind "/dev/$node" "$R/dev/$node"
done
mkdir "$R/dev/shm" "$R/opt/python" "$R/opt/libraries" "$R/old" "$R/source" "$R/share"
mount -t tmpfs tmpfs "$R/dev/shm"
mount --bind "$2" "$R/opt/python"
mount --bind "$3" "$R/opt/libraries"
mount -o bind,ro "$4" "$R/source"
mount --bind "$5" "$R/share"
rm -rf "$R"/etc/systemd/system/*.wants "$R/etc/inspector" "$R/var/lib/inspector" "$R/opt/inspector"
for unit in $6; do ln -sf /dev/null "$R/etc/systemd/system/$unit"; done
echo /opt/python/lib >"$R/etc/ld.so.conf.d/tests.conf"
cd "$R"
pivot_root . old
umount -l /old
mount --make-rshared /  # as whoever makes a container does: else no unit sees its credentials
ldconfig
exec env -i container=tests PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    "$7" --system --unit=basic.target --log-target=console --log-level=warning --show-status=no
"""


def missing() -> str | None:
    """What is not here to boot one, None where it can be tried."""
    for name in ("unshare", "nsenter", "setpriv", "systemctl"):
        if shutil.which(name) is None:
            return f"needs {name}"
    if not SYSTEMD.exists():
        return "needs systemd"
    if os.geteuid() != 0 or not _cgroup2() or not os.access(_cgroup2(), os.W_OK):
        return f"{NO_RIGHT}: it takes root and cgroup2"
    probe = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return f"{NO_RIGHT}: namespaces are refused" if probe.returncode else None


class Machine:
    """`/share` in it is the folder `share` of the host, `/source` this repository.

    `/opt/python` is the Python that runs the tests, `/opt/libraries` what its environment holds.
    """

    def __init__(self, share: Path) -> None:
        """Boot it.

        Raises:
            OSError: systemd does not come up.
        """
        self.share = share / "share"
        root = share / "machine"
        for folder in (self.share, root):
            folder.mkdir()
        self._cgroup = _cgroup2() / f"inspector-tests-{os.getpid()}"
        self._cgroup.mkdir()
        self._log = share / "boot.log"
        arguments = (
            root,
            sys.base_prefix,
            sysconfig.get_path("purelib"),
            Path(__file__).parents[2],
            self.share,
            " ".join(FOREIGN),
            SYSTEMD,
        )
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # setpriv: when the tests are killed, so is the machine.
                [
                    *("setpriv", "--pdeathsig", "KILL"),
                    *(
                        "sh",
                        "-c",
                        'echo $$ >"$1/cgroup.procs"; shift; exec "$@"',
                        "-",
                        self._cgroup,
                    ),
                    *(*UNSHARE, "sh", "-c", BOOT, "boot", *map(str, arguments)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._await_boot()
        except BaseException:
            self.stop()
            raise

    def _await_boot(self) -> None:
        deadline_s = time.monotonic() + BOOT_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            children = _children(self._process.pid)
            if children:
                self._init = children[0]
                done = self.run("systemctl", "is-system-running", check=False)
                if done.stdout.strip() in {"running", "degraded"}:
                    return
            time.sleep(0.05)
        raise OSError(f"no machine: {self._log.read_text(errors='replace')}")

    def run(
        self, *command: object, check: bool = True, **options: object
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root."""
        enter = ["nsenter", "-t", str(self._init), "-m", "-p", "-u", "-i", "-n", "-C"]
        done = subprocess.run(
            [*enter, *map(str, command)],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            **options,
        )
        assert done.returncode == 0 or not check, (command, done.stdout, done.stderr)
        return done

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def until(self, condition, timeout_s: float = 30.0) -> None:
        """Wait until `condition()` holds."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, self.journal()
            time.sleep(0.05)

    def journal(self) -> str:
        """The last of what services said."""
        return self.run("journalctl", "--no-pager", "-n", "300", "-o", "cat", check=False).stdout

    def stop(self) -> None:
        """Switch it off."""
        self._process.kill()
        self._process.wait()
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            try:
                for folder in sorted(self._cgroup.glob("**/"), reverse=True):
                    folder.rmdir()
            except OSError:  # its last processes are still on their way out
                time.sleep(0.05)
            else:
                return


def _cgroup2() -> Path | None:
    for row in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = row.split()
        if kind == "cgroup2" and os.access(place, os.W_OK):
            return Path(place)
    return None


def _children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in told.split()]

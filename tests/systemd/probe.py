"""Run as the service: tries what it must not be able to do, and prints what went through."""

import ctypes
import json
import os
import socket
import subprocess
from pathlib import Path

STATE = Path(os.environ["STATE_DIRECTORY"])


def write(path):
    Path(path).write_text("x")


def mount():
    if ctypes.CDLL(None, use_errno=True).mount(b"none", str(STATE).encode(), b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "mount")


def new_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "unshare")


ATTEMPTS = {
    "write its state": lambda: write(STATE / "probe"),
    "write its cache": lambda: write(Path(os.environ["CACHE_DIRECTORY"], "probe")),
    "read its line": lambda: Path("/etc/inspector/lines/line1.yaml").read_text(),
    "open TCP": lambda: socket.socket().close(),
    "write its line": lambda: write("/etc/inspector/lines/line1.yaml"),
    "write another line's state": lambda: write("/var/lib/inspector/other"),
    "write programs": lambda: write("/opt/inspector/probe"),
    "write /usr": lambda: write("/usr/probe"),
    "write kernel settings": lambda: write("/proc/sys/kernel/hostname"),
    "read passwords": lambda: Path("/etc/shadow").read_text(),
    "look into homes": lambda: list(Path("/root").iterdir()),
    "see other processes": lambda: Path("/proc/1/cmdline").read_text(),
    "open raw sockets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "open packet sockets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "open netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "make devices": lambda: os.mknod(STATE / "disk", 0o60600, os.makedev(7, 0)),
    "mount": mount,
    "make namespaces": new_namespace,
    "become root": lambda: os.setuid(0),
    "set the clock": lambda: __import__("time").clock_settime(0, 0),
    "keep rights in a file": lambda: (write(STATE / "s"), (STATE / "s").chmod(0o4755)),
    "sudo": lambda: subprocess.run(["unshare", "--mount", "true"], check=True, capture_output=True),
}


def goes_through(attempt):
    try:
        attempt()
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


Path(STATE / "probe.json").write_text(
    json.dumps([name for name, attempt in ATTEMPTS.items() if goes_through(attempt)])
)

"""Alive or stuck: tells systemd that the daemon lives, only while each of its threads moves.

The judge is the thread that asks. When it stands still nobody asks, and systemd notices the
silence; when another one does, systemd is told at once. Moving is not succeeding: a line whose
camera is unplugged and whose broker is away lives.
"""

import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inspector.config import CameraConfig
from inspector.notify import notify

log = logging.getLogger(__name__)

SHARE = 4  # it speaks this often within the time that systemd allows, so that one delay is no death
RESOLVER_S = 30.0  # a lookup has no deadline of its own: three name servers, twice 5 s for each
DRIVER_S = 10.0  # opening and closing a device has none either
SLOW_DISK = 5 << 20  # bytes per second of an outbox that is opened: read, checked, counted
PUBLISHER_S = 60.0  # RESOLVER_S; 5 s for each of a few addresses, for TLS, and for the CONNACK


@dataclass(frozen=True, slots=True)
class Pulse:
    """A thread: when it last moved, on the monotonic clock, and for how long it may stand still."""

    thread: str
    moved_s: float
    limit_s: float


def grabber_limit_s(camera: CameraConfig) -> float:
    """How long the camera's thread may be inside one `open`, `read` or `close`.

    A read that fails late takes its deadline twice, and V4L2 waits for whole seconds, at least one.
    """
    lookup_s = RESOLVER_S if camera.source.kind == "rtsp" else 0.0
    return 2 * camera.timeout_ms / 1000 + DRIVER_S + lookup_s


def stuck(now_s: float, *pulses: Pulse) -> Pulse | None:
    """The first thread that has stood still for longer than it may, None while all move."""
    return next((p for p in pulses if not now_s - p.moved_s <= p.limit_s), None)


def allowed_s(environ: Mapping[str, str], pid: int) -> float | None:
    """For how long systemd lets this process be silent (sd_watchdog_enabled(3)); None: for ever."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 else None


def ask_for_time(outbox: Path) -> None:
    """Before an outbox is opened, which reads all of it: one in which the results of days wait may
    take longer than systemd grants a start, and each next start would be ended as well.
    """
    size_bytes = 0
    with suppress(OSError):  # that it is not there, or not for us, is said by who opens it
        size_bytes = outbox.stat().st_size
    if size_bytes > SLOW_DISK:
        notify(f"EXTEND_TIMEOUT_USEC={size_bytes * 1_000_000 // SLOW_DISK}")


class Watchdog:
    """The judge's loop calls `pet` as often as it goes round. Without systemd it does nothing."""

    def __init__(self) -> None:
        allowed = allowed_s(os.environ, os.getpid())
        self._every_s = None if allowed is None else allowed / SHARE
        self._due_s = time.monotonic()

    def pet(self, status: str, *pulses: Pulse) -> None:
        """Say that the process lives and how it is, or ask to be replaced: a thread is stuck."""
        now_s = time.monotonic()
        if self._every_s is None or now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        found = stuck(now_s, *pulses)
        if found is None:
            notify("WATCHDOG=1", f"STATUS={' '.join(status.split())}")
            return
        text = (
            f"the {found.thread} has not moved for {now_s - found.moved_s:.0f} s, "
            f"expected {found.limit_s:g} s at most"
        )
        log.critical("%s: asking systemd for a new process", text)
        notify("WATCHDOG=trigger", f"STATUS={text}")

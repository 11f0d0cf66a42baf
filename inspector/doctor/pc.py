"""The PC itself: processor, clock, secrets, disk."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from inspector.config import LineConfig
from inspector.doctor import machine
from inspector.doctor.finding import Finding, Status
from inspector.record.schema import OUTBOX
from inspector.versions import CPUINFO

USER = "inspector"  # runs the installed lines
FREE_BAD, FREE_WARN = 100 * 2**20, 2**30  # bytes; the outbox alone keeps up to a million results
FIRST_YEAR = 2026  # a clock before it has lost its battery
CORES = 2  # with fewer the model and the camera wait for each other


def processor() -> Finding:
    """Enough cores, and the instructions that the runtimes are fast with."""
    name, features = machine.processor(CPUINFO.read_text(encoding="utf-8"))
    cores = machine.cores()
    fast, integer = sorted(features & machine.FAST), sorted(features & machine.INTEGER)
    found = f"{name}, {cores} cores, {', '.join(fast + integer) or 'no vector instructions'}"
    if cores < CORES:
        return Finding("processor", Status.WARN, found, f"give it {CORES} cores or more")
    if not fast:
        advice = f"expected one of {', '.join(sorted(machine.FAST))}: judging will be slow"
        return Finding("processor", Status.WARN, found, advice)
    return Finding("processor", Status.OK, found)


def clock(now: datetime, *, synchronised: bool | None) -> Finding:
    """Results are stamped for people, and certificates have dates; nothing else needs the clock."""
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now.year < FIRST_YEAR:
        advice = "set the clock and look at its battery: no certificate is valid at that time"
        return Finding("clock", Status.BAD, told, advice)
    if synchronised is None:
        found = f"{told}; the kernel does not say if it is right"
        return Finding("clock", Status.WARN, found, "compare it with another one")
    if not synchronised:
        advice = "let chrony or systemd-timesyncd follow the plant's time server"
        return Finding("clock", Status.WARN, f"{told}, not synchronised", advice)
    return Finding("clock", Status.OK, f"{told}, synchronised")


def secrets(line: LineConfig, path: Path) -> Iterator[Finding]:
    """Files with secrets: the line can read them, and not everybody else can."""
    tls, source = line.mqtt.tls, line.camera.source
    address = path if source.kind == "rtsp" and "@" in source.target else None
    page = line.page
    shown = (page.pin_file, page.password_file, page.tls and page.tls.key_file) if page else ()
    for secret in (line.mqtt.password_file, tls.key_file if tls else None, address, *shown):
        if secret is not None:
            yield _secret(secret)


def _secret(path: Path) -> Finding:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        advice = "write it, or take it out of the line's file"
        return Finding("secret", Status.BAD, f"{path}: {error.strerror}", advice)
    told = f"{path}: {stat.filemode(mode)}"
    if mode & stat.S_IROTH:
        found = f"{told}, everybody can read it"
        return Finding("secret", Status.BAD, found, f"chmod o= {path}, and change the secret")
    if not os.access(path, os.R_OK):
        advice = f"chgrp {USER} {path} && chmod 640 {path}"
        return Finding("secret", Status.BAD, f"{told}, {machine.me()} cannot read it", advice)
    return Finding("secret", Status.OK, told)


def state(line: LineConfig) -> Iterator[Finding]:
    """The outbox can be written, and there is room for it."""
    folder = line.state_dir
    advice = f"state_dir: /var/lib/inspector/{line.line}, and chown -R {USER}: what is in it"
    try:
        there = next(p for p in (folder, *folder.parents) if p.exists())
    except OSError as error:  # one on the way is closed to us
        yield Finding("state", Status.BAD, f"{folder}: {error.strerror}", advice)
        return
    locked = [p for p in (there, *folder.glob(f"{OUTBOX}*")) if not os.access(p, os.W_OK)]
    if locked or not _takes_a_file(there):
        found = f"{', '.join(map(str, locked)) or there}: {machine.me()} cannot write there"
        yield Finding("state", Status.BAD, found, advice)
    else:
        yield Finding("state", Status.OK, f"{folder}: {machine.me()} can write there")
    free = shutil.disk_usage(there).free
    status = Status.BAD if free < FREE_BAD else Status.WARN if free < FREE_WARN else Status.OK
    advice = "" if status is Status.OK else "make room: while the disk is full nothing can pass"
    yield Finding("disk", status, f"{there}: {free / 2**30:.1f} GiB free", advice)


def _takes_a_file(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError:
        return False
    return True

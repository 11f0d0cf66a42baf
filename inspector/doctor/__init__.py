"""`inspector doctor`: is this PC ready to run its line? One row per check, with advice.

A check is a function from the line to its findings. It reads and asks, and leaves nothing behind.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from inspector import lines
from inspector.config import LineConfig
from inspector.doctor import machine, network, parts, pc
from inspector.doctor.finding import Finding, Status
from inspector.errors import ConfigError

UNAVAILABLE = 69  # exit code: something is bad
CHECKS: tuple[Callable[[LineConfig], Iterator[Finding]], ...] = (
    pc.state,
    parts.model,
    parts.device,
    parts.camera,
    parts.sight,
    network.broker,
    network.tls,
    network.ports,
)


def run(path: Path, *, as_json: bool) -> int:
    """Print one row per check; the exit code: 0, 78 for the configuration, 69 for anything else.

    Root examines an installed line as the user that will run it.
    """
    if path.parent == lines.INSTALLED:
        machine.become(pc.USER)
    code = 0
    for finding in examine(path):
        sys.stdout.write((json.dumps(asdict(finding)) if as_json else str(finding)) + "\n")
        sys.stdout.flush()
        if finding.status is Status.BAD:
            code = ConfigError.exit_code if finding.check == "configuration" else UNAVAILABLE
    return code


def examine(path: Path) -> Iterator[Finding]:
    """All findings about this machine and the line at `path`."""
    yield pc.processor()
    yield pc.clock(datetime.now(UTC), synchronised=machine.is_clock_synchronised())
    try:
        line = lines.read(path).config
    except ConfigError as error:
        advice = f"correct it; {machine.me()} has to be able to read it"
        yield Finding("configuration", Status.BAD, str(error), advice)
        return
    yield Finding("configuration", Status.OK, f"{path}: valid, and {machine.me()} can read it")
    yield from pc.secrets(line, path)
    for check in CHECKS:
        try:
            yield from check(line)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            yield Finding(check.__name__, Status.BAD, found, "it should not fail so: report it")

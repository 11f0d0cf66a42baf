"""What several verbs of the command line take: which line, which instant, how to print."""

import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from inspector import lines
from inspector.errors import ConfigError

Config = Annotated[
    Path | None,
    typer.Option(
        readable=False,  # asked when it is read, and told with its own exit code
        help="The line's YAML. Left out: $INSPECTOR_CONFIG, ./line.yaml, /etc/inspector/lines/.",
    ),
]
LineName = Annotated[
    str | None, typer.Option("--line", help="Which of the lines in /etc/inspector/lines/.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line on stdout.")]


TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
"""How an instant is typed; without a time zone it is that of this PC."""


LARGEST = 2**63 - 1
"""No larger number can be asked for in a database."""


def instant(option: str, typed: datetime) -> datetime:
    """What was typed for `option`, with its time zone.

    Raises:
        typer.BadParameter: in UTC it lies before the year 1, or beyond 9999.
    """
    try:
        zoned = typed.astimezone()
        zoned.astimezone(UTC)
    except (OverflowError, ValueError):
        raise typer.BadParameter(
            f"{option}: expected a time in the years 1 to 9999 in UTC, found {typed.isoformat()}"
        ) from None
    return zoned


def open_streams() -> None:
    """Whatever is to be said can be written. What was closed is /dev/null: else the next file that
    is opened hears what libraries say. A terminal that has no «→» is no reason to end.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "w"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def line_of(config: Path | None, name: str | None) -> lines.Line:
    """The line that is meant.

    Raises:
        ConfigError: there is none, or it does not validate.
    """
    return lines.read(path_of(config, name))


def path_of(config: Path | None, name: str | None) -> Path:
    """The file of the line that is meant.

    Raises:
        ConfigError: there is none.
    """
    path = lines.find(config, name)
    if path is None:
        raise ConfigError(
            f"expected a line's configuration: --config FILE, ${lines.VARIABLE}, ./line.yaml "
            f"or one in {lines.INSTALLED}; found none"
        )
    return path

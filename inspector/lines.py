"""Which line? Finds and reads the line's file, so that `inspector check` works as typed."""

import os
from dataclasses import dataclass
from pathlib import Path

from inspector import config
from inspector.errors import ConfigError

INSTALLED = Path("/etc/inspector/lines")
VARIABLE = "INSPECTOR_CONFIG"


@dataclass(frozen=True, slots=True)
class Line:
    """A line's file as it was read: its path, its text and what the text says."""

    path: Path
    text: str
    config: config.LineConfig


def read(path: Path) -> Line:
    """Read and validate a line's file.

    Raises:
        ConfigError: it cannot be read, or what it says is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: expected UTF-8 text, found byte {error.start} to be none"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file, found: {error.strerror}") from None
    return Line(path, text, config.parse(text, path=path))


def find(path: Path | None, name: str | None, installed: Path = INSTALLED) -> Path | None:
    """The line's file: as named, else $INSPECTOR_CONFIG, else ./line.yaml, else installed.

    Args:
        path: what `--config` says.
        name: what `--line` says; picks among the installed lines.
        installed: the folder of the installed lines, `NAME.yaml` each.

    Returns:
        None where there is no line at all.

    Raises:
        ConfigError: several lines are installed and no name picks one.
    """
    if path is not None:
        return path
    if name is not None:
        return installed / f"{name}.yaml"
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    if (here := Path("line.yaml")).exists():
        return here
    lines = sorted(installed.glob("*.yaml"))
    if len(lines) > 1:
        names = ", ".join(line.stem for line in lines)
        raise ConfigError(f"expected --line NAME, because {installed} holds several: {names}")
    return lines[0] if lines else None

"""Compiled models on the disk: only one that is as it was when it was proved is run again.

The library that wrote them checks nothing: a flipped bit would judge otherwise under the hash of
the right model. Beside each lies its sha256, which tells damage, not somebody who may write here.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from inspector.files import replace, sha256_of

log = logging.getLogger(__name__)

PROVED = ".sha256"
"""End of the name of what lies beside a file that was proved."""


def drop_damaged(folder: Path) -> None:
    """Delete what was not proved, or is not as it was then. A folder that cannot be written keeps
    no line from starting: what is damaged there is told by the self-test.
    """
    try:
        for file in _files(folder):
            if _told(file) != sha256_of(file):
                log.warning("%s: expected it as it was proved, found it changed: deleted", file)
                _delete(file)
    except OSError as error:
        log.warning("compiled models in %s are not checked: %s", folder, error)


def prove(folder: Path) -> None:
    """Remember what is there: it has just passed the self-test."""
    try:
        for file in _files(folder):
            if _told(file) is None:
                replace(_beside(file), sha256_of(file).encode())
    except OSError as error:
        log.warning("compiled models in %s will not be used again: %s", folder, error)


def clear(folder: Path) -> bool:
    """Delete all; returns whether none is left."""
    try:
        for file in _files(folder):
            _delete(file)
    except OSError as error:
        log.warning("compiled models in %s are not used: %s", folder, error)
        return False
    return True


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.glob("*")) if file.is_file() and file.suffix != PROVED)


def _delete(file: Path) -> None:
    _beside(file).unlink(missing_ok=True)
    file.unlink()


def _beside(file: Path) -> Path:
    return file.with_name(file.name + PROVED)


def _told(file: Path) -> str | None:
    try:
        return _beside(file).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None

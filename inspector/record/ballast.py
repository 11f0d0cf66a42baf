"""A file that only takes room: released, it lets a line go on for a while on a full disk."""

import contextlib
import os
from pathlib import Path

BALLAST_BYTES = 8 << 20


class Ballast:
    """The ballast at `path`; one of an earlier start counts, if it was made to its end.

    Raises:
        OSError: the folder cannot be looked into.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.held = _size_bytes(path) >= BALLAST_BYTES
        """Whether it is there to be released."""

    def make(self) -> None:
        """Take the room.

        Raises:
            OSError: there is not as much.
        """
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)  # holes would hold nothing
        except OSError:
            self.release()
            raise
        self.held = True

    def release(self) -> bool:
        """Give the room to whoever writes next; False where there is none to give."""
        held, self.held = self.held, False
        with contextlib.suppress(OSError):
            self._path.unlink()
        return held


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

"""A file that only takes room: released, it lets a line go on for a while on a full disk."""

import contextlib
import os
from pathlib import Path

BALLAST_BYTES = 8 << 20


class Ballast:
    """The ballast at `path`; one of an earlier start counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.held = path.exists()
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

"""A small disk of its own, in memory: what is full on it is really full."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.machine import NO_RIGHT

MIB = 1 << 20
SIZE = 40 * MIB
PAGE = 4096


class SmallDisk:
    """Mounted at `path`; beside what is tested, a file on it takes as much room as it is told."""

    def __init__(self, path: Path) -> None:
        """Mount it.

        Raises:
            PermissionError: that takes root.
        """
        path.mkdir()
        self.path = path
        self._hog = path / "hog"
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            raise PermissionError(f"{NO_RIGHT}, nor to mount a small disk")

    @property
    def free(self) -> int:
        """Bytes."""
        return shutil.disk_usage(self.path).free

    def leave(self, free: int) -> None:
        """Let so many bytes be free, to the page."""
        with self._hog.open("ab") as hog:
            size = hog.tell() + self.free - free
            hog.truncate(min(size, hog.tell()))
            while size > 0:
                try:
                    os.posix_fallocate(hog.fileno(), 0, size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    # Another writer took a page since the room was measured.
                    size = min(size - PAGE, hog.tell() + self.free - free)
                else:
                    break

    def close(self) -> None:
        """Unmount it, whoever still has files open on it."""
        subprocess.run(["umount", "--lazy", self.path], check=True)

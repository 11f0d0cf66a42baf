"""Files that are replaced as a whole, and are on the disk when that is said."""

import os
from contextlib import suppress
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write `data` in place of what is at `path`. Who reads meanwhile, or after a power cut, finds
    the old content or the new, never a part of it.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise

"""Files that are replaced as a whole, and are on the disk when that is said; the hash of one."""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

PART = ".part"
"""End of the name of a file that is being written."""


def replace(path: Path, data: bytes, *, durable: bool = True, like: Path | None = None) -> None:
    """Write `data` in place of what is at `path`. Who reads meanwhile, or after a power cut, finds
    the old content or the new, never a part of it.

    `durable=False` spares the disk: after a power cut, and only then, there may be neither. Who may
    read the file `like` may read this one, whatever the umask of who writes it.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    part = path.with_name(path.name + PART)
    try:
        part.unlink(missing_ok=True)  # of a power cut, of another user, or a link to elsewhere
        with part.open("xb") as file:
            if like is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(like.stat().st_mode))
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Names that were given or taken in the folder are on the disk when this returns.

    Raises:
        OSError: the disk refuses.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Of what is in the file, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

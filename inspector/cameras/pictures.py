"""Pictures: find their files, load one as a part, write one."""

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from inspector.cameras.camera import Part
from inspector.cameras.headers import FORMATS, JPEG, SUFFIXES, has_all_scans, picture_size
from inspector.errors import NoInputError
from inspector.types import Frame, Image, Reason, Rule, Unseen

MAX_PIXELS = 100_000_000  # 300 MB of memory; the largest machine vision sensors have 65 to 151 MP
MAX_BYTES = 512 * 2**20  # no picture within MAX_PIXELS needs more in practice


def load_picture(path: Path) -> Part:
    """One picture file as an 8-bit BGR frame, or as `Unseen` that says what was found instead.

    It never raises on what the file holds or lacks. Gray becomes BGR and alpha is dropped. Of 16
    bits the upper 8 are kept: stretching to the darkest and brightest pixel would change a
    scratch's contrast from part to part. EXIF orientation is applied, so that polygons lie on the
    picture as every viewer shows it, and as training sees it.
    """
    started_s = time.monotonic()
    source = os.fsencode(path).decode("utf-8", "replace")  # a name may be any bytes, a message not
    try:
        image = decode(_read(path))
    except (OSError, ValueError, MemoryError, cv2.error) as error:
        detail = str(error)
        if isinstance(error, OSError):
            detail = f"expected a picture file, found: {error.strerror or error}"
        grab_ms = (time.monotonic() - started_s) * 1000
        return Unseen(source, Reason(Rule.UNREADABLE_IMAGE), " ".join(detail.split()), grab_ms)
    grabbed_s = time.monotonic()
    return Frame(image, source, grabbed_s, (grabbed_s - started_s) * 1000)


def decode(data: bytes) -> Image:
    """A picture's file as 8-bit BGR (H, W, 3).

    Raises:
        ValueError, MemoryError, cv2.error: it is none, not whole, or too large.
    """
    size = picture_size(data)
    if size is None:
        raise ValueError(
            f"expected a {FORMATS} picture, found a file that starts with {data[:8]!r}"
        )
    width, height = size
    if width * height > MAX_PIXELS:
        raise ValueError(f"expected at most {MAX_PIXELS} pixels, found {width} × {height}")
    if data.startswith(JPEG):
        _refuse_holes(data, f"{width} × {height}")
    # OpenCV before 4.12 returned a picture for a truncated JPEG, with rows of the picture before.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None or image.size == 0:
        raise ValueError(
            f"expected a whole {width} × {height} picture, found one that cannot be decoded"
        )
    return image.astype(np.uint8, copy=False)


def write_picture(path: Path, image: Image, quality: int | None = None) -> None:
    """Write a picture as its suffix says, a JPEG with `quality`; what is written is all of it.

    OpenCV's own writing says nothing of a disk that takes no more, calls an empty file written, and
    ends the process over a path that is no UTF-8.

    Raises:
        OSError: the disk does not take it.
        ValueError: no format is called so, or it holds no picture of this size.
    """
    flags = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    try:
        done, packed = cv2.imencode(path.suffix, image, flags)
    except cv2.error:
        done = False
    if not done:
        width, height = image.shape[1::-1]
        raise ValueError(f"no {path.suffix or 'suffix'} that takes {width} × {height} px")
    path.write_bytes(packed.tobytes())


def find_pictures(paths: Iterable[Path]) -> list[Path]:
    """Files as named, and the pictures in folders and below, in natural order (2 before 10).

    Names that start with a dot, and linked folders, are passed over.

    Raises:
        NoInputError: a path does not exist, or a folder holds no picture or cannot be read.
    """
    return [
        picture for path in paths for picture in (_in_folder(path) if _is_folder(path) else [path])
    ]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NoInputError(f"{path}: expected a picture or a folder, found: {reason}") from None


def _in_folder(folder: Path) -> list[Path]:
    pictures = sorted(_walk(folder), key=_natural)
    if not pictures:
        suffixes = " ".join(sorted(SUFFIXES))
        raise NoInputError(f"{folder}: expected pictures ({suffixes}), found none")
    return pictures


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise NoInputError(f"{error.filename}: expected a readable folder, found: {error.strerror}")

    for where, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(where, name)


def _natural(path: Path) -> tuple[list[list[tuple[int, int, str]]], str]:
    parts = [
        [
            (0, int(run), "") if run.isdecimal() else (1, 0, run)
            for run in re.split(r"([0-9]+)", part.casefold())
            if run
        ]
        for part in path.parts
    ]
    return parts, str(path)


def _read(path: Path) -> bytes:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # reading a pipe could wait forever
        found = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise ValueError(f"expected a picture file, found {found}")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if not data:
        raise ValueError("expected a picture, found an empty file")
    if len(data) > MAX_BYTES:
        raise ValueError(f"expected at most {MAX_BYTES} bytes, found more")
    return data


def _refuse_holes(data: bytes, size: str) -> None:
    """Refuse a JPEG that lacks some of its data.

    OpenCV fills what is missing with gray, and libjpeg warns only on stderr: here each warning is
    an error. What follows the picture in its file, as a preview does, is not looked at. Decoding
    to an eighth of the size reads all the data, in a third of the time that OpenCV needs.

    Raises:
        ValueError: it is not whole, or its pixels are packed in a way that cannot be examined.
    """
    try:
        simplejpeg.decode_jpeg(data, "GRAY", strict=True, min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        raise ValueError(f"expected a whole {size} picture, found: {error}") from None
    if not has_all_scans(data):
        raise ValueError(f"expected a whole {size} picture, found one that ends between its scans")

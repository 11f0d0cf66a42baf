"""How large a picture is, read from the first bytes of its file, before anything is decoded; and
whether a JPEG has all its scans.

A file of a few kilobytes can unpack to gigabytes, and OpenCV's own limit (2^30 pixels) can only be
changed before it is loaded. What is not recognised here is not handed to a decoder either, which
keeps rarely used decoders (OpenEXR, JPEG 2000, …) away from foreign files.
"""

import re
import struct
from collections.abc import Iterator

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""How the names of pictures end that are looked for in folders."""

JPEG = b"\xff\xd8\xff"
"""How a JPEG starts."""

FORMATS = "JPEG, PNG, BMP, TIFF or WebP"

JPEG_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length (ITU T.81, table B.1)
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 … SOF15
JPEG_END, JPEG_SCAN = 0xD9, 0xDA
JPEG_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # what ends a scan's data
TIFF_WIDTH, TIFF_HEIGHT = 256, 257  # tags (TIFF 6.0, section 8)


def picture_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels as the header states them; None if it is none of `FORMATS`."""
    try:
        if data.startswith(JPEG):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(b"BM"):
            return _bmp(data)
        if data.startswith((b"II*\0", b"MM\0*")):
            return _tiff(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        pass
    return None


def has_all_scans(data: bytes) -> bool:
    """A JPEG tells every coefficient of every component, to the last bit.

    A progressive one tells them in turns: ended after some of them it is a blurred picture, at
    which no decoder takes offence.
    """
    try:
        return _has_all_scans(data)
    except (struct.error, IndexError, ValueError):
        return False


def _has_all_scans(data: bytes) -> bool:
    missing: set[tuple[int, int]] = set()
    for marker, at in _jpeg_segments(data):
        if marker in JPEG_FRAMES:
            components = data[at + 10 : at + 10 + 3 * data[at + 9] : 3]
            missing = {(component, number) for component in components for number in range(64)}
        elif marker == JPEG_SCAN:
            end = at + 5 + 2 * data[at + 4]
            first, last, bits = data[end : end + 3]
            if bits & 15 == 0:  # the last bit is among them
                told = range(first, last + 1)
                missing -= {(part, number) for part in data[at + 5 : end : 2] for number in told}
            if not missing:
                return True
    return False


def _jpeg(data: bytes) -> tuple[int, int] | None:
    for marker, at in _jpeg_segments(data):
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
    return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker that has a length, and where it stands."""
    at = 2
    while data[at] == 0xFF and data[at + 1] != JPEG_END:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in JPEG_STANDALONE:
            at += 2
        else:
            yield marker, at
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
            if marker == JPEG_SCAN:
                following = JPEG_NEXT.search(data, at)
                at = following.start() if following else len(data)


def _bmp(data: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # the header of OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int] | None:
    order = "<" if data.startswith(b"II") else ">"
    directory = struct.unpack_from(order + "I", data, 4)[0]
    sides: dict[int, int] = {}
    for number in range(struct.unpack_from(order + "H", data, directory)[0]):
        entry = directory + 2 + 12 * number
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in {TIFF_WIDTH, TIFF_HEIGHT}:
            sides[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    return (sides[TIFF_WIDTH], sides[TIFF_HEIGHT]) if len(sides) == 2 else None


def _webp(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            bits = struct.unpack_from("<I", data, 21)[0]
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = data[24:27], data[27:30]
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    return None

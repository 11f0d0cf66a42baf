"""How large a picture is, read from the first bytes of its file, before anything is decoded.

A file of a few kilobytes can unpack to gigabytes, and OpenCV's own limit (2^30 pixels) can only be
changed before it is loaded. What is not recognised here is not handed to a decoder either, which
keeps rarely used decoders (OpenEXR, JPEG 2000, …) away from foreign files.
"""

import struct

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""How the names of pictures end that are looked for in folders."""

FORMATS = "JPEG, PNG, BMP, TIFF or WebP"

JPEG_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length (ITU T.81, table B.1)
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 … SOF15
TIFF_WIDTH, TIFF_HEIGHT = 256, 257  # tags (TIFF 6.0, section 8)


def picture_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels as the header states them; None if it is none of `FORMATS`."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
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


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in JPEG_STANDALONE:
            at += 2
        elif marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


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

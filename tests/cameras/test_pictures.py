"""Pictures are found in order, and a bad one is an `Unseen` that says what was found."""

import io
import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from inspector.cameras.headers import picture_size
from inspector.cameras.pictures import MAX_PIXELS, find_pictures, load_picture
from inspector.errors import NoInputError
from inspector.types import Frame, Rule, Unseen
from tests.cameras.conftest import checker

FORMATS = [".jpg", ".png", ".bmp", ".tif", ".webp"]


def encoded(suffix: str, image: np.ndarray | None = None) -> bytes:
    ok, data = cv2.imencode(suffix, checker() if image is None else image)
    assert ok
    return data.tobytes()


def textured() -> np.ndarray:
    noise = np.random.default_rng(7).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + crc


def strip_first_tiff(image: np.ndarray) -> bytes:
    """A TIFF whose directory stands before its pixels, as cameras write it."""
    height, width = image.shape[:2]
    pixels = image[..., ::-1].tobytes()
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 12 * 9 + 4), (277, 3, 1, 3), (278, 3, 1, height),
        (279, 4, 1, len(pixels)),
    ]  # fmt: skip
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    header = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries))
    return header + body + struct.pack("<I", 0) + pixels


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_picture_becomes_a_frame(tmp_path: Path, suffix: str) -> None:
    """Every format that folders are searched for is read as BGR, with the path as its source."""
    path = tmp_path / f"part{suffix}"
    path.write_bytes(encoded(suffix))
    part = load_picture(path)
    assert isinstance(part, Frame)
    assert part.image.dtype == np.uint8
    assert np.abs(part.image.astype(int) - checker())[8:16, 8:16].max() <= 3
    assert part.source == str(path)
    assert part.grab_ms > 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_header_tells_the_size(suffix: str) -> None:
    """What is checked before decoding is what decoding gives."""
    for shape in ((48, 64), (31, 7)):
        assert picture_size(encoded(suffix, np.zeros((*shape, 3), np.uint8))) == shape[::-1]


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("gray.png", np.full((4, 4), 77, np.uint8)),
        ("gray16.png", np.full((4, 4), 77 * 256 + 9, np.uint16)),
        ("colour16.tif", np.full((4, 4, 3), 77 * 256 + 9, np.uint16)),
        ("alpha.png", np.dstack([np.full((4, 4, 3), 77, np.uint8), np.zeros((4, 4), np.uint8)])),
    ],
)
def test_other_pixels_become_bgr(tmp_path: Path, name: str, pixels: np.ndarray) -> None:
    """Gray, 16 bits and alpha all end as the same 8-bit BGR."""
    path = tmp_path / name
    path.write_bytes(encoded(path.suffix, pixels))
    part = load_picture(path)
    assert isinstance(part, Frame)
    assert part.image.shape == (4, 4, 3)
    assert (part.image == 77).all()


def test_orientation_of_exif_is_applied(tmp_path: Path) -> None:
    """A photograph that was taken upright stands upright."""
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)
    jpeg = encoded(".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    path = tmp_path / "upright.jpg"
    path.write_bytes(jpeg[:2] + segment + jpeg[2:])
    part = load_picture(path)
    assert isinstance(part, Frame)
    assert part.image.shape == (64, 48, 3)


def _folder(path: Path) -> None:
    path.mkdir()


def _content(data: bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(data), None)[1]


BAD = {
    "missing": (lambda path: None, "No such file"),
    "empty": (_content(b""), "found an empty file"),
    "text": (_content(b"hello, this is no picture"), "starts with b'hello, t'"),
    "folder": (_folder, "found a folder"),
    "pipe": (os.mkfifo, "found a device or a pipe"),
    "bomb": (_content(png_header(60_000, 60_000) + bytes(9000)), "found 60000 × 60000"),
    "header_only": (_content(png_header(64, 48)), "found one that cannot be decoded"),
    "three_bytes": (_content(b"\xff\xd8\xff"), "starts with"),
    "no_frame_in_jpeg": (_content(b"\xff\xd8\xff\xe0\0\4ab\0\0"), "starts with"),
    "float": (
        _content(encoded(".tif", np.ones((4, 4, 3), np.float32))),
        "found one that cannot be decoded",
    ),
    "foreign": (_content(encoded(".ppm")), "expected a JPEG, PNG, BMP, TIFF or WebP picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_unseen(tmp_path: Path, name: str) -> None:
    """Whatever lies there, the answer is a part that could not be seen, and why."""
    make, detail = BAD[name]
    path = tmp_path / "part.jpg"
    make(path)
    part = load_picture(path)
    assert isinstance(part, Unseen)
    assert part.reason.rule is Rule.UNREADABLE_IMAGE
    assert part.source == str(path)
    assert detail in part.detail
    assert "expected" in part.detail


def test_a_picture_without_permission_is_unseen(tmp_path: Path) -> None:
    """A file that this user may not read is no crash."""
    path = tmp_path / "part.png"
    path.write_bytes(encoded(".png"))
    path.chmod(0)
    root = os.geteuid() == 0  # who may read everything
    if root:
        os.seteuid(65534)
    try:
        part = load_picture(path)
    finally:
        if root:
            os.seteuid(0)
    assert isinstance(part, Unseen)
    assert "Permission denied" in part.detail


def test_a_name_in_another_encoding_can_be_told(tmp_path: Path) -> None:
    """A source is always text that a message can carry."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe4.jpg"))
    assert load_picture(path).source.encode().endswith("/\ufffd.jpg".encode())


@pytest.mark.parametrize("kind", [*FORMATS, "progressive", "strip first"])
def test_a_truncated_picture_is_never_seen(tmp_path: Path, kind: str) -> None:
    """Cut anywhere, no decoder fills the rest with gray or with the picture before."""
    whole = textured()
    match kind:
        case "progressive":
            _, jpeg = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
            data = jpeg.tobytes()
        case "strip first":
            data = strip_first_tiff(whole)
        case suffix:
            data = encoded(suffix, whole)
    path = tmp_path / "cut"
    path.write_bytes(data)
    assert isinstance(load_picture(path), Frame)
    for length in {*range(1, len(data), len(data) // 40), *range(len(data) - 12, len(data))}:
        path.write_bytes(data[:length])
        assert isinstance(load_picture(path), Unseen), f"{length} of {len(data)} bytes"


def jpeg(*options: int, image: np.ndarray | None = None) -> bytes:
    ok, data = cv2.imencode(".jpg", textured() if image is None else image, options)
    assert ok
    return data.tobytes()


def cmyk(transform: int) -> bytes:
    """A picture of four inks, as it is (0) or as YCCK (2)."""
    buffer = io.BytesIO()
    Image.fromarray(textured()).convert("CMYK").save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    data[data.index(b"Adobe") + 11] = transform
    return bytes(data)


SAMPLING = cv2.IMWRITE_JPEG_SAMPLING_FACTOR
JPEGS = {
    "baseline": jpeg(),
    "progressive": jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restart markers": jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
    "4:1:1": jpeg(SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
    "4:4:0": jpeg(SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
    "4:4:4": jpeg(SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    "gray": jpeg(image=textured()[..., 0]),
    "cmyk": cmyk(0),
    "ycck": cmyk(2),
}


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_lacks_data_is_never_seen(tmp_path: Path, kind: str) -> None:
    """Whole it is read. Its rest replaced by an end, or by zeros as a full disk leaves it, is not
    gray without a scratch.
    """
    data = JPEGS[kind]
    path = tmp_path / "part.jpg"
    path.write_bytes(data)
    assert isinstance(load_picture(path), Frame)
    for length in range(1, len(data) - 8, len(data) // 60):
        for rest in (b"\xff\xd9", bytes(len(data) - length), bytes(len(data) - length - 2)):
            path.write_bytes(data[:length] + rest)
            part = load_picture(path)
            assert isinstance(part, Unseen), f"{length} of {len(data)} bytes, then {rest[:2]!r}"
            assert part.reason.rule is Rule.UNREADABLE_IMAGE
    path.write_bytes(data[: len(data) * 9 // 10] + b"\xff\xd9")
    part = load_picture(path)
    assert isinstance(part, Unseen)
    assert re.search(r"expected a whole 80 × 60 picture, found: .*\bdata\b", part.detail)


def test_a_progressive_jpeg_that_lacks_a_scan_is_never_seen(tmp_path: Path) -> None:
    """Ended between two scans it is a blurred picture, of which no decoder complains."""
    data = JPEGS["progressive"]
    path = tmp_path / "part.jpg"
    scans = [match.start() for match in re.finditer(rb"\xff\xda", data)]
    tables = [data.rindex(b"\xff\xc4", 0, scan) for scan in scans]
    assert len(scans) == 10
    for scan in (*scans[1:], *tables[1:]):
        path.write_bytes(data[:scan] + b"\xff\xd9")
        part = load_picture(path)
        assert isinstance(part, Unseen)
        assert "expected a whole 80 × 60 picture" in part.detail


@pytest.mark.parametrize("kind", ["preview", "zeros", "noise", "cut preview"])
def test_what_follows_a_whole_jpeg_is_no_damage(tmp_path: Path, kind: str) -> None:
    """Cameras append a preview or fill up a block: the picture before it is whole."""
    preview = jpeg(image=textured()[::4, ::4])
    more = {
        "preview": preview,
        "zeros": bytes(1000),
        "noise": np.random.default_rng(3).bytes(1000),
        "cut preview": preview[: len(preview) // 2],
    }
    path = tmp_path / "part.jpg"
    path.write_bytes(JPEGS["baseline"] + more[kind])
    part = load_picture(path)
    assert isinstance(part, Frame)
    assert part.image.shape == (60, 80, 3)


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (17, 9)])
def test_a_jpeg_of_any_size_is_read(tmp_path: Path, shape: tuple[int, int]) -> None:
    """Sides that are no multiple of a block are whole, too."""
    path = tmp_path / "part.jpg"
    path.write_bytes(jpeg(image=np.full((*shape, 3), 90, np.uint8)))
    part = load_picture(path)
    assert isinstance(part, Frame)
    assert part.image.shape == (*shape, 3)


def test_a_picture_of_the_largest_size_is_decoded() -> None:
    """The limit lies above the sensors that lines use."""
    assert MAX_PIXELS >= 14_192 * 10_640 * 0.65


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    """2 comes before 10, folders below are searched, and hidden files and other kinds are not."""
    names = ["10.jpg", "2.PNG", "1.jpeg", "b/part 3.tif", "b/part 20.tif", "a/x.webp"]
    for name in [*names, ".hidden.jpg", ".cache/1.jpg", "notes.txt"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [str(path.relative_to(tmp_path)) for path in find_pictures([tmp_path])]
    assert found == ["1.jpeg", "2.PNG", "10.jpg", "a/x.webp", "b/part 3.tif", "b/part 20.tif"]


def test_digits_of_any_script_are_no_trouble(tmp_path: Path) -> None:
    """A superscript is a letter, whatever number it looks like; ten in another script sorts too."""
    for name in ("10²/1.jpg", "²/1.jpg", "٣/1.jpg", "١٠/1.jpg", "5①/1.jpg"):
        path = tmp_path / name
        path.parent.mkdir()
        path.touch()
    found = [path.parent.name for path in find_pictures([tmp_path])]
    assert sorted(found) == sorted(["10²", "²", "٣", "١٠", "5①"])
    assert found.index("5①") < found.index("10²")


def test_named_files_are_taken_as_they_are(tmp_path: Path) -> None:
    """What somebody names is judged, whatever its suffix, in the order in which it was named."""
    files = [tmp_path / "b.dat", tmp_path / "a.jpg"]
    for path in files:
        path.touch()
    assert find_pictures(files) == files


@pytest.mark.parametrize(
    ("name", "message"),
    [("gone", "gone: expected a picture or a folder, found: No such file"), ("bare", "found none")],
)
def test_nothing_to_judge_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    """A missing path and a folder without pictures are told by their name."""
    (tmp_path / "bare").mkdir()
    with pytest.raises(NoInputError, match=message):
        find_pictures([tmp_path / name])

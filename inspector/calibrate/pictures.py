"""What is measured to calibrate: pictures from files, or from the line's own camera."""

import time
from collections.abc import Iterator
from pathlib import Path

from inspector.cameras import Part, make_camera
from inspector.cameras.beats import Beats
from inspector.cameras.pictures import find_pictures, load_picture
from inspector.config import CameraConfig, LineConfig
from inspector.errors import NoInputError
from inspector.progress import tracked
from inspector.types import Image, Unseen


def one(config: LineConfig, file: Path | None) -> Image:
    """The file, or the next frame of the line's camera.

    Raises:
        CameraError, NoInputError: there is no picture.
    """
    if file is not None:
        parts = list(map(load_picture, find_pictures([file])))
    else:
        parts = list(_frames(config.camera, 1))
    if not parts:
        raise NoInputError(f"{config.camera.source}: expected a frame, found none")
    part = parts[0]
    if isinstance(part, Unseen):
        raise NoInputError(f"{part.source}: expected a readable picture, found: {part.detail}")
    return part.image


def many(config: LineConfig, folder: Path | None, frames: int) -> Iterator[Part]:
    """Every picture of the folder, or the next so many parts in front of the line's camera.

    Raises:
        CameraError, NoInputError: there are none.
    """
    parts: Iterator[Part]
    if folder is not None:
        found = find_pictures([folder])
        parts, total = (load_picture(picture) for picture in found), len(found)
    else:
        parts, total = _frames(config.camera, frames), frames
    yield from tracked(parts, "Looking", total)


def _frames(config: CameraConfig, count: int) -> Iterator[Part]:
    """At the line's own pace: frames in between show the same part."""
    camera = make_camera(config)
    try:
        camera.open()
        beats = Beats(config.every_ms / 1000, time.monotonic())
        while count and (part := camera.read()) is not None:
            if camera.live and not beats.meet(time.monotonic()):
                continue
            count -= 1
            yield part
    finally:
        camera.close()

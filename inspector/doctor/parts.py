"""The parts of the line: its model and its camera."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from inspector.cameras import Camera, Part, make_camera
from inspector.config import LineConfig
from inspector.doctor import machine
from inspector.doctor.finding import Finding, Status
from inspector.errors import CameraError, CameraLost, InspectorError
from inspector.segment import bundle
from inspector.sight import look
from inspector.types import Rule, Unseen
from inspector.watchdog import grabber_limit_s

TRIES = 5  # frames; the first ones of a stream may be damaged


def model(line: LineConfig) -> Iterator[Finding]:
    """The bundle is whole, and finds on this machine what it found where it was made."""
    try:
        loaded = bundle.load(bundle.locate(line.model.bundle))
        runtime = bundle.open_runtime(loaded, line.model)
        bundle.self_test(loaded, runtime)
    except InspectorError as error:
        advice = "install the bundle again, or take another model.runtime or model.precision"
        yield Finding("model", Status.BAD, str(error), advice)
        return
    found = f"{loaded.manifest.name} {loaded.manifest.version} on {runtime.name}: self-test passed"
    yield Finding("model", Status.OK, found)


def device(line: LineConfig) -> Iterator[Finding]:
    """A camera's device file lets us in."""
    if line.camera.source.kind != "v4l2":
        return
    path = Path(line.camera.source.target)
    try:
        told = path.stat()
    except OSError as error:
        advice = "plug it in; ls /dev/v4l/by-id has the names of those that are there"
        yield Finding("device", Status.BAD, f"{path}: {error.strerror}", advice)
        return
    found = f"{path}: {stat.filemode(told.st_mode)}, group {machine.group(told.st_gid)}"
    if os.access(path, os.R_OK | os.W_OK):
        yield Finding("device", Status.OK, found)
        return
    advice = f"usermod -aG {machine.group(told.st_gid)} {machine.me()}"
    found += f": {machine.me()} may not use it"
    yield Finding("device", Status.BAD, found, advice)


def camera(line: LineConfig) -> Iterator[Finding]:
    """It opens, and gives a picture that can be judged within its deadline."""
    config = line.camera
    try:
        part = _first(make_camera(config), grabber_limit_s(config))
    except CameraError as error:
        live = "look at its cable, power and address; a USB camera serves one program at a time"
        advice = live if config.source.live else "correct camera.source, or put pictures there"
        yield Finding("camera", Status.BAD, str(error), advice)
        return
    if part is None:
        advice = "put pictures there"
        yield Finding("camera", Status.BAD, f"{config.source}: gave no frame", advice)
    elif isinstance(part, Unseen):
        advice = "this part would be `unknown`; look at the file, or at the camera's cable"
        yield Finding("camera", Status.WARN, f"{part.source}: {part.detail}", advice)
    else:
        height, width = part.image.shape[:2]
        reason = look(part.image, age_s=0.0, max_age_s=1.0, size=line.frame_size)
        found = f"{config.source}: a frame of {width} × {height}"
        yield _judge(line, (width, height), reason.rule if reason else None, found)


def _judge(line: LineConfig, size: tuple[int, int], rule: Rule | None, found: str) -> Finding:
    roi = line.camera.roi
    x, y, width, height = roi or (0, 0, *size)
    if rule is Rule.FRAME_SIZE:
        expected = line.frame_size or "a larger one"
        advice = f"expected {expected}: every part would be `unknown`"
        return Finding("camera", Status.BAD, found, advice)
    if x + width > size[0] or y + height > size[1]:
        advice = f"camera.roi {roi} reaches beyond it: every part would be `unknown`"
        return Finding("camera", Status.BAD, found, advice)
    if rule is not None:
        advice = "look at light, lens cap and exposure: such a part is `unknown`"
        return Finding("camera", Status.WARN, f"{found}, {rule}", advice)
    return Finding("camera", Status.OK, found)


def sight(line: LineConfig) -> Iterator[Finding]:
    """A part out of focus is noticed only by a window of sharpness."""
    if line.sight.min_sharpness is None:
        found = "no window of sharpness: blurred parts pass"
        advice = "`inspector calibrate --sight` learns it from good pictures"
        yield Finding("sight", Status.WARN, found, advice)
    else:
        found = f"a sharpness below {line.sight.min_sharpness:g} is `unknown`"
        yield Finding("sight", Status.OK, found)


def _first(opened: Camera, patience_s: float) -> Part | None:
    """A camera's first frame, in a thread of its own: a driver that hangs must not hang us.

    Raises:
        CameraError: it does not open, gives no frame, or does not answer at all.
    """
    seen: list[Part | Exception | None] = []

    def see() -> None:
        try:
            opened.open()
            part = opened.read()
            for _ in range(TRIES):
                if not (opened.live and isinstance(part, Unseen)):
                    break
                part = opened.read()
            seen.append(part)
        except Exception as error:
            seen.append(error)
        finally:
            opened.close()

    thread = threading.Thread(target=see, name="doctor's camera", daemon=True)
    thread.start()
    thread.join(patience_s)
    if not seen:
        raise CameraLost(f"expected an answer of its driver within {patience_s:g} s, found none")
    if isinstance(seen[0], Exception):
        raise seen[0]
    return seen[0]

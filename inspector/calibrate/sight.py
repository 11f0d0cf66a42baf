"""What a line's pictures have to be like, learned from good ones; the mark that has to be there."""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from inspector import lines, mark
from inspector.calibrate import pictures
from inspector.errors import NoInputError
from inspector.pipeline import View
from inspector.sight import look, see
from inspector.types import Gray, Image, Reason, Rule, Unseen
from inspector.windows import Reference, Seen, Windows, learn

LEAST = 10  # pictures; a tenth of fewer is none
STOPS = 4  # of light, and
BLUR_PX = 3.0  # of focus (standard deviation): the windows are tried on pictures that lack so much


def find_windows(path: Path, folder: Path | None, frames: int) -> Windows:
    """Learn the windows of exposure and sharpness from the good pictures in `folder`, None: from
    the next `frames` parts in front of the camera of the line at `path`.

    Raises:
        ConfigError: the line does not validate.
        CameraError, NoInputError: there are fewer than `LEAST` pictures that can be judged.
    """
    config = lines.read(path).config
    view, refused = View.of(config, None), Counter[Rule]()
    good, dark, blurred = [], [], []
    darker = _curve(STOPS)
    for part in pictures.many(config, folder, frames):
        reason = part.reason if isinstance(part, Unseen) else _refuse(part.image, view)
        if reason is not None:
            refused[reason.rule] += 1
        elif not isinstance(part, Unseen):
            judged = view.judged(part.image)
            good.append(see(judged))
            dark.append(see(np.asarray(cv2.LUT(judged, darker), np.uint8)))
            blurred.append(see(np.asarray(cv2.GaussianBlur(judged, (0, 0), BLUR_PX), np.uint8)))
    left_out = ", ".join(f"{count} × {rule}" for rule, count in refused.items())
    if len(good) < LEAST:
        found = f"{len(good)} ({left_out})" if left_out else str(len(good))
        raise NoInputError(f"expected at least {LEAST} good pictures, found {found}")
    windows = learn(good)
    sys.stdout.write(f"learned from {len(good)} pictures; left out: {left_out or 'none'}\n")
    for what, seen in (
        ("these pictures", good),
        (f"the same, {STOPS} stops darker", dark),
        (f"the same, blurred by {BLUR_PX:g} px", blurred),
    ):
        sys.stdout.write(f"{what}: {_unknown(windows, seen)} of {len(seen)} would be unknown\n")
    if min(_unknown(windows, dark), _unknown(windows, blurred)) < len(good):
        sys.stdout.write(
            "the windows are too wide to notice all of that, because the pictures differ so much\n"
        )
    return windows


def find_reference(
    path: Path, box: tuple[int, int, int, int], within_px: int, picture: Path | None, *, keep: bool
) -> Reference:
    """The mark in a box (x, y, width, height) of the picture, None: of the next frame of the camera
    of the line at `path`, which has to be in view within so many px of its place. To `keep` it is
    to write its picture beside the line's file.

    Raises:
        ConfigError: the line does not validate, the box holds no mark, or it cannot be kept.
        CameraError, NoInputError: there is no picture that can be judged.
    """
    config = lines.read(path).config
    image = pictures.one(config, picture)
    reason = _refuse(image, View.of(config, None))
    if reason is not None:
        raise NoInputError(f"expected a picture that can be judged, found: {reason.rule}")
    kept = mark.keep(mark.cut(image, box), path, write=keep)
    return Reference(picture=kept, at=box[:2], within_px=within_px)


def _refuse(image: Image, view: View) -> Reason | None:
    """Why nothing can be learned from the picture."""
    reason = look(image, age_s=0.0, max_age_s=math.inf, size=view.size)
    if reason is None and view.roi is not None:
        height, width = view.judged(image).shape[:2]
        if (width, height) != view.roi[2:]:
            return Reason(Rule.OUTSIDE_FRAME)
    return reason


def _unknown(windows: Windows, seen: Sequence[Seen]) -> int:
    return sum(windows.refuse(one) is not None for one in seen)


def _curve(stops: float) -> Gray:
    """Gray levels that light of so many stops less gives, by the transfer function of sRGB
    (IEC 61966-2-1), which cameras' pictures follow more or less.
    """
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4) / 2**stops
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(coded * 255).astype(np.uint8)

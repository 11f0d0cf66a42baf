"""Draw a result on its picture: outlines, lengths, and the verdict in words and colour."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from inspector.types import Image, Result, Verdict

COLOURS = {  # BGR
    Verdict.PASS: (80, 160, 0),
    Verdict.FAIL: (40, 40, 220),
    Verdict.UNKNOWN: (0, 160, 240),
}
OUTLINE = (0, 220, 255)
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX
NO_PICTURE = (320, 480)  # height, width of the card for a part that has no picture


class Drawn(Protocol):
    """A scratch as it is drawn: of a result, or of a message."""

    @property
    def length_px(self) -> float: ...
    @property
    def length_mm(self) -> float | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def polygon(self) -> tuple[tuple[int, int], ...]: ...


def draw(image: Image | None, result: Result) -> Image:
    """A copy of the picture (H, W, 3) with a banner above it; a grey card where there is none."""
    canvas = np.full((*NO_PICTURE, 3), 64, np.uint8) if image is None else image.copy()
    scale = max(0.4, canvas.shape[1] / 1600)
    for scratch in result.scratches:
        _outline(canvas, scratch, scale)
    return np.vstack([_banner(canvas.shape[1], result, scale), canvas])


def shrunk(image: Image, scratches: Sequence[Drawn], most: int) -> Image:
    """A copy of the picture (H, W, 3) of at most `most` px in width and height, with outlines and
    lengths drawn at its own size, so that they can be read however large the frame is.
    """
    factor = min(1.0, most / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    canvas = np.ascontiguousarray(small, np.uint8)
    for scratch in scratches:
        _outline(canvas, scratch, 0.8, factor)
    return canvas


def headline(result: Result) -> str:
    """The verdict and its reasons in one line."""
    words = [result.verdict.value.upper()]
    for reason in result.reasons:
        number = "" if reason.value is None else f" {reason.value:g}"
        limit = "" if reason.limit is None else f" (limit {reason.limit:g} {reason.unit or ''})"
        zone = f" in {reason.zone}" if reason.zone else f" of {reason.kind}" if reason.kind else ""
        marginal = " marginal" if reason.marginal else ""
        words.append(f"{reason.rule}{number}{limit.replace(' )', ')')}{zone}{marginal}")
    if result.marginal and not result.reasons:
        words.append("marginal")
    return "  ".join(words)


def _outline(canvas: Image, scratch: Drawn, scale: float, factor: float = 1.0) -> None:
    """`factor`: px of the canvas per px of the frame."""
    polygon = np.rint(np.asarray(scratch.polygon) * factor).astype(np.int32)
    cv2.polylines(canvas, [polygon], True, OUTLINE, 1, cv2.LINE_AA)
    right, top = polygon.max(axis=0)[0], polygon.min(axis=0)[1]
    length = f"{scratch.length_px:.0f} px"
    if scratch.length_mm is not None:
        length = f"{scratch.length_mm:.2f} mm"
    label = f"{length} {scratch.confidence:.2f}"
    (width, height), below = cv2.getTextSize(label, FONT, scale * 0.7, 3)
    # Beside the upper right corner of the scratch, and never cut off by the picture's edge.
    at = (
        max(0, min(int(right) + 4, canvas.shape[1] - width)),
        max(height, min(int(top), canvas.shape[0] - below)),
    )
    for colour, thickness in ((BLACK, 3), (OUTLINE, 1)):
        cv2.putText(canvas, label, at, FONT, scale * 0.7, colour, thickness, cv2.LINE_AA)


def _banner(width: int, result: Result, scale: float) -> Image:
    banner = np.full((int(36 * scale), width, 3), COLOURS[result.verdict], np.uint8)
    at = (int(8 * scale), int(26 * scale))
    cv2.putText(banner, headline(result), at, FONT, scale * 0.8, WHITE, 1, cv2.LINE_AA)
    return banner

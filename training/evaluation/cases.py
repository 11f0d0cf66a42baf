"""The pictures from which one learns: worst misses, false alarms and length errors, drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.cameras.pictures import load_picture
from inspector.types import Frame, Image, Verdict
from training.evaluation.matching import grow, raster
from training.evaluation.summary import is_borderline, ought_to_fail, rejected
from training.evaluation.values import Judged, Kind, Polygon

TRUTH, FALSE, RIGHT = (233, 180, 86), (0, 94, 213), (66, 228, 240)
"""BGR: sky blue, vermilion, yellow of Okabe and Ito's palette, told apart by colour-blind eyes."""
MARGIN_PX = 40
PANE_PX = 300
"""Side of a pane, in which a case is shown once plain and once with outlines."""
GAP_PX = 4
GREY = np.uint8(128)
JPEG_QUALITY = 86


@dataclass(frozen=True, slots=True)
class Case:
    """One of the worst: where to look, and what to say about it. `weight` orders them."""

    judged: Judged
    focus: Polygon
    says: str
    weight: tuple[float, ...]


def misses(judged: Sequence[Judged], limit_px: float, count: int) -> list[Case]:
    """Scratches that were not found, one per picture: first on parts that passed and ought not."""
    cases = []
    for j in judged:
        lost = [t for t in j.truths if not t.found]
        escaped = not rejected(j) and ought_to_fail(j, limit_px) and not is_borderline(j, limit_px)
        if lost:
            worst = max(lost, key=lambda t: t.length_px)
            contrast = "" if worst.contrast is None else f", contrast {worst.contrast:.0f}"
            says = f"{worst.length_px:.0f} px{contrast}: not found"
            cases.append(Case(j, worst.polygon, says, (escaped, worst.length_px)))
        elif escaped:
            says = f"passed; longest measured {j.longest_px:.0f} px"
            longest = max(j.truths, key=lambda t: t.length_px, default=None)
            focus = longest.polygon if longest else ()
            cases.append(Case(j, focus, says, (True, j.longest_true_px or 0.0)))
    return _worst(cases, count)


def false_alarms(judged: Sequence[Judged], limit_px: float, count: int) -> list[Case]:
    """Predictions where no scratch is, one per picture: first on parts that this rejected."""
    cases = []
    for j in judged:
        wrong = [p for p in j.predictions if p.kind is Kind.WRONG]
        if wrong:
            worst = max(wrong, key=lambda p: p.length_px)
            says = f"{worst.length_px:.0f} px, confidence {worst.confidence:.2f}: no scratch"
            lost = rejected(j) and not ought_to_fail(j, limit_px)
            cases.append(Case(j, worst.polygon, says, (lost, worst.length_px)))
    return _worst(cases, count)


def length_errors(judged: Sequence[Judged], count: int) -> list[Case]:
    """Scratches that were found and measured worst, one per picture."""
    cases = []
    for j in judged:
        measured = [(abs(t.error_px), t) for t in j.truths if t.error_px is not None]
        if measured:
            error, worst = max(measured, key=lambda m: m[0])
            found = worst.length_px + (worst.error_px or 0.0)
            says = f"true {worst.length_px:.0f} px, measured {found:.0f}"
            if worst.pieces > 1:
                says += f" in {worst.pieces} pieces"
            cases.append(Case(j, worst.polygon, says, (error,)))
    return _worst(cases, count)


def _worst(cases: list[Case], count: int) -> list[Case]:
    return sorted(cases, key=lambda c: c.weight, reverse=True)[:count]


def unknowns(judged: Sequence[Judged]) -> Iterator[tuple[str, str]]:
    """Name and reasons of every picture that could not be judged."""
    for j in judged:
        if j.verdict is Verdict.UNKNOWN:
            yield j.row.name, ", ".join(j.reasons)


def picture_of(case: Case) -> bytes:
    """The case as a JPEG: plain on the left, on the right with truth and predictions outlined.

    Outlines run outside of what they mark, so that the scratch itself stays to be seen.
    """
    part = load_picture(case.judged.row.path)
    if not isinstance(part, Frame):  # nothing to show but that
        panes = np.full((PANE_PX, 2 * PANE_PX + GAP_PX, 3), GREY)
    else:
        left, top, right, bottom = _window(case, part.image)
        plain = part.image[top:bottom, left:right]
        side = max(plain.shape[:2])
        scale = PANE_PX / side
        small = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        size = (round(plain.shape[1] * scale), round(plain.shape[0] * scale))
        plain = np.asarray(cv2.resize(plain, size, interpolation=small), np.uint8)
        marked = plain.copy()
        for truth in case.judged.truths:
            _outline(marked, truth.polygon, (left, top), scale, TRUTH, 3)
        for prediction in case.judged.predictions:
            colour = FALSE if prediction.kind is Kind.WRONG else RIGHT
            _outline(marked, prediction.polygon, (left, top), scale, colour, 6)
        panes = np.hstack([_square(plain), np.full((PANE_PX, GAP_PX, 3), GREY), _square(marked)])
    done, jpeg = cv2.imencode(".jpg", panes, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return jpeg.tobytes()


def _window(case: Case, image: Image) -> tuple[int, int, int, int]:
    """A square around the focus, inside the picture: left, top, right, bottom."""
    height, width = image.shape[:2]
    if not case.focus:
        return 0, 0, width, height
    points = np.array(case.focus)
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(float((high - low).max()) + 2 * MARGIN_PX, PANE_PX / 2)
    middle = (low + high) / 2
    start = [
        int(np.clip(m - side / 2, 0, max(0, extent - side)))
        for m, extent in zip(middle, (width, height), strict=True)
    ]
    return start[0], start[1], min(width, int(start[0] + side)), min(height, int(start[1] + side))


def _outline(
    canvas: Image,
    polygon: Polygon,
    corner: tuple[int, int],
    scale: float,
    colour: tuple[int, int, int],
    distance: int,
) -> None:
    points = (np.array(polygon) - corner + 0.5) * scale - 0.5
    # On a canvas with a border, so that the outline of what ends at the rim is not drawn along it.
    height, width = canvas.shape[:2]
    area = grow(raster(points + distance, (height + 2 * distance, width + 2 * distance)), distance)
    outlines, _ = cv2.findContours(area.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, colour, 2, offset=(-distance, -distance))


def _square(pane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    square = np.full((PANE_PX, PANE_PX, 3), GREY)
    height, width = pane.shape[:2]
    square[:height, :width] = pane[:PANE_PX, :PANE_PX]
    return square

"""From a judged part to what will stand in its files. Pure."""

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from inspector.errors import EvidenceError
from inspector.keeping import Kept
from inspector.overlay import draw
from inspector.record.evidence.record import Exact, Judging, exact, to_jpeg, to_png
from inspector.types import Image, Result

OVERLAY_QUALITY = 85  # of a JPEG; it is for eyes


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part that was judged, and was recorded with this id and this message.

    `image` is the frame itself, not a copy: nobody writes into one that was handed on.
    """

    id: str
    kept: Kept
    image: Image
    result: Result
    payload: str
    judging: Judging

    @property
    def size_bytes(self) -> int:
        """What it takes of the memory."""
        return self.image.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A part that is to be kept; `picture` and `overlay` as they will stand in their files."""

    id: str
    kept: Kept
    judged_at: datetime
    picture: bytes | None
    overlay: bytes | None
    result: dict[str, Any]
    exact: tuple[Exact, ...]
    judging: Judging

    @property
    def size_bytes(self) -> int:
        """Of the pictures; the record's own file adds little."""
        return len(self.picture or b"") + len(self.overlay or b"")


def draft(part: Part) -> Draft:
    """Encode its pictures, which takes most of the time that keeping it takes."""
    result = json.loads(part.payload)
    picture = _picture(part.image)
    return Draft(
        id=part.id,
        kept=part.kept,
        judged_at=datetime.fromisoformat(result["time"]),
        picture=picture,
        overlay=_overlay(part.image, part.result) if picture else None,
        result=result,
        exact=exact(part.result),
        judging=part.judging,
    )


def _picture(image: Image) -> bytes | None:
    """None for what a camera should not give, and a PNG cannot hold: it was not judged either."""
    with contextlib.suppress(EvidenceError):
        return to_png(image)
    return None


def _overlay(image: Image, result: Result) -> bytes | None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        return None
    with contextlib.suppress(EvidenceError):
        return to_jpeg(draw(image, result), OVERLAY_QUALITY)
    return None

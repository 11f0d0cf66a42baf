"""Inspector.inspect: look → segment → measure → decide, for one part."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Self

from inspector.config import LineConfig
from inspector.decide import decide, is_measured
from inspector.errors import InferenceError
from inspector.limits import Limits, Scale
from inspector.measure import measure
from inspector.place import placed
from inspector.refine import refine
from inspector.segment.segmenter import Segmenter
from inspector.sight import look
from inspector.types import (
    Detection,
    Frame,
    Reason,
    Result,
    Rule,
    Timing,
    Unseen,
    Verdict,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """What a line expects of its frames: `size` (width, height) in px, age in s; which part of them
    it judges: `roi` as x, y, width, height in frame pixels; and how large a pixel is, if known.
    """

    roi: tuple[int, int, int, int] | None = None
    size: tuple[int, int] | None = None
    max_age_s: float = math.inf
    scale: Scale | None = None

    @classmethod
    def of(cls, config: LineConfig, max_age_s: float = math.inf) -> Self:
        """As the line's configuration says."""
        size = config.camera.size or (config.scale.size if config.scale else None)
        return cls(config.camera.roi, size, max_age_s, config.scale)


WHOLE_FRAME = View()


class Inspector:
    """Judges parts. It never raises on a part: whatever goes wrong is a verdict `unknown`."""

    def __init__(self, segmenter: Segmenter, limits: Limits, view: View = WHOLE_FRAME) -> None:
        self.segmenter = segmenter
        self.limits = limits
        self.view = view

    def inspect(self, part: Frame | Unseen) -> Result:
        """The verdict on one part, with what was found on it and how long each step took."""
        if isinstance(part, Unseen):
            if part.reason.rule is not Rule.NO_FRAME:  # the grabber told of a lost camera, once
                log.warning("%s: %s", part.source, part.detail)
            timing = Timing(grab=part.grab_ms, total=part.grab_ms)
            return Result(part.source, Verdict.UNKNOWN, (part.reason,), (), None, timing)
        watch = _Stopwatch(part.grab_ms)
        try:
            return self._judge(part, watch)
        except InferenceError:
            log.exception("%s: the model failed", part.source)
            reason = Reason(Rule.MODEL_ERROR)
        except Exception:
            log.exception("%s: judging failed", part.source)
            reason = Reason(Rule.INTERNAL_ERROR)
        return _unknown(part, reason, watch)

    def _judge(self, frame: Frame, watch: "_Stopwatch") -> Result:
        reason = self._look(frame)
        watch.lap("look")
        if reason is not None:
            return _unknown(frame, reason, watch)
        x, y, width, height = roi = self.view.roi or (0, 0, *_size(frame))
        found = self.segmenter.segment(frame.image[y : y + height, x : x + width])
        watch.lap("segment")
        moved = (Detection(d.confidence, d.x + x, d.y + y, d.mask) for d in found)
        measured = measure([refine(detection, frame.image) for detection in moved])
        limits, scale = self.limits, self.view.scale
        scratches = tuple(placed(scratch, limits.zones, scale) for scratch in measured)
        watch.lap("measure")
        decision = decide(scratches, limits, roi, scale)
        watch.lap("decide")
        # JSON has no NaN; what could not be measured is told by its reason.
        told = tuple(filter(is_measured, scratches))
        return Result(
            frame.source,
            decision.verdict,
            decision.reasons,
            told,
            _size(frame),
            watch.timing(),
            decision.marginal,
        )

    def _look(self, frame: Frame) -> Reason | None:
        reason = look(
            frame.image,
            age_s=time.monotonic() - frame.grabbed_s,
            max_age_s=self.view.max_age_s,
            size=self.view.size,
        )
        if reason is not None:
            return reason
        x, y, width, height = self.view.roi or (0, 0, 0, 0)
        corners: list[tuple[str | None, tuple[int, int]]] = [(None, (x + width, y + height))]
        # A zone beside the frame shows that it was drawn on other frames than these.
        corners += [(zone.name, corner) for zone in self.limits.zones for corner in zone.polygon]
        for zone_name, corner in corners:
            for end, available in zip(corner, _size(frame), strict=True):
                if not end <= available:
                    return Reason(Rule.OUTSIDE_FRAME, end, available, "px", zone_name)
        return None


class _Stopwatch:
    """Lap times in milliseconds; the total counts from the camera's read."""

    def __init__(self, grab_ms: float) -> None:
        self._laps = {"grab": grab_ms}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._laps[name] = (now - self._last) * 1000
        self._last = now

    def timing(self) -> Timing:
        elapsed = (time.perf_counter() - self._start) * 1000
        return Timing(**self._laps, total=self._laps["grab"] + elapsed)


def _unknown(frame: Frame, reason: Reason, watch: _Stopwatch) -> Result:
    return Result(frame.source, Verdict.UNKNOWN, (reason,), (), _size(frame), watch.timing())


def _size(frame: Frame) -> tuple[int, int]:
    height, width = frame.image.shape[:2]
    return width, height

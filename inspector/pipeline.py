"""Inspector.inspect: look → segment → measure → decide, for one part."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from inspector.config import LineConfig
from inspector.decide import decide, is_measured
from inspector.errors import InferenceError
from inspector.limits import Limits, Scale
from inspector.measure import measure
from inspector.place import placed
from inspector.refine import refine
from inspector.segment.segmenter import Segmenter
from inspector.sight import Repeats, as_learned, exposure, in_place, look
from inspector.types import (
    Detection,
    Frame,
    Gray,
    Image,
    Reason,
    Result,
    Rule,
    Timing,
    Unseen,
    Verdict,
)
from inspector.windows import Sight

log = logging.getLogger(__name__)


MOST_FOUND = 500  # measuring them takes about a second; a frame full of noise has thousands
FRESH_S = 0.5  # a live frame older than this shows a part that has moved on


@dataclass(frozen=True, slots=True)
class View:
    """What a line expects of its frames: `size` (width, height) in px, age in s; which part of them
    it judges: `roi` as x, y, width, height in frame pixels; and how large a pixel is, if known.

    `one_size`: where no size is expected, all frames are as large as the first that was judged.
    `frozen_after`: so many equal frames in a row show that the camera repeats itself, 0: they may
    be equal. `sight`: what a picture has to be like; `mark`: the gray picture (H, W) of its
    reference, without which a reference is never in place.
    """

    roi: tuple[int, int, int, int] | None = None
    size: tuple[int, int] | None = None
    one_size: bool = False
    max_age_s: float = math.inf
    scale: Scale | None = None
    frozen_after: int = 0
    sight: Sight = Sight()
    mark: Gray | None = field(default=None, compare=False)

    @classmethod
    def of(cls, config: LineConfig, mark: Gray | None, *, live: bool = False) -> Self:
        """As the line's configuration says; `live`: for frames that its camera shows now."""
        return cls(
            roi=config.camera.roi,
            size=config.frame_size,
            one_size=live,
            max_age_s=FRESH_S if live else math.inf,
            scale=config.scale,
            frozen_after=config.camera.frozen_after if live else 0,
            sight=config.sight,
            mark=mark,
        )

    def judged(self, image: Image) -> Image:
        """The part of a frame that is judged."""
        x, y, width, height = self.roi or (0, 0, image.shape[1], image.shape[0])
        return image[y : y + height, x : x + width]


WHOLE_FRAME = View()


class Inspector:
    """Judges parts. It never raises on a part: whatever goes wrong is a verdict `unknown`."""

    def __init__(self, segmenter: Segmenter, limits: Limits, view: View = WHOLE_FRAME) -> None:
        """To judge by these limits, in this view.

        Raises:
            ConfigError: the limits do not fit the model's classes (`Limits.refuse_others_than`).
        """
        self.segmenter = segmenter
        self._repeats = Repeats()
        self._first_size: tuple[int, int] | None = None
        self.judge_by(limits, view)

    def judge_by(self, limits: Limits, view: View) -> None:
        """The same from the next part on; where it is refused all stays as it was.

        Raises:
            ConfigError: the limits do not fit the model's classes (`Limits.refuse_others_than`).
        """
        limits.refuse_others_than(self.segmenter.manifest.classes)
        if view.one_size and view.size is None:
            view = replace(view, size=self._first_size)
        self.limits, self.view = limits, view

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
        self._keep_size(frame)
        judged = self.view.judged(frame.image)
        found = _sane(self.segmenter.segment(judged))
        watch.lap("segment")
        x, y, *_ = roi = self.view.roi or (0, 0, *_size(frame.image))
        refined = refine(found, judged)  # what lies beside the roi is not followed either
        limits, scale = self.limits, self.view.scale
        measured = measure(
            [replace(d, x=d.x + x, y=d.y + y) for d in refined], {c.name for c in limits.classes}
        )
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
            _size(frame.image),
            watch.timing(),
            decision.marginal,
        )

    def _look(self, frame: Frame) -> Reason | None:
        view = self.view
        age_s = time.monotonic() - frame.grabbed_s
        return (
            look(frame.image, age_s=age_s, max_age_s=view.max_age_s, size=view.size)
            or self._frozen(frame)
            or self._outside(frame)
            or (exposure(view.judged(frame.image)) if view.roi else None)
            or as_learned(view.judged(frame.image), view.sight)
            or in_place(frame.image, view.sight.reference, view.mark)
        )

    def _keep_size(self, frame: Frame) -> None:
        """Limits in px hold for frames of one size: of another one a scratch is as long as half."""
        if self.view.one_size and self.view.size is None:
            self._first_size = _size(frame.image)
            self.view = replace(self.view, size=self._first_size)

    def _frozen(self, frame: Frame) -> Reason | None:
        if not self.view.frozen_after:
            return None
        equal = self._repeats.count(frame.image)
        if equal < self.view.frozen_after:
            return None
        return Reason(Rule.FROZEN, equal, self.view.frozen_after, "frames")

    def _outside(self, frame: Frame) -> Reason | None:
        x, y, width, height = self.view.roi or (0, 0, 0, 0)
        corners: list[tuple[str | None, tuple[int, int]]] = [(None, (x + width, y + height))]
        # A zone beside the frame shows that it was drawn on other frames than these.
        corners += [(zone.name, corner) for zone in self.limits.zones for corner in zone.polygon]
        for zone_name, corner in corners:
            for end, available in zip(corner, _size(frame.image), strict=True):
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


def _sane(found: Sequence[Detection]) -> Sequence[Detection]:
    """What the model found, unless no working model can have found it.

    Raises:
        InferenceError: a confidence is no share of 1, or there is more than can be told apart in
            time.
    """
    if len(found) > MOST_FOUND:
        raise InferenceError(f"expected at most {MOST_FOUND} scratches, found {len(found)}")
    for one in found:
        if not 0 <= one.confidence <= 1:
            raise InferenceError(f"expected a confidence from 0 to 1, found {one.confidence}")
    return found


def _unknown(frame: Frame, reason: Reason, watch: _Stopwatch) -> Result:
    size = _size(frame.image) if frame.image.ndim >= 2 and frame.image.size else None
    return Result(frame.source, Verdict.UNKNOWN, (reason,), (), size, watch.timing())


def _size(image: Image) -> tuple[int, int]:
    height, width = image.shape[:2]
    return width, height

"""`inspector run`: the sentence, with its threads.

The grabber grabs, this thread judges and records, the publisher publishes.
"""

import logging
import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import FrameType

import cv2

from inspector import lines
from inspector.calibration import overrule
from inspector.cameras import CameraState, Grabber, make_camera
from inspector.config import CameraConfig, LineConfig
from inspector.errors import ConfigError, OutboxError
from inspector.notify import notify
from inspector.pipeline import Inspector, View
from inspector.publish.announcement import StatsMessage
from inspector.publish.message import ModelInfo, encode, result_message
from inspector.publish.publisher import Publisher
from inspector.publish.topics import Topics
from inspector.record.outbox import Outbox, Ticket
from inspector.segment import bundle
from inspector.statistics import Counts, Pace
from inspector.types import Frame, Reason, Result, Rule, Unseen
from inspector.watchdog import PUBLISHER_S, Pulse, Watchdog, grabber_limit_s

log = logging.getLogger(__name__)

FLUSH_S = (
    5.0  # on a clean stop the publisher may still deliver for so long; the outbox keeps the rest
)
JOIN_S = 2.0  # for a camera's native read to come back
GRACE_S = 0.3  # before a camera that does not deliver is an alarm
FRESH_S = 0.5  # a live frame older than this shows a part that has moved on
KEEP, KEEP_ROWS = timedelta(days=7), 1_000_000  # delivered results stay for a broker that forgets
PURGE_EVERY = 100  # results
POLL_S = 0.2  # how soon a signal is noticed while nothing moves


def run(told: lines.Line) -> None:
    """Judge what passes the line's camera, until SIGTERM or SIGINT or the end of its files.

    Raises:
        BundleError: the model may not run.
        OutboxError: the outbox cannot be opened.
    """
    cv2.setNumThreads(1)  # the cores belong to the runtime
    config, calibration = told.config, Calibration(told)
    stop = threading.Event()
    with _stopping(stop), ExitStack() as stack:
        inspector, model = _open_inspector(config)
        outbox = Outbox(config.state_dir / "outbox.db")
        stack.callback(outbox.close)
        line = Line(config, inspector, model, outbox)
        grabber = Grabber(make_camera(config.camera), every_s=config.camera.every_ms / 1000)
        watchdog, patience_s = Watchdog(), grabber_limit_s(config.camera)

        def live() -> None:
            camera, publisher = grabber.state, line.publisher
            watchdog.pet(
                _status(camera, publisher),
                Pulse("grabber", camera.last_progress_s, patience_s),
                Pulse("publisher", publisher.last_progress_s, PUBLISHER_S),
            )

        line.publisher.start()
        grabber.start()
        notify("READY=1", f"STATUS=judging with {model.name} on {model.runtime}")
        try:
            for part in parts(grabber, config.camera, stop):
                if part is not None:
                    line.judge(part)
                line.tell(grabber.state)
                calibration.apply(line)
                live()
            line.deliver(stop, live)
        finally:
            notify("STOPPING=1")
            if not grabber.stop(JOIN_S):
                log.warning("the camera does not answer; its thread is left behind")
            if not line.publisher.stop(FLUSH_S):
                log.warning("%d results wait in the outbox for the next start", outbox.depth())


def parts(
    grabber: Grabber, config: CameraConfig, stop: threading.Event
) -> Iterator[Frame | Unseen | None]:
    """One part after the other, as the grabber hands them over, until `stop` or the end of files.

    None says that no part is due yet. A camera that is silent for longer than its timeout gives an
    `Unseen`. With `every_ms` parts are known to pass all the same, and each is unseen; without it
    nothing says that one did, so a silence is one unseen part, however long it lasts.
    """
    period_s, timeout_s = config.every_ms / 1000, config.timeout_ms / 1000
    due_s = time.monotonic() + period_s + timeout_s
    while not stop.is_set() and not grabber.state.ended:
        part = grabber.take(min(POLL_S, max(0.0, due_s - time.monotonic())))
        now_s = time.monotonic()
        if part is not None:
            due_s = now_s + period_s + timeout_s
        elif now_s >= due_s:
            reason = Reason(Rule.NO_FRAME, limit=config.timeout_ms, unit="ms")
            part = Unseen(str(config.source), reason, grabber.state.detail)
            due_s = now_s + period_s if period_s else math.inf
        yield part


class Line:
    """What one judged part sets in motion: it is recorded, counted and given to the publisher."""

    def __init__(
        self, config: LineConfig, inspector: Inspector, model: ModelInfo, outbox: Outbox
    ) -> None:
        self._config = config
        self._inspector = inspector
        self._limits = config.limits
        self._model = model
        self._outbox = outbox
        self._topics = Topics(config.site, config.line)
        self._counts = Counts(_today(), outbox.verdicts_since(_midnight()))
        self._pace = Pace(time.monotonic())
        self.publisher = Publisher(
            config.mqtt, self._topics, outbox, model=model, limits=config.limits, stats=self._stats
        )
        aside = outbox.set_aside
        damage = f"the outbox was damaged and is kept as {aside.name}" if aside else None
        self.publisher.alarm("outbox_damaged", damage)

    def judge(self, part: Frame | Unseen) -> None:
        """Decide → commit → publish, in this order: what is told was recorded before."""
        result = self._inspector.inspect(part)
        try:
            self._record(result)
        except OutboxError as error:
            log.exception("%s: the result could not be recorded", result.source)
            self.publisher.alarm("outbox", str(error))
            return
        self.publisher.alarm("outbox", None)
        self.publisher.notify()
        self._counts.add(result.verdict, _today())
        self._pace.add(result.timing.total)
        self.publisher.set_count(*self._counts.totals())

    def tell(self, camera: CameraState) -> None:
        """Report what the camera does; one that has only just gone may be back at once."""
        lost = not (camera.online or camera.ended)
        if lost and time.monotonic() - camera.since_s < GRACE_S:
            return
        self.publisher.set_state("camera_lost" if lost else "running")
        self.publisher.alarm("camera", camera.detail if lost else None)

    def set_calibration(self, config: LineConfig) -> None:
        """Judge by these limits and this scale from the next part on; what is published says so."""
        self._inspector.limits = self._limits = config.limits
        self._inspector.view = _view(config)
        self.publisher.set_limits(config.limits)

    def deliver(self, stop: threading.Event, live: Callable[[], None]) -> None:
        """All is judged: wait until the broker has acknowledged it, or until told to stop.

        Meanwhile `live` is called again and again.
        """
        self.publisher.set_state("finished")
        while self._outbox.depth() and not stop.wait(POLL_S):
            live()

    def _record(self, result: Result) -> None:
        def message(ticket: Ticket) -> str:
            return encode(
                result_message(
                    result,
                    id=ticket.id,
                    seq=ticket.seq,
                    time=datetime.now(UTC),
                    site=self._config.site,
                    line=self._config.line,
                    limits=self._limits,
                    model=self._model,
                )
            )

        row = self._outbox.record(self._topics.result, message)
        if row.seq % PURGE_EVERY == 0:
            self._outbox.purge(KEEP, KEEP_ROWS)

    def _stats(self) -> StatsMessage:
        rate, latency = self._pace.report(time.monotonic())
        return StatsMessage(
            time=datetime.now(UTC),
            rate_per_s=rate,
            latency_ms=latency,
            outbox_depth=self._outbox.depth(),
            disk_free_bytes=shutil.disk_usage(self._config.state_dir).free,
            temperature_c=_temperature_c(),
        )


class Calibration:
    """Takes over what `inspector calibrate` records while the line runs."""

    def __init__(self, told: lines.Line) -> None:
        self._told = told
        self._seen = self._stamp()

    def apply(self, line: Line) -> None:
        """Give a new calibration to the line; one that cannot be read is an alarm and no more."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            history = lines.read_history(self._told.path)
            config = overrule(self._told.written, history.in_force)
        except ConfigError as error:
            log.exception("the calibration is not taken over")
            line.publisher.alarm("calibration", str(error))
            return
        log.info("calibrated: %s", history.in_force)
        line.set_calibration(config)
        line.publisher.alarm("calibration", None)

    def _stamp(self) -> tuple[int, int] | None:
        """What changes whenever the file is replaced; None while there is none."""
        try:
            found = lines.history_of(self._told.path).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def _open_inspector(config: LineConfig) -> tuple[Inspector, ModelInfo]:
    """Load the model, prove it on its golden picture, and put the judging together."""
    cache = Path(os.environ.get("CACHE_DIRECTORY") or config.state_dir / "cache")
    segmenter, info = bundle.open_segmenter(config.model, cache)
    return Inspector(segmenter, config.limits, _view(config)), info


def _view(config: LineConfig) -> View:
    live = config.camera.source.kind in {"v4l2", "rtsp"}
    return View.of(config, FRESH_S if live else math.inf)


def _status(camera: CameraState, publisher: Publisher) -> str:
    seen = "camera online" if camera.online else f"camera: {camera.detail}"
    broker = "connected" if publisher.connected else "away"
    return f"{seen}; broker {broker}; {camera.frames} frames, {publisher.delivered} delivered"


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop` while the block runs."""

    def on_signal(number: int, _: FrameType | None) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        stop.set()

    before = {s: signal.signal(s, on_signal) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _today() -> date:
    return datetime.now().astimezone().date()


def _midnight() -> datetime:
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


def _temperature_c() -> float | None:
    """The hottest thermal zone that the kernel reports, None where it reports none."""
    zones = Path("/sys/class/thermal").glob("thermal_zone*/temp")
    readings = []
    for zone in zones:
        with suppress(OSError, ValueError):
            readings.append(int(zone.read_text()) / 1000)
    return max(readings, default=None)

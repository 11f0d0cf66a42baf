"""`inspector run`: the sentence, with its threads.

The grabber grabs, this thread judges and records, the publisher publishes, and what is to be seen
later is kept as evidence.
"""

import logging
import math
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import cv2

from inspector import lines, mark
from inspector.calibration import outdated
from inspector.cameras import CameraState, Grabber, make_camera
from inspector.config import CameraConfig, LineConfig
from inspector.errors import BrokerError, ConfigError, OutboxError
from inspector.notify import notify
from inspector.page.feed import Condition, Feed, Shown
from inspector.page.server import Page
from inspector.page.shift import DAY, began_at
from inspector.pipeline import Inspector, View
from inspector.publish.announcement import StatsMessage
from inspector.publish.message import ModelInfo, ResultMessage, encode, result_message
from inspector.publish.metrics import Metrics
from inspector.publish.moment import Moment
from inspector.publish.publisher import Publisher
from inspector.publish.scrape import Scrape
from inspector.publish.topics import Topics
from inspector.record.database import kept_aside
from inspector.record.evidence import FOLDER as EVIDENCE
from inspector.record.evidence.record import Judging
from inspector.record.evidence.writer import Evidence
from inspector.record.janitor import Janitor
from inspector.record.outbox import Outbox, Row, Ticket
from inspector.record.schema import OUTBOX
from inspector.reload import Reload
from inspector.segment import bundle
from inspector.signals import heeded
from inspector.statistics import Counts, Pace
from inspector.types import Frame, Image, Reason, Result, Rule, Unseen, Verdict
from inspector.versions import versions
from inspector.watchdog import PUBLISHER_S, Pulse, Watchdog, ask_for_time, grabber_limit_s

log = logging.getLogger(__name__)

FLUSH_S = 5.0  # on a clean stop the publisher may still deliver; the outbox keeps the rest
KEEP_S = 5.0  # for the pictures that wait
JOIN_S = 2.0  # for a camera's native read to come back
GRACE_S = 0.3  # before a camera that does not deliver is an alarm
POLL_S = 0.2  # how soon a signal is noticed while nothing moves
FRAME_SIZE = Rule.FRAME_SIZE.value  # an alarm, beside the reason of each part
MODEL = "model"  # an alarm
MODEL_FAILED = frozenset({Rule.MODEL_ERROR, Rule.NOT_FINITE})


def run(told: lines.Line) -> None:
    """Judge what passes the line's camera, until SIGTERM or SIGINT or the end of its files.

    Raises:
        ConfigError: a file that leads to the broker cannot be read.
        BundleError: the model may not run.
        OutboxError: the outbox cannot be opened.
        BrokerError: all is judged, and the broker has refused some of it.
    """
    cv2.setNumThreads(1)  # the cores belong to the runtime
    config = told.config
    for text in outdated(told.history, lines.setup(config)):
        log.warning("calibrate again? %s", text)
    with heeded() as signals, ExitStack() as stack:
        inspector, model = _open_inspector(told)
        ask_for_time(path := config.state_dir / OUTBOX)
        outbox = stack.enter_context(closing(Outbox(path)))
        line = Line(config, inspector, model, outbox)
        evidence = line.evidence
        reload = Reload(told, take_over=line.judge_by, alarm=line.publisher.alarm)
        janitor = Janitor(outbox, line.publisher.alarm, lambda: evidence.yields)
        grabber = Grabber(make_camera(config.camera), every_s=config.camera.every_ms / 1000)
        watchdog, patience_s = Watchdog(), grabber_limit_s(config.camera)
        page = Page(told, line.feed, model, line.publisher.alarm)
        moment = Moment(told, lambda: grabber.state, line.publisher, evidence)
        line.metrics.registry.register(moment)
        scrape = Scrape(config.metrics, line.metrics.registry, line.publisher.alarm)

        def tend() -> None:
            reload.tend(signals.reload)
            janitor.tend()
            evidence.tend()
            camera, publisher = grabber.state, line.publisher
            line.show(camera)
            page.tend()
            watchdog.pet(
                _status(camera, publisher),
                Pulse("grabber", camera.last_progress_s, patience_s),
                Pulse("publisher", publisher.last_progress_s, PUBLISHER_S),
            )

        line.publisher.start()
        evidence.start()
        grabber.start()
        notify("READY=1", f"STATUS=judging with {model.name} on {model.runtime}")
        page.start(outbox.verdicts_since)
        scrape.start()
        tend()
        try:
            for part in parts(grabber, config.camera, signals.stop):
                if part is not None:
                    _judge(line, grabber, part)
                line.tell(grabber.state)
                tend()
            line.deliver(signals.stop, tend)
        finally:
            notify("STOPPING=1")
            page.stop()
            scrape.stop()
            if not grabber.stop(JOIN_S):
                log.warning("the camera does not answer; its thread is left behind")
            if not evidence.stop(KEEP_S):
                log.warning("%d parts are not kept: no time is left", evidence.state.waiting)
            if not line.publisher.stop(FLUSH_S):
                log.warning("%d results wait in the outbox for the next start", outbox.depth())


def _judge(line: "Line", grabber: Grabber, part: Frame | Unseen) -> None:
    """A camera whose picture cannot be believed is opened anew."""
    line.judge(part)
    if line.doubt is not None:
        grabber.renew(line.doubt)


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
        midnight = began_at(DAY, datetime.now().astimezone())
        self._counts = Counts(_today(), outbox.verdicts_since(midnight))
        self._pace = Pace(time.monotonic())
        self._unrecorded = 0  # parts, since the last one that was recorded
        self._misfit: str | None = None
        self._broken: str | None = None  # the model
        self.feed = Feed()
        self.metrics = Metrics(config.site, config.line, model)
        self.doubt: str | None = None
        """Why what the camera shows cannot be believed, None while the last part was believed."""
        self.publisher = Publisher(
            config.mqtt, self._topics, outbox, model=model, limits=config.limits, stats=self._stats
        )
        self.evidence = Evidence(
            config.evidence,
            config.state_dir / EVIDENCE,
            _judging(config, inspector.view, model),
            self.publisher.alarm,
        )
        aside = ", ".join(file.name for file in kept_aside(outbox.path))
        damage = f"the outbox was damaged and is kept as {aside}" if aside else None
        self.publisher.alarm("outbox_damaged", damage)
        for code in ("outbox", FRAME_SIZE, MODEL):
            self.publisher.alarm(code, None)  # of an earlier session

    def judge(self, part: Frame | Unseen) -> Verdict:
        """Decide → commit → publish, in this order: what is told was recorded before.

        Returns what a gate may be told: unknown for a part whose result could not be recorded.
        """
        result = self._inspector.inspect(part)
        self.evidence.judging = self.evidence.judging.with_size(self._inspector.view.size)
        kept = self.evidence.choose(part, result)
        frozen = any(reason.rule is Rule.FROZEN for reason in result.reasons)
        shown = f"{self._config.camera.source}: expected new frames, found equal ones"
        self.doubt = shown if frozen else None
        self._tell_size(part, result)
        self._tell_model(result)
        try:
            row, message = self._record(result, is_kept=self.evidence.will_name(kept))
        except OutboxError as error:
            if not self._unrecorded:
                log.exception("%s and what follows could not be recorded", result.source)
                self.publisher.alarm("outbox", f"parts are rejected, not recorded: {error}")
            self._unrecorded += 1
            self.metrics.add_unrecorded()
            self._show_unrecorded(result, part)
            return Verdict.UNKNOWN
        if self._unrecorded:
            log.warning("recording again, after %d parts that are not", self._unrecorded)
            self._unrecorded = 0
            self.publisher.alarm("outbox", None)
        self.publisher.notify()
        if kept is not None:
            self.evidence.keep(kept, part, result, row.id, row.payload)
        self._counts.add(result.verdict, _today())
        self._pace.add(result.timing.total)
        self.metrics.add(result)
        totals = self._counts.totals()
        self.publisher.set_count(*totals)
        self.feed.show(Shown(message, *totals), _picture(part))
        return result.verdict

    def tell(self, camera: CameraState) -> None:
        """Report what the camera does; one that has only just gone may be back at once."""
        read_to_the_end = math.isinf(camera.last_progress_s)  # though the last part may be in work
        detail = self.doubt or (None if camera.online or read_to_the_end else camera.detail)
        if not (self.doubt or detail is None or time.monotonic() - camera.since_s >= GRACE_S):
            return
        self.publisher.set_state("running" if detail is None else "camera_lost")
        self.publisher.alarm("camera", detail)

    def show(self, camera: CameraState) -> None:
        """Let the page see how the line is."""
        self.feed.condition = Condition(
            time.monotonic(),
            camera,
            self.publisher.connected,
            self.publisher.alarms,
            self._limits,
            self._inspector.view.scale,
        )

    def judge_by(self, config: LineConfig) -> None:
        """Judge by these limits and this scale from the next part on; what is published says so."""
        self._inspector.judge_by(config.limits, _view(config))
        self._limits = config.limits
        self.evidence.judging = _judging(config, self._inspector.view, self._model)
        self.publisher.set_limits(config.limits)

    def deliver(self, stop: threading.Event, tend: Callable[[], None]) -> None:
        """All is judged: wait until the broker has acknowledged it, or until told to stop. One who
        was told so before goes at once: more would have come.

        Meanwhile `tend` is called again and again.

        Raises:
            BrokerError: it has refused results of this session. Older ones, which are tried again
                too, are told by the alarm alone: they would make each later run fail.
        """
        if stop.is_set():
            self.publisher.set_state("stopping")
            return
        self.publisher.set_state("finished")
        while self._outbox.depth() and not stop.wait(POLL_S):
            tend()
        if refused := self._outbox.refused(only_new=True):
            raise BrokerError(
                f"{self._config.mqtt.host}:{self._config.mqtt.port}: expected it to take all "
                f"results of this run, found {refused} refused; they are kept: `inspector outbox`"
            )

    def _tell_size(self, part: Frame | Unseen, result: Result) -> None:
        """Frames of another size than the line's: no part is judged till then."""
        if isinstance(part, Unseen):
            return
        misfit = None
        for reason in (reason for reason in result.reasons if reason.rule is Rule.FRAME_SIZE):
            height, width = part.image.shape[:2]
            size = self._inspector.view.size
            if size in {None, (width, height)}:  # what is judged of it is too small
                expected, found = f"at least {reason.limit:g} px", f"{reason.value:g}"
            else:
                expected, found = " × ".join(map(str, size or ())), f"{width} × {height}"
            misfit = f"{self._config.camera.source}: expected {expected}, found {found}"
        if misfit != self._misfit:
            self._misfit = misfit
            self.publisher.alarm(FRAME_SIZE, misfit)

    def _tell_model(self, result: Result) -> None:
        """It failed on the last part; over with the next one that it judges."""
        failed = [r.rule.value for r in result.reasons if r.rule in MODEL_FAILED]
        judged = result.verdict is not Verdict.UNKNOWN or result.marginal
        if not failed and not judged:
            return  # it was not asked
        model = f"{self._model.name} on {self._model.runtime}"
        broken = f"{model}: {failed[0]}: no part is judged" if failed else None
        if broken != self._broken:
            self._broken = broken
            self.publisher.alarm(MODEL, broken)

    def _record(self, result: Result, *, is_kept: bool) -> tuple[Row, ResultMessage]:
        made: list[ResultMessage] = []

        def message(ticket: Ticket) -> str:
            made.append(self._message(result, ticket, is_kept=is_kept))
            return encode(made[0])

        return self._outbox.record(self._topics.result, message), made[0]

    def _show_unrecorded(self, result: Result, part: Frame | Unseen) -> None:
        reasons = result.reasons or (Reason(Rule.INTERNAL_ERROR),)
        rejected = replace(result, verdict=Verdict.UNKNOWN, reasons=reasons)
        ticket = Ticket(0, f"unrecorded-{time.monotonic_ns()}")
        message = self._message(rejected, ticket, is_kept=False)
        self.feed.show(Shown(message, *self._counts.totals()), _picture(part))

    def _message(self, result: Result, ticket: Ticket, *, is_kept: bool) -> ResultMessage:
        return result_message(
            result,
            id=ticket.id,
            seq=ticket.seq,
            time=datetime.now(UTC),
            site=self._config.site,
            line=self._config.line,
            limits=self._limits,
            model=self._model,
            evidence=ticket.id if is_kept else None,
        )

    def _stats(self) -> StatsMessage:
        rate, latency = self._pace.report(time.monotonic())
        return StatsMessage(
            time=datetime.now(UTC),
            rate_per_s=rate,
            latency_ms=latency,
            outbox_depth=self._outbox.depth(),
            disk_free_bytes=shutil.disk_usage(self._config.state_dir).free,
            temperature_c=_temperature_c(),
            evidence=self.evidence.stats() if self._config.evidence else None,
        )


def _open_inspector(told: lines.Line) -> tuple[Inspector, ModelInfo]:
    """Load the model, prove it on its golden picture, and put the judging together."""
    told.refuse_missing_files()  # first, as a model takes long
    config = told.config
    Outbox.refuse(config.state_dir / OUTBOX)
    cache = Path(os.environ.get("CACHE_DIRECTORY") or config.state_dir / "cache")
    try:
        segmenter, info = bundle.open_segmenter(config.model, cache)
    except ConfigError as error:
        raise told.placed(error) from None
    told.refuse_others_than(segmenter.manifest.classes)
    return Inspector(segmenter, config.limits, _view(config)), info


def _view(config: LineConfig) -> View:
    return View.of(config, mark.load(config.sight.reference), live=config.camera.source.live)


def _picture(part: Frame | Unseen) -> Image | None:
    return part.image if isinstance(part, Frame) else None


def _judging(config: LineConfig, view: View, model: ModelInfo) -> Judging:
    return Judging.of(config, view.size, view.mark, versions(model.runtime))


def _status(camera: CameraState, publisher: Publisher) -> str:
    seen = "camera online" if camera.online else f"camera: {camera.detail}"
    broker = "connected" if publisher.connected else "away"
    return f"{seen}; broker {broker}; {camera.frames} frames, {publisher.delivered} delivered"


def _today() -> date:
    return datetime.now().astimezone().date()


def _temperature_c() -> float | None:
    """The hottest thermal zone that the kernel reports, None where it reports none."""
    zones = Path("/sys/class/thermal").glob("thermal_zone*/temp")
    readings = []
    for zone in zones:
        with suppress(OSError, ValueError):
            readings.append(int(zone.read_text()) / 1000)
    return max(readings, default=None)

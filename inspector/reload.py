"""What a running line is told anew: its file, when asked by a signal, and its calibrations, always.

Limits, zones, scale and what a picture has to be like are taken over with the next part. What the
camera, the model, the outbox and the publisher were made from stays until the next start.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from pydantic import BaseModel, ValidationError

from inspector import lines
from inspector.calibration import History, overrule
from inspector.config import LineConfig
from inspector.errors import ConfigError
from inspector.notify import notify

log = logging.getLogger(__name__)

TAKEN_OVER = ("scale", "sight", "limits")
CALIBRATION, CONFIGURATION, RESTART_NEEDED = "calibration", "configuration", "restart_needed"


class Reload:
    """Gives what is told anew to `take_over`, and what cannot be taken over to `alarm`.

    `take_over` may refuse with a `ConfigError`; `alarm` takes a code and a text, None to clear.
    """

    def __init__(
        self,
        told: lines.Line,
        *,
        take_over: Callable[[LineConfig], None],
        alarm: Callable[[str, str | None], None],
    ) -> None:
        self._path = told.path
        self._take_over = take_over
        self._alarm = alarm
        self._started = told.written
        self._written = told.written  # as it was last taken over
        self._history = told.history
        self._in_force = told.config
        self._seen: tuple[int, ...] | None = ()  # the first look reads it, whatever came before
        for code in (CALIBRATION, CONFIGURATION, RESTART_NEEDED):
            alarm(code, None)  # of an earlier session

    def tend(self, asked: threading.Event) -> None:
        """Read the file if `asked`, which is cleared, and the calibrations if they changed."""
        if asked.is_set():
            asked.clear()
            notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            self._read_file()
            notify("READY=1")
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self._read_calibrations()

    def _read_file(self) -> None:
        try:
            written = lines.read_file(self._path)[1]
            judged = self._fitting(written)
            self._put_in_force(judged or self._written)
        except ConfigError as error:
            log.error("what was in force stays: %s", error)  # noqa: TRY400 - the file is at fault
            self._alarm(CONFIGURATION, str(error))
            return
        self._written = judged or self._written
        self._alarm(CONFIGURATION, None)
        waiting = [key for key in _differences(self._started, written) if key not in TAKEN_OVER]
        waiting += [] if judged else TAKEN_OVER
        text = f"from the next start on: {', '.join(waiting)}" if waiting else None
        if text is not None:
            log.warning("%s: %s", self._path, text)
        self._alarm(RESTART_NEEDED, text)

    def _fitting(self, written: LineConfig) -> LineConfig | None:
        """What is started, with what is `written` for judging; None where the two do not fit: zones
        that were drawn for a new `roi` may lie beyond the old one, and other classes belong to a
        new model.
        """
        is_other_model = written.model.bundle != self._started.model.bundle
        if is_other_model and written.limits.classes != self._started.limits.classes:
            return None
        new = {key: getattr(written, key) for key in TAKEN_OVER}
        try:
            return LineConfig.model_validate(dict(self._started) | new)
        except ValidationError:
            return None

    def _read_calibrations(self) -> None:
        before = self._history
        try:
            self._history = self._continued(before)
            self._put_in_force(self._written)
        except ConfigError as error:
            self._history = before
            log.exception("the calibration is not taken over")
            self._alarm(CALIBRATION, str(error))
            return
        self._alarm(CALIBRATION, None)

    def _continued(self, before: History) -> History:
        found = lines.read_history(self._path)
        if not found.continues(before):
            raise ConfigError(
                f"{lines.history_of(self._path)}: expected the {len(before.records)} records of "
                f"before and new ones, found {len(found.records)} others; a start takes them over"
            )
        return found

    def _put_in_force(self, written: LineConfig) -> None:
        config = overrule(written, self._history.in_force)
        if config == self._in_force:
            return
        self._take_over(config)
        self._in_force = config
        log.info("from now on: %s, %s", config.limits, config.scale)

    def _stamp(self) -> tuple[int, ...] | None:
        """What changes whenever the calibrations are replaced; None while there are none."""
        try:
            found = lines.history_of(self._path).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def _differences(one: BaseModel, other: BaseModel, prefix: str = "") -> Iterator[str]:
    """Keys with other values; of a section that both have, the keys in it."""
    for name, value in one:
        found = getattr(other, name)
        if value == found:
            continue
        sections = isinstance(value, BaseModel) and isinstance(found, BaseModel)
        if sections and prefix + name not in TAKEN_OVER:
            yield from _differences(value, found, f"{prefix}{name}.")
        else:
            yield prefix + name

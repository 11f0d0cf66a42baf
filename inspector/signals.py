"""What a process is told by signals: SIGTERM and SIGINT to stop, SIGHUP to read its file again."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signals:
    """Set by the signal, and looked at when there is time for it."""

    stop: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)


@contextmanager
def heeded() -> Iterator[Signals]:
    """While the block runs, signals set these events and do no more."""
    signals = Signals()
    events = {
        signal.SIGTERM: signals.stop,
        signal.SIGINT: signals.stop,
        signal.SIGHUP: signals.reload,
    }

    def on_signal(number: int, _: FrameType | None) -> None:
        event = events[signal.Signals(number)]
        log.info(
            "%s: %s",
            signal.Signals(number).name,
            "stopping" if event is signals.stop else "reading the line's file again",
        )
        event.set()

    before = {number: signal.signal(number, on_signal) for number in events}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

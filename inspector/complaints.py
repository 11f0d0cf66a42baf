"""A complaint that comes with every part, or every second, does not fill the line PC's log."""

import logging
import threading
import time
from collections.abc import Callable

QUIET_S = 600.0  # a complaint that did not come for so long is a new one


PER_PART = "inspector.pipeline"
AGAIN_AND_AGAIN = ("inspector.record.janitor", "inspector.publish.scrape")  # every second, or five
# What else complains holds itself back, and tells of each change.


class Sparing(logging.Filter):
    """Lets the 1st, 2nd, 4th, 8th, … of equal warnings and errors through, and counts them.

    Equal are those of one place in the code, whatever picture or number they name; of two kinds of
    exception there are two. What is told for information passes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[object, ...], tuple[int, float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told; one that is not the first says its number."""
        if record.levelno < logging.WARNING:
            return True
        kind = record.exc_info[0] if record.exc_info else None
        place = record.pathname, record.lineno, kind
        now_s = self._clock()
        with self._lock:
            count, last_s = self._known.get(place, (0, now_s))
            count = 1 if now_s - last_s > QUIET_S else count + 1
            self._known[place] = count, now_s
        if count & (count - 1):
            return False
        if count > 1:
            record.msg, record.args = f"{record.getMessage()} [{count} times by now]", ()
        return True


def limit() -> None:
    """Tell nothing without end, about each part or each second of a night."""
    for name in (PER_PART, *AGAIN_AND_AGAIN):
        logging.getLogger(name).addFilter(Sparing())

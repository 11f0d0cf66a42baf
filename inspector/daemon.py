"""`inspector run`: the sentence as threads. The grabber grabs, this thread judges and records, the
publisher publishes.
"""

import logging
import threading

from inspector.config import LineConfig
from inspector.record.outbox import Outbox

log = logging.getLogger(__name__)

FLUSH_S = (
    5.0  # on a clean stop the publisher may still deliver for so long; the outbox keeps the rest
)
JOIN_S = 2.0  # for a camera's native read to come back
MAX_AGE_S = 0.5  # a live frame older than this shows a part that has moved on
POLL_S = 0.2  # how soon a signal is noticed while nothing moves


class Daemon:
    """One line: opened by its configuration, run until told to stop or until its files are judged."""

    def __init__(self, config: LineConfig) -> None:
        self.config = config
        self._stop = threading.Event()

    def run(self) -> None:
        """Load and prove the model, then judge parts.

        Raises:
            BundleError: the model may not run.
            OutboxError: results could not be kept.
        """
        with self._signals():
            inspector, model = self._open_inspector()
            outbox = Outbox(self.config.state_dir / "outbox.db")

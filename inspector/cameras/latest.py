"""The slot of one frame between the camera's thread and the inspector."""

import threading

from inspector.cameras.camera import Part


class LatestFrame:
    """A slot of one. Live parts overwrite what nobody took; parts of files wait for their turn."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._part: Part | None = None
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """How many parts nobody took."""
        with self._changed:
            return self._dropped

    @property
    def drained(self) -> bool:
        """True once it is closed and empty."""
        with self._changed:
            return self._closed and self._part is None

    def put(self, part: Part) -> None:
        """Offer the part in place of the one that lies there."""
        with self._changed:
            self._dropped += self._part is not None
            self._part = part
            self._changed.notify_all()

    def put_when_free(self, part: Part, timeout_s: float) -> bool:
        """Offer the part once the slot is empty; False if it was not within the time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._part is None, timeout_s):
                return False
            self._part = part
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float) -> Part | None:
        """Wait for a part and take it; None if none came within the time, or none will any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._part is not None or self._closed, timeout_s)
            part, self._part = self._part, None
            self._changed.notify_all()
            return part

    def clear(self) -> None:
        """Drop what lies there."""
        with self._changed:
            self._dropped += self._part is not None
            self._part = None
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will come: who waits in `take` wakes up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

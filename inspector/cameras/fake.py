"""A camera that plays a script, for tests and for trying a line without hardware."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from inspector.cameras.camera import Part
from inspector.errors import CameraUnavailable
from inspector.types import Frame

Step = Part | float | Exception
"""A part to hand over (frames are stamped anew), seconds to wait, or what goes wrong."""


class ScriptedCamera:
    """Plays its steps in order, across losses; at the end of the script the files have ended.

    A `CameraUnavailable` goes wrong in `open`, any other exception in `read`.
    """

    def __init__(self, script: Iterable[Step], *, live: bool = True) -> None:
        self.live = live
        self.is_open = False
        self._script = deque(script)

    def open(self) -> None:
        """Open, unless the script says otherwise."""
        if self._script and isinstance(self._script[0], CameraUnavailable):
            raise self._script.popleft()  # type: ignore[misc]
        self.is_open = True

    def read(self) -> Part | None:
        """The next part of the script; None at its end."""
        while self._script:
            match self._script.popleft():
                case float() | int() as seconds:
                    time.sleep(seconds)
                case Exception() as error:
                    raise error
                case Frame() as frame:
                    return replace(frame, grabbed_s=time.monotonic())
                case part:
                    return part
        return None

    def close(self) -> None:
        """Close."""
        self.is_open = False

"""What every source of frames can do."""

from typing import Protocol

from inspector.types import Frame, Unseen

Part = Frame | Unseen
"""What a camera hands over for one part: a picture to judge, or why there is none."""


class Camera(Protocol):
    """A source of frames. One thread at a time uses it; after `close` it can be opened again."""

    live: bool
    """True: a frame that nobody took in time is overwritten. False: every frame is one part."""

    def open(self) -> None:
        """Be ready to read.

        Raises:
            CameraUnavailable: it is not there, or not within its deadline.
        """

    def read(self) -> Part | None:
        """Wait for the next frame; None at the end of files.

        Raises:
            CameraLost: it gave no frame within its deadline; only opening it again may heal it.
        """

    def close(self) -> None:
        """Release everything. Without effect on a camera that is not open."""

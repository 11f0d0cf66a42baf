"""A bell that wakes a thread which waits in select."""

import contextlib
import select
import socket


class Bell:
    """Rung by any thread, heard by one."""

    def __init__(self) -> None:
        self._ear, self._button = socket.socketpair()
        self._ear.setblocking(False)
        self._button.setblocking(False)

    def ring(self) -> None:
        """Wake it; from any thread."""
        with contextlib.suppress(OSError):  # it has been rung often enough, or is gone
            self._button.send(b"\0")

    def wait(self, timeout_s: float) -> None:
        """Until it rings or the time is over."""
        select.select([self], [], [], max(timeout_s, 0.0))
        self.hush()

    def hush(self) -> None:
        """Forget what has rung."""
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)

    def fileno(self) -> int:
        """For select."""
        return self._ear.fileno()

    def close(self) -> None:
        """Give the descriptors back."""
        self._ear.close()
        self._button.close()

"""What all viewers of one language read: named pieces of the page, each sent only when it changed.

It is written by the page's thread and rendered once, however many read. A viewer that is slow gets
the newest of what it missed, and no queue grows.
"""

import asyncio
import json
from collections.abc import Mapping

BEAT_S = 1.0  # a browser that hears nothing for a few of these says that it has no connection


class Bulletin:
    """The pieces, with the number of the change that each had last."""

    def __init__(self) -> None:
        self.readers = 0
        """How many viewers wait for changes."""
        self._pieces: dict[str, tuple[int, str]] = {}
        self._number = 0
        self._changed = asyncio.Event()
        self._events: dict[int, bytes] = {}

    def put(self, pieces: Mapping[str, str]) -> None:
        """Take over what is different."""
        changed = {
            name: html
            for name, html in pieces.items()
            if self._pieces.get(name, (0, ""))[1] != html
        }
        if not changed:
            return
        self._number += 1
        self._pieces |= {name: (self._number, html) for name, html in changed.items()}
        self._events.clear()
        self.wake()

    def wake(self) -> None:
        """Let who waits look."""
        self._changed.set()
        self._changed = asyncio.Event()

    def since(self, number: int) -> tuple[bytes, int]:
        """A server-sent event with all that changed after this number, and the number now."""
        if number not in self._events:
            new = {name: html for name, (at, html) in self._pieces.items() if at > number}
            text = json.dumps(new, ensure_ascii=False)
            self._events[number] = (
                f"event: {'pieces' if new else 'beat'}\ndata: {text}\n\n".encode()
            )
        return self._events[number], self._number

    async def change(self, number: int) -> None:
        """Wait for something newer than this number, for a beat at most."""
        if number != self._number:
            return
        try:
            async with asyncio.timeout(BEAT_S):
                await self._changed.wait()
        except TimeoutError:
            pass


class Reel:
    """The live picture: encoded once, the newest for each viewer as soon as it can take it."""

    BOUNDARY = "picture"

    def __init__(self) -> None:
        self.viewers = 0
        """How many look at it."""
        self.number = 0
        """Counts the pictures."""
        # Chromium shows a part when it has read the head of the next one, so each goes with it.
        self.head = f"--{self.BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        self.part = b""
        """The newest, as a part of multipart/x-mixed-replace; empty before the first."""
        self._changed = asyncio.Event()

    def show(self, jpeg: bytes) -> None:
        """The next picture."""
        self.number += 1
        self.part = jpeg + b"\r\n" + self.head
        self.wake()

    def wake(self) -> None:
        """Let who waits look."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self, number: int) -> None:
        """Wait for another picture than this one."""
        if number == self.number:
            await self._changed.wait()

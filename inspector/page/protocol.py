"""HTTP with a clock: who sends or reads too slowly is disconnected, whatever the page does."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 10.0  # from the connection, or from the first byte of another request, to its end
SEND_S = 10.0  # for a reader that has let the buffers of both sides run full


class PatientProtocol(H11Protocol):
    """uvicorn's own, which waits for ever for a request and for a reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The request has to come now."""
        super().connection_made(transport)
        self._begin("request", REQUEST_S)

    def data_received(self, data: bytes) -> None:
        """A piece of a request."""
        self._begin("request", REQUEST_S)
        super().data_received(data)
        cycle = self.cycle  # of the newest request that has begun, be it long answered
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._end("request")

    def on_response_complete(self) -> None:
        """From here on uvicorn waits for another request, and not for long."""
        self._end("request")
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The reader does not keep up."""
        super().pause_writing()
        self._begin("send", SEND_S)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._end("send")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        for name in list(self._timers):
            self._end(name)
        super().connection_lost(exc)

    def _begin(self, name: str, seconds: float) -> None:
        if name not in self._timers:
            self._timers[name] = self.loop.call_later(seconds, self._cut)

    def _cut(self) -> None:
        """At once: neither we nor the kernel wait until what was sent has been read."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _end(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

"""An MQTT 5 server that behaves as badly as it is told, and remembers what it took."""

import json
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

CONNECT, PUBLISH, PING, DISCONNECT = 1, 3, 12, 14
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


@dataclass(frozen=True, slots=True)
class Mood:
    """How it behaves. Results are answered with `puback`, None: not at all; all else is taken.

    `connack`: reason code of the CONNACK, None: none is sent. `reads`: False, it leaves everything
    in the socket. `delay_s`: before each answer. `reset_after`: so many results, then RST, or a
    DISCONNECT with the reason `goodbye`. `at_most`: the Receive Maximum that it announces.
    """

    connack: int | None = 0
    puback: int | None = 0
    reads: bool = True
    delay_s: float = 0.0
    reset_after: int | None = None
    goodbye: int | None = None
    at_most: int = 20


WELL = Mood()


class ScriptedBroker:
    """`took` are the results that it answered with success, in order; `published`: how many came
    over each connection.
    """

    def __init__(self, mood: Mood = WELL) -> None:
        self.mood = mood
        self.took: list[dict[str, Any]] = []
        self.published: list[int] = []
        self._links: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._listen()

    def refuse(self) -> None:
        """Nobody listens any more, and every connection ends."""
        # Only a shutdown wakes the thread up that waits in accept.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()

    def listen(self) -> None:
        """Again, on the same port."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._listen()

    def hang_up(self) -> None:
        """End every connection."""
        links, self._links = self._links, []
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._links.append(link)
            number = len(self.published)
            self.published.append(0)
            threading.Thread(target=self._serve, args=(link, number), daemon=True).start()

    def _serve(self, link: socket.socket, number: int) -> None:
        with suppress(OSError, EOFError), link, link.makefile("rb") as stream:
            while True:
                while not self.mood.reads:
                    time.sleep(0.01)
                kind, flags, body = _packet(stream)
                if kind == PUBLISH:
                    if not self._answer(link, number, flags, body):
                        return
                elif kind == CONNECT and self.mood.connack is not None:
                    maximum = struct.pack("!BH", 0x21, self.mood.at_most)
                    link.sendall(bytes([0x20, 6, 0, self.mood.connack, 3]) + maximum)
                    if self.mood.connack:
                        return
                elif kind == PING:
                    link.sendall(b"\xd0\x00")
                elif kind == DISCONNECT:
                    return

    def _answer(self, link: socket.socket, number: int, flags: int, body: bytes) -> bool:
        """Answer a PUBLISH; False ends the connection."""
        assert flags >> 1 & 3 == 1, "expected QoS 1"
        length = struct.unpack_from("!H", body)[0]
        topic, message_id = body[2 : 2 + length].decode(), body[2 + length : 4 + length]
        properties, start = _varint(body, 4 + length)
        reason: int | None = 0
        if topic.endswith("/result"):
            mood = self.mood
            self.published[number] += 1
            if mood.reset_after is not None and self.published[number] > mood.reset_after:
                time.sleep(mood.delay_s)
                if mood.goodbye is not None:
                    link.sendall(bytes([0xE0, 1, mood.goodbye]))
                    return False
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return False
            reason = mood.puback
            time.sleep(mood.delay_s)
        if reason is None:
            return True
        if topic.endswith("/result") and reason < 0x80:
            self.took.append(json.loads(body[start + properties :]))
        link.sendall(bytes([0x40, 3]) + message_id + bytes([reason]))
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()


def _packet(stream: BinaryIO) -> tuple[int, int, bytes]:
    first = _exactly(stream, 1)[0]
    size, shift = 0, 0
    while True:
        digit = _exactly(stream, 1)[0]
        size |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            break
    return first >> 4, first & 15, _exactly(stream, size)


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """The number that stands there, and where it ends."""
    value, shift = 0, 0
    while True:
        value |= (body[at] & 0x7F) << shift
        shift += 7
        at += 1
        if body[at - 1] < 0x80:
            return value, at


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data

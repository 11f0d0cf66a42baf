"""A network that spoils what a camera sends: between an RTSP client and its server."""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable

HEADER = 12  # bytes of RTP; behind them are the picture's


class GarblingNetwork:
    """Listens on `port` and hands on to another one; while `garbled`, pictures arrive as noise.

    What is spoiled is the payload of RTP packets; the connection itself and RTSP stay whole, as
    with a broken encoder or a bad cable behind a switch.
    """

    def __init__(self, server_port: int) -> None:
        self.garbled = False
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more connections; those that are go on to their end."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        there = ("127.0.0.1", self._server_port)
        with client, contextlib.suppress(OSError), socket.create_connection(there) as server:
            up = threading.Thread(target=self._carry, args=(self._up, client, server))
            up.start()
            self._carry(self._down, server, client)
            up.join()

    @staticmethod
    def _carry(how: Callable[..., None], source: socket.socket, sink: socket.socket) -> None:
        """Until either side hangs up; then both do."""
        with contextlib.suppress(OSError, EOFError):
            how(source, sink)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _up(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)

    def _down(self, source: socket.socket, sink: socket.socket) -> None:
        """Packets begin with `$`, a channel and their length; between them are answers of RTSP."""
        with source.makefile("rb") as stream:
            while first := stream.read(1):
                if first != b"$":
                    sink.sendall(first + stream.readline())
                    continue
                head = _exactly(stream, 3)
                channel, length = struct.unpack(">BH", head)
                body = _exactly(stream, length)
                if self.garbled and channel % 2 == 0:
                    body = body[:HEADER] + os.urandom(max(0, length - HEADER))
                sink.sendall(first + head + body)


def _exactly(stream, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data

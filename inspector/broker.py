"""A broker of our own on a free loopback port, for the demo and the tests: no production broker."""

import abc
import asyncio
import contextlib
import ctypes
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from inspector.errors import BrokerError

HOST = "127.0.0.1"
START_S = 10.0
STOP_S = 5.0
POLL_S = 0.02
PR_SET_PDEATHSIG = 1  # prctl(2)

Kind = Literal["mosquitto", "amqtt"]


class Broker(abc.ABC):
    """A running broker; a context manager that stops it."""

    kind: Kind
    mqtt_version: Literal[5, "3.1.1"]
    host = HOST
    port: int

    @staticmethod
    def start(
        kind: Literal["auto"] | Kind = "auto", *, port: int | None = None, extra: Sequence[str] = ()
    ) -> "Broker":
        """Start one and wait until it accepts connections.

        `auto` takes an installed Mosquitto, else amqtt in process, which speaks MQTT 3.1.1 only.
        `port` is a free one unless given. `extra` are more lines of mosquitto.conf.

        Raises:
            BrokerError: it is not installed, or it does not start.
        """
        program = find_mosquitto()
        if kind == "amqtt" or (kind == "auto" and program is None):
            return _Amqtt(free_port(port))
        if program is None:
            raise BrokerError("expected an installed mosquitto, found none")
        return _Mosquitto(program, free_port(port), extra)

    @abc.abstractmethod
    def stop(self) -> None:
        """Stop it; connections are closed. A second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Mosquitto(Broker):
    kind = "mosquitto"
    mqtt_version = 5

    def __init__(self, program: str, port: int, extra: Sequence[str]) -> None:
        self.port = port
        self._folder = tempfile.TemporaryDirectory(prefix="inspector-broker-")
        config, complaints = (
            Path(self._folder.name, "mosquitto.conf"),
            Path(self._folder.name, "log"),
        )
        lines = (
            f"listener {port} {HOST}",
            "persistence false",
            "allow_anonymous true",
            "max_queued_messages 100000",  # a subscriber that lags misses nothing
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type error",
            *(["user root"] if os.getuid() == 0 else []),  # else it leaves root and our folder
            *extra,
        )
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with complaints.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, and the broker ends last
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it only makes one system call
            )
        try:
            self._await_listener()
        except BrokerError as error:
            self._process.kill()
            self._process.wait()
            text = complaints.read_text(encoding="utf-8", errors="replace").strip()
            self._folder.cleanup()
            raise BrokerError(f"{program}: {error}: {text}") from None

    def _await_listener(self) -> None:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                socket.create_connection((HOST, self.port), timeout=1.0).close()
            except OSError:
                time.sleep(POLL_S)
            else:
                return
        raise BrokerError(f"expected it to listen on port {self.port}, found that it does not")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


class _Amqtt(Broker):
    kind = "amqtt"
    mqtt_version = "3.1.1"

    def __init__(self, port: int) -> None:
        try:
            from amqtt.broker import Broker as AmqttBroker
        except ImportError:
            raise BrokerError("expected mosquitto or amqtt, found neither installed") from None

        class ClosingBroker(AmqttBroker):  # type: ignore[misc]
            """Closes each connection when it is done with it, also if it is told to stop meanwhile.

            Python 3.11 leaves the socket of a cancelled one to the garbage collector.
            """

            async def stream_connected(
                self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
            ) -> None:
                try:
                    await super().stream_connected(reader, writer, listener_name)
                finally:
                    writer.close()

        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }

        async def begin() -> Any:
            broker = ClosingBroker(config)
            await broker.start()
            return broker

        try:
            self._broker = self._do(begin(), START_S)  # returns when it listens
        except Exception as error:
            self._end_loop()
            raise BrokerError(f"amqtt on port {port}: {error}") from error

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        with contextlib.suppress(Exception):  # what it says while it dies helps nobody
            self._do(self._broker.shutdown(), STOP_S)
        self._end_loop()

    def _do(self, work: Coroutine[Any, Any, Any], timeout_s: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def _end_loop(self) -> None:
        async def cancel_all() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with contextlib.suppress(TimeoutError):
            self._do(cancel_all(), STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._loop.close()


def find_mosquitto() -> str | None:
    """The installed Mosquitto; Debian keeps it where only root's PATH looks."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port(wanted: int | None = None) -> int:
    """A loopback port that nobody listens on now: the one that is wanted, else any.

    Raises:
        BrokerError: somebody listens on the one that is wanted.
    """
    try:
        with socket.create_server((HOST, wanted or 0)) as server:
            return int(server.getsockname()[1])
    except OSError as error:
        raise BrokerError(f"expected port {wanted} to be free, found: {error}") from error


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # The kernel sends this when the thread that started the broker ends, however it ends.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

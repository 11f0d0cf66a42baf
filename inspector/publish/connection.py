"""One connection to the broker, from CONNECT to its loss.

A connection is driven by one thread through paho's loop_read, loop_write and loop_misc, so that no
lock of paho's matters and an exception in a callback surfaces in our stack. It never reconnects:
paho would resend from memory what the outbox resends from disk.
"""

import contextlib
import math
import select
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from inspector.config import MqttConfig, TlsConfig
from inspector.errors import BrokerError
from inspector.publish.bell import Bell

CONNECT_S = 5.0  # for TCP, for TLS, and for the broker's CONNACK, each
KEEPALIVE_S = 10  # a broker that hangs is noticed after at most twice that
DEAD_NETWORK_MS = 2000  # a cable that was pulled is noticed after that
ANSWER_S = 1.5  # a broker that has not answered by then hangs, or is far too slow
ACK_TIMEOUT_S = 30.0  # by then it is given up
WINDOW = 20  # messages without an answer: as many can arrive twice after a loss
REFUSED = 0x80  # reason codes from here on say no
PACKET_OVERHEAD = 64  # bytes of a PUBLISH beside topic and payload, generously
UNSPECIFIED = 0x80  # what paho gives as reason where the broker gave none
# Why a connection ends that has nothing to do with what was sent: a normal end, server busy,
# shutting down, keep alive timeout, session taken over, receive maximum, message rate, quota,
# administrative action, another server, server moved, connection rate, connect time.
NOT_THE_MESSAGE = frozenset(
    {0x00, 0x89, 0x8B, 0x8D, 0x8E, 0x93, 0x96, 0x97, 0x98, 0x9C, 0x9D, 0x9F, 0xA0}
)
# Mosquitto says this to a message beyond its message_size_limit. The standard does not know it in a
# PUBACK, and paho would take it for a broken packet and end the connection.
ReasonCode.names[0x95]["Packet too large"].append(PacketTypes.PUBACK)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said to one message; `refusal` is None when it took it."""

    topic: str
    seq: int | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class _Sent:
    topic: str
    seq: int | None
    size_bytes: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Blamed:
    """The result that the broker hung up on, as it seems, and what it said, if anything."""

    seq: int
    size_bytes: int
    reason: str | None


class Connection:
    """An accepted connection.

    Raises:
        BrokerError: nobody is there, TLS cannot be trusted, or the broker refuses us.
    """

    def __init__(self, config: MqttConfig, client_id: str, will_topic: str, will: str) -> None:
        self._where = f"{config.host}:{config.port}"
        self.answering = True
        """Whether no answer was overdue by `ANSWER_S` when they were last looked at."""
        self._sent: dict[int, _Sent] = {}
        self._answered_s = -math.inf
        self._acks: list[tuple[int, ReasonCode]] = []
        self._greeting: list[tuple[ReasonCode, Properties | None]] = []
        self._farewell: list[tuple[ReasonCode, float]] = []
        try:
            self._client = new_client(config, client_id)
            self._listen()
            self._client.will_set(will_topic, will, qos=1, retain=True)
            self._client.connect(config.host, config.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise BrokerError(f"{self._where}: {error}") from error
        self._tune()
        self._await_greeting()

    def _listen(self) -> None:
        # The callbacks hold these lists and not the connection, which thus is no cycle: with the
        # last reference go its sockets, also when the broker comes and goes for days.
        acks, greeting, farewell = self._acks, self._greeting, self._farewell

        def on_connect(
            _c: Client, _u: object, _f: ConnectFlags, reason: ReasonCode, said: Properties | None
        ) -> None:
            greeting.append((reason, said))

        def on_publish(
            _c: Client, _u: object, mid: int, reason: ReasonCode, _p: Properties | None
        ) -> None:
            acks.append((mid, reason))

        def on_disconnect(
            _c: Client, _u: object, _f: DisconnectFlags, reason: ReasonCode, _p: Properties | None
        ) -> None:
            farewell.append((reason, time.monotonic()))

        self._client.on_connect = on_connect
        self._client.on_publish = on_publish
        self._client.on_disconnect = on_disconnect

    def _tune(self) -> None:
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            return
        for option, value in (
            (socket.TCP_NODELAY, 1),
            (socket.TCP_KEEPIDLE, 1),
            (socket.TCP_KEEPINTVL, 1),
            (socket.TCP_USER_TIMEOUT, DEAD_NETWORK_MS),
        ):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + CONNECT_S
        while not self._greeting:
            if time.monotonic() > deadline:
                self.drop()
                raise BrokerError(f"{self._where}: expected a CONNACK, found none in {CONNECT_S} s")
            self._turn(0.1)
        reason, said = self._greeting[0]
        if reason.value >= REFUSED:
            self.drop()
            raise BrokerError(f"{self._where}: refused us: {reason}")
        self._window = min(WINDOW, getattr(said, "ReceiveMaximum", WINDOW))
        self._max_packet: int | None = getattr(said, "MaximumPacketSize", None)

    @property
    def room(self) -> int:
        """How many messages may be sent before the next answer."""
        return self._window - len(self._sent)

    @property
    def idle(self) -> bool:
        """Whether the broker has answered all."""
        return not self._sent

    @property
    def _waited_s(self) -> float:
        """How long the oldest message has been without an answer; 0 where none is."""
        oldest = next(iter(self._sent.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest.since_s

    @property
    def under_way(self) -> frozenset[int]:
        """Numbers of the results that the broker has not answered."""
        return frozenset(sent.seq for sent in self._sent.values() if sent.seq is not None)

    @property
    def blamed(self) -> Blamed | None:
        """The result that the broker hung up on: the only one under way, the oldest message that
        it had not answered, and the next to be answered only just now. None where it is none.
        """
        oldest = next(iter(self._sent.values()), None)
        if oldest is None or oldest.seq is None or len(self.under_way) > 1 or not self._farewell:
            return None
        reason, ended_s = self._farewell[0]
        waited_s = ended_s - max(oldest.since_s, self._answered_s)
        if reason.value in NOT_THE_MESSAGE or waited_s > ANSWER_S:
            return None
        said = None if reason.value == UNSPECIFIED else str(reason)
        return Blamed(oldest.seq, oldest.size_bytes, said)

    def fits(self, topic: str, payload: str) -> bool:
        """Whether the broker takes a message of this size; a larger one makes it disconnect us."""
        return self._max_packet is None or _size_bytes(topic, payload) <= self._max_packet

    def send(
        self, topic: str, payload: str, *, retain: bool = False, seq: int | None = None
    ) -> None:
        """Publish with QoS 1; the answer comes out of `pump`, with `seq` in it.

        Raises:
            BrokerError: the connection is lost.
        """
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._lost()
        self._sent[info.mid] = _Sent(topic, seq, _size_bytes(topic, payload), time.monotonic())

    def pump(self, timeout_s: float, bell: Bell | None = None) -> list[Answer]:
        """Move bytes until something was read, the bell rang or the time is over.

        Raises:
            BrokerError: the connection is lost, or an answer is overdue.
        """
        self._turn(timeout_s, bell)
        answers = []
        for mid, reason in self._acks:
            sent = self._sent.pop(mid, None)
            if sent is not None:
                self._answered_s = time.monotonic()
                refusal = f"{reason} (0x{reason.value:02x})" if reason.value >= REFUSED else None
                answers.append(Answer(sent.topic, sent.seq, refusal))
        self._acks.clear()
        self.answering = self._waited_s < ANSWER_S
        if self._waited_s > ACK_TIMEOUT_S:
            topic = next(iter(self._sent.values())).topic
            raise BrokerError(f"{self._where}: no answer to {topic} in {ACK_TIMEOUT_S} s")
        return answers

    def _turn(self, timeout_s: float, bell: Bell | None = None) -> None:
        # A loss is raised by the turn after it, so that answers that came before it are counted.
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            raise self._lost()
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            timeout_s = 0.0
        readers: list[socket.socket | Bell] = [sock] if bell is None else [sock, bell]
        writers = [sock] if self._client.want_write() else []
        readable, writable, _ = select.select(readers, writers, [], timeout_s)
        if bell in readable and bell is not None:
            bell.hush()
        if sock in readable or timeout_s == 0.0:
            self._client.loop_read()
        if sock in writable:
            self._client.loop_write()
        self._client.loop_misc()

    def _lost(self) -> BrokerError:
        reason = f": {self._farewell[-1][0]}" if self._farewell else ""
        return BrokerError(f"{self._where}: connection lost{reason}")

    def close(self) -> None:
        """Say goodbye, so that the broker does not publish the will."""
        self._client.disconnect()
        with contextlib.suppress(BrokerError):
            while self._client.want_write():
                self._turn(0.1)
        self.drop()

    def drop(self) -> None:
        """Hang up without a word: the broker publishes the will."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.close()


def new_client(config: MqttConfig, client_id: str) -> Client:
    """A client with the configured protocol, TLS and name, not yet connected.

    Raises:
        OSError: a certificate or the password file cannot be read.
    """
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5
        if config.version == 5
        else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_S
    client.max_inflight_messages_set(0)  # the window is ours
    if config.tls is not None:
        client.tls_set_context(_tls_context(config.tls))
    if config.username is not None:
        client.username_pw_set(config.username, _password(config))
    return client


def _size_bytes(topic: str, payload: str) -> int:
    return len(topic.encode()) + len(payload.encode()) + PACKET_OVERHEAD


class _TlsSocket(ssl.SSLSocket):
    """paho leaves the socket open when the handshake fails; this one closes itself."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _tls_context(tls: TlsConfig) -> ssl.SSLContext:
    with _named("mqtt.tls.ca_file", tls.ca_file):
        context = ssl.create_default_context(cafile=tls.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    if tls.cert_file is not None:
        with _named("mqtt.tls.cert_file", tls.cert_file):
            context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


def _password(config: MqttConfig) -> str | None:
    if config.password_file is None:
        return None
    with _named("mqtt.password_file", config.password_file):
        return config.password_file.read_text(encoding="utf-8").removesuffix("\n")


@contextlib.contextmanager
def _named(key: str, path: Path) -> Iterator[None]:
    """What goes wrong inside names the key and the file; ssl names neither."""
    try:
        yield
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise OSError(f"{key}: {path}: {why}") from error

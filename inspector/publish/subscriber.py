"""Listening to the topics of inspectors, for `inspector watch` and the demo."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from inspector.config import MqttConfig
from inspector.errors import BrokerError
from inspector.publish.connection import CONNECT_S, KEEPALIVE_S, REFUSED, new_client

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # ids; duplicates come at most a window after the original
RETRY_S = 1.0
TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Received:
    """One message. `content` is its JSON, None for an empty payload, which clears a topic."""

    topic: str
    content: Any


class Subscriber:
    """Yields messages while it is iterated, by one thread; a result that comes twice only once.

    After the first connection it reconnects by itself. `subscribed` is set while messages flow.
    """

    def __init__(self, config: MqttConfig, *topic_filters: str) -> None:
        self.subscribed = threading.Event()
        self._config = config
        self._filters = [(topic_filter, 1) for topic_filter in topic_filters]
        self._stopped = threading.Event()
        self._inbox: deque[MQTTMessage] = deque()
        self._seen: dict[str, None] = {}

    def stop(self) -> None:
        """End the iteration soon; from any thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Received]:
        """Messages as they come, until `stop`.

        Raises:
            BrokerError: the first connection failed.
        """
        known = False
        while not self._stopped.is_set():
            try:
                client = self._connect()
                known = True
                yield from self._listen(client)
            except BrokerError as error:
                if not known:
                    raise
                if self.subscribed.is_set():  # one line per outage, not one per attempt
                    log.warning("%s", error)
                self.subscribed.clear()
                self._stopped.wait(RETRY_S)
        self.subscribed.clear()

    def _connect(self) -> Client:
        where = f"{self._config.host}:{self._config.port}"
        refusals: list[ReasonCode] = []
        inbox, subscribed, filters = self._inbox, self.subscribed, self._filters

        def on_connect(
            client: Client, _u: object, _f: ConnectFlags, reason: ReasonCode, _p: Properties | None
        ) -> None:
            if reason.value >= REFUSED:
                refusals.append(reason)
            else:
                client.subscribe(filters)

        def on_subscribe(
            _c: Client, _u: object, _m: int, reasons: list[ReasonCode], _p: Properties | None
        ) -> None:
            refusals.extend(reason for reason in reasons if reason.value >= REFUSED)
            if not refusals:
                subscribed.set()

        def on_message(_c: Client, _u: object, message: MQTTMessage) -> None:
            inbox.append(message)

        try:
            client = new_client(self._config, client_id="")
            client.on_connect, client.on_subscribe = on_connect, on_subscribe
            client.on_message = on_message
            client.connect(self._config.host, self._config.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise BrokerError(f"{where}: {error}") from error
        deadline_s = time.monotonic() + CONNECT_S
        while not self.subscribed.is_set() and not self._stopped.is_set():
            result = client.loop(TICK_S)
            if refusals:
                raise BrokerError(f"{where}: refused us: {refusals[0]}")
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS or time.monotonic() > deadline_s:
                raise BrokerError(f"{where}: expected a subscription, found {result.name}")
        return client

    def _listen(self, client: Client) -> Iterator[Received]:
        while not self._stopped.is_set():
            result = client.loop(TICK_S)
            while self._inbox:
                received = self._read(self._inbox.popleft())
                if received is not None:
                    yield received
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise BrokerError(f"{self._config.host}:{self._config.port}: connection lost")
        client.disconnect()

    def _read(self, message: MQTTMessage) -> Received | None:
        try:
            content = json.loads(message.payload) if message.payload else None
        except (ValueError, RecursionError):
            log.warning(
                "%s: expected JSON, found %d other bytes", message.topic, len(message.payload)
            )
            return None
        name = content.get("id") if isinstance(content, dict) else None
        if isinstance(name, str):
            if name in self._seen:
                return None
            self._seen[name] = None
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]
        return Received(message.topic, content)

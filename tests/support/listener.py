"""An MQTT subscriber that shares no code with the product."""

import json
import threading
import time
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion


class Listener:
    """Collects every message of inspectors, as (topic, payload, retained)."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("inspector/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _c, _u, m: self.messages.append(
            (m.topic, m.payload, m.retain)
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(5)

    def on(self, name: str) -> list[Any]:
        """The JSON of all messages whose topic ends with this name, in order; None where empty."""
        return [
            json.loads(payload) if payload else None
            for topic, payload, _ in list(self.messages)
            if topic.endswith(f"/{name}")
        ]

    def wait(self, condition, timeout_s: float = 15.0) -> None:
        """Until `condition(self)` holds."""
        deadline = time.monotonic() + timeout_s
        while not condition(self):
            assert time.monotonic() < deadline, self.messages
            time.sleep(0.02)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
